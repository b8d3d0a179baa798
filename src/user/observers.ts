/** The modelled programs that a scenario's `user:` can name, and how each is started. */
import { assert } from '../base/assert.ts';
import type { LinuxUapi } from '../guest/uapi/linux.ts';
import type { Latency } from '../sim/latency.ts';
import type { Simulation } from '../sim/simulation.ts';
import { startCloudInit } from './cloud-init.ts';
import { CLOUD_INIT_RELEASES } from './cloud-init-rules.ts';
import { Manager } from './manager.ts';
import { Udev } from './udev.ts';

/** What an observer is started on. */
interface UserMode {
  readonly sim: Simulation;
  readonly uapi: LinuxUapi;
  readonly latency: Latency;
  /** udevd, when the scenario has it: others listen to it. */
  udev: Udev | undefined;
}

type Start = (user: UserMode) => void;

/** In the order in which they are started, so that udev can be listened to. */
const OBSERVERS: Readonly<Record<string, Start>> = {
  udev: (user) => {
    user.udev = new Udev(user.sim, user.uapi, user.latency);
  },
  manager: ({ sim, uapi, latency, udev }) => {
    new Manager(sim, uapi, latency, udev);
  },
  ...Object.fromEntries(
    CLOUD_INIT_RELEASES.map((release): [string, Start] => [
      `cloud-init-${release.version}`,
      ({ sim, uapi }) => startCloudInit(sim, uapi, release),
    ]),
  ),
};

export const OBSERVER_NAMES: readonly string[] = Object.keys(OBSERVERS);

/** Starts the named observers; udevd is given back when it is among them. */
export function startObservers(
  names: readonly string[],
  on: { readonly sim: Simulation; readonly uapi: LinuxUapi; readonly latency: Latency },
): { readonly udev: Udev | undefined } {
  const unknown = names.filter((name) => !OBSERVER_NAMES.includes(name));
  assert(unknown.length === 0, `no observer is called ${unknown.join(', ')}`);
  const user: UserMode = { udev: undefined, ...on };
  for (const [name, start] of Object.entries(OBSERVERS)) if (names.includes(name)) start(user);
  return { udev: user.udev };
}
