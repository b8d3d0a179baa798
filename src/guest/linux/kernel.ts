/** What every part of the modelled Linux kernel stands on. Made once a machine, by `linux-guest.ts`. */
import type { Bus } from '../../bus/bus.ts';
import type { Latency } from '../../sim/latency.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { LogLevel } from '../../trace/event.ts';
import type { VmbusClient } from '../hv/vmbus-client.ts';
import type { CallFaults } from './faults.ts';
import type { LinkWatch } from './link-watch.ts';
import type { Netdev } from './netdev.ts';
import type { PciCore } from './pci-core.ts';
import type { Fix, Profile } from './profile.ts';
import type { Registry } from './registry.ts';
import type { VmbusCore } from './vmbus-core.ts';

export interface LinuxKernel {
  readonly sim: Simulation;
  readonly bus: Bus;
  readonly latency: Latency;
  readonly profile: Profile;
  readonly faults: CallFaults;
  readonly net: Registry;
  readonly linkWatch: LinkWatch;
  readonly vmbus: VmbusClient;
  readonly vmbusCore: VmbusCore;
  readonly pci: PciCore;
}

export const fixed = (kernel: LinuxKernel, fix: Fix): boolean => kernel.profile.fixes.has(fix);

/** netdev_err() and its kin: the line without the driver's prefix. */
export function logAbout(kernel: LinuxKernel, netdev: Netdev, level: LogLevel, text: string): void {
  kernel.sim.trace.emit({ kind: 'log', level, dev: netdev.dev, text });
}

/** dev_err() and its kin, for a device that is no network interface. */
export function log(kernel: LinuxKernel, dev: string, level: LogLevel, text: string): void {
  kernel.sim.trace.emit({ kind: 'log', level, dev, text });
}
