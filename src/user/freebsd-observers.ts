/** The modelled programs of a FreeBSD guest that a scenario's `user:` can name, and how each is started. */
import { assert } from '../base/assert.ts';
import type { FreebsdUapi } from '../guest/uapi/freebsd.ts';
import type { Latency } from '../sim/latency.ts';
import type { Simulation } from '../sim/simulation.ts';
import { Devd } from './devd.ts';
import { Dhclient } from './dhclient.ts';

/** devd alone; devd with the scripts that configure what rc.conf names. */
export const FREEBSD_OBSERVERS = ['devd', 'dhclient'] as const;

interface UserMode {
  readonly sim: Simulation;
  readonly uapi: FreebsdUapi;
  readonly latency: Latency;
}

/** Starts the named observers; there is no dhclient without a devd that starts it. */
export function startFreebsdObservers(names: readonly string[], { sim, uapi, latency }: UserMode): void {
  const unknown = names.filter((name) => !(FREEBSD_OBSERVERS as readonly string[]).includes(name));
  assert(unknown.length === 0, `no observer is called ${unknown.join(', ')}`);
  if (names.length === 0) return;
  const devd = new Devd(sim, uapi, latency);
  if (names.includes('dhclient')) new Dhclient(sim, uapi, latency, devd);
}
