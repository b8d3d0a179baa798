/** Uevents of the net subsystem: who listens gets them. Source: lib/kobject_uevent.c, net/core/net-sysfs.c. */
import type { Task } from '../../sim/operation.ts';
import { Queue } from '../../sim/queue.ts';
import type { Simulation } from '../../sim/simulation.ts';
import type { Uevent } from '../uapi/linux.ts';
import type { Netdev } from './netdev.ts';
import type { NetNamespace } from './netns.ts';
import { devpathOf } from './sysfs-path.ts';

export class Uevents {
  private readonly sim: Simulation;
  private readonly listeners: { readonly queue: Queue<Uevent>; readonly where: NetNamespace }[] = [];
  private readonly init: NetNamespace;

  constructor(sim: Simulation, init: NetNamespace) {
    this.sim = sim;
    this.init = init;
  }

  /** @param where the namespace whose devices are heard of. */
  subscribe(name: string, where = this.init): Queue<Uevent> {
    const queue = new Queue<Uevent>(this.sim, `uevents of ${name}`);
    this.listeners.push({ queue, where });
    return queue;
  }

  *emit(action: Uevent['action'], dev: Netdev, nameBefore = dev.name): Task {
    const ifname = action === 'add' ? nameBefore : dev.name;
    const { ifindex } = dev;
    this.sim.trace.emit({ kind: 'uevent', action, dev: dev.dev, ifname, ifindex, flags: dev.flags.now });
    const devpathOld = action === 'move' ? devpathOf(dev, nameBefore) : '';
    const event: Uevent = { action, devpath: devpathOf(dev, ifname), devpathOld, ifname, ifindex, dev: dev.dev };
    for (const { queue, where } of this.listeners) if (where === dev.netns) yield* queue.put(event);
  }
}
