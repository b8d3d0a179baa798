/** What every part of the modelled FreeBSD kernel stands on. Made once a machine, by `freebsd-guest.ts`. */
import type { Bus } from '../../bus/bus.ts';
import type { Latency } from '../../sim/latency.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Profile } from './profile.ts';
import type { Stack } from './stack.ts';

export interface FreebsdKernel extends Stack {
  readonly sim: Simulation;
  readonly bus: Bus;
  readonly latency: Latency;
  readonly profile: Profile;
}
