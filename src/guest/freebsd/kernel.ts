/** What every part of the modelled FreeBSD kernel stands on. Made once a machine, by `freebsd-guest.ts`. */
import type { Bus } from '../../bus/bus.ts';
import type { Latency } from '../../sim/latency.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { FreebsdNet } from './net.ts';
import type { Profile } from './profile.ts';
import type { Vnets } from './vnets.ts';

export interface FreebsdKernel {
  readonly sim: Simulation;
  readonly bus: Bus;
  readonly latency: Latency;
  readonly profile: Profile;
  readonly net: FreebsdNet;
  readonly vnets: Vnets;
}
