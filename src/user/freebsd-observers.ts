/** The modelled programs of a FreeBSD guest that a scenario's `user:` can name, and how each is started. */
import { assert } from '../base/assert.ts';
import type { FreebsdUapi } from '../guest/uapi/freebsd.ts';
import type { Latency } from '../sim/latency.ts';
import type { Simulation } from '../sim/simulation.ts';
import { Devd } from './devd.ts';
import { Dhclient } from './dhclient.ts';
import { InterfaceScanner } from './interface-scanner.ts';
import { JailManager } from './jails.ts';

/**
 * devd alone; devd with the scripts that configure what rc.conf names; a manager of jails that stops one by removing it, and
 * one that takes the interface back first; a program that goes through all interfaces.
 */
export const FREEBSD_OBSERVERS = ['devd', 'dhclient', 'jails', 'jails-interface-first', 'interface-scanner'] as const;

interface UserMode {
  readonly sim: Simulation;
  readonly uapi: FreebsdUapi;
  readonly latency: Latency;
}

/** Starts the named observers; there is no dhclient without a devd that starts it. */
export function startFreebsdObservers(names: readonly string[], { sim, uapi, latency }: UserMode): void {
  const unknown = names.filter((name) => !(FREEBSD_OBSERVERS as readonly string[]).includes(name));
  assert(unknown.length === 0, `no observer is called ${unknown.join(', ')}`);
  const devd = names.includes('devd') || names.includes('dhclient') ? new Devd(sim, uapi, latency) : undefined;
  if (devd !== undefined && names.includes('dhclient')) new Dhclient(sim, uapi, latency, devd);
  if (names.includes('jails')) new JailManager(sim, uapi, latency, 'jail');
  if (names.includes('jails-interface-first')) new JailManager(sim, uapi, latency, 'interface');
  if (names.includes('interface-scanner')) new InterfaceScanner(sim, uapi);
}
