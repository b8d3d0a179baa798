/** /dev/devctl: what the kernel tells devd, one machine-wide channel. Source: kern/subr_bus.c, devctl(4); reference A.4. */
import { Place } from '../../../sim/place.ts';
import { Queue } from '../../../sim/queue.ts';
import type { Simulation } from '../../../sim/simulation.ts';
import type { DevctlNotice } from '../../uapi/freebsd.ts';

export class Devctl {
  private readonly sim: Simulation;
  private readonly listeners: Queue<DevctlNotice>[] = [];
  /** For {@link listeners}. */
  private readonly order: Place;

  constructor(sim: Simulation) {
    this.sim = sim;
    this.order = new Place(sim);
  }

  subscribe(name: string): Queue<DevctlNotice> {
    this.order.write();
    const queue = new Queue<DevctlNotice>(this.sim, `${name}.devctl`);
    this.listeners.push(queue);
    return queue;
  }

  /** devctl_notify(). */
  notify(notice: DevctlNotice): void {
    this.order.read();
    this.sim.trace.emit({ kind: 'devctl', ...notice });
    for (const queue of this.listeners) queue.inject(notice);
  }
}
