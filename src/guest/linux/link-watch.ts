/**
 * Tells the kernel and user mode about carrier changes, after the fact. Source: net/core/link_watch.c.
 * A carrier that comes is told at once, and any change of a bond's or of its slave's; one that goes at most once a second
 * for the whole system.
 * What this leaves out: link modes, dormant and testing states, devices on top of others (LOWERLAYERDOWN).
 */

import { type Nanoseconds, seconds } from '../../base/time.ts';
import type { Task } from '../../sim/operation.ts';
import { Place } from '../../sim/place.ts';
import type { Simulation } from '../../sim/simulation.ts';
import { Work } from '../../sim/work.ts';
import { setCarrier } from './device.ts';
import { IFF_BONDING, type Netdev } from './netdev.ts';
import type { Registry } from './registry.ts';

const SPACING = seconds(1);

export class LinkWatch {
  private readonly sim: Simulation;
  private readonly net: Registry;
  private readonly work: Work;
  private pending: Netdev[] = [];
  /** For {@link pending} and {@link nextEvent}. */
  private readonly events: Place;
  private nextEvent: Nanoseconds = 0;

  constructor(sim: Simulation, net: Registry) {
    this.sim = sim;
    this.net = net;
    this.events = new Place(sim);
    this.work = new Work(sim, 'linkwatch', () => this.run());
  }

  /** netif_carrier_on() or off: packet paths see it at once, the rest when the work has run. */
  *carrier(dev: Netdev, up: boolean): Task {
    const changed = yield* setCarrier(this.net, dev, up);
    if (!changed || dev.state !== 'registered') return;
    this.events.write();
    if (!this.pending.includes(dev)) this.pending.push(dev);
    const urgent = up || (dev.running.now && (dev.privFlags & IFF_BONDING) !== 0); // linkwatch_urgent_event()
    const delay = urgent ? 0 : Math.max(0, this.nextEvent - this.sim.now);
    if (delay === 0) yield* this.work.cancel(); // an urgent event does not wait behind one that is not
    yield* this.work.schedule(delay);
  }

  private *run(): Task<undefined> {
    yield* this.net.rtnl.lock();
    this.events.write();
    const pending = this.pending;
    this.pending = [];
    this.nextEvent = this.sim.now + SPACING;
    for (const dev of pending) {
      if (dev.state !== 'registered') continue;
      dev.operstate = dev.carrier.now ? 'up' : 'down'; // rfc2863_policy()
      if (!dev.up) continue;
      yield* this.net.chain.call('NETDEV_CHANGE', dev);
      yield* this.net.rtnetlink.newLink(dev, 'linkwatch');
    }
    yield* this.net.rtnl.unlock();
    return undefined;
  }
}
