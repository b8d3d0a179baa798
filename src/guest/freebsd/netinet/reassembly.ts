/**
 * Fragments that wait for the others of their packet, each with a pointer to the interface that it came in by.
 * Source: netinet/ip_reass.c (ipreass_cleanup(), r353635); reference G-9, G-44.
 * What this leaves out: that a packet can come together; here they wait until their time is over.
 */

import { seconds } from '../../../base/time.ts';
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import { Work } from '../../../sim/work.ts';
import { IFF } from '../../uapi/freebsd.ts';
import { PRIORITY } from '../kern/eventhandler.ts';
import { Lock } from '../kern/lock.ts';
import { nullDereference } from '../kern/memory.ts';
import type { LockClass } from '../kern/witness.ts';
import type { Ifnet } from '../net/ifnet.ts';
import { type FreebsdNet, fixed, kernelAssert } from '../net.ts';
import type { Vnet } from '../vnet/vnet.ts';
import type { VnetPart } from '../vnet/vnets.ts';

const IPQ: LockClass = { name: 'IP reassembly', kind: 'mutex' };

/** IPFRAGTTL (netinet/ip.h): 60 half seconds. */
const FRAGMENT_LIFE = seconds(30);

interface Fragment {
  ifp: Ifnet | undefined;
}

/** What a vnet has of them. */
interface FragmentQueue {
  readonly fragments: Fragment[];
  /** When their time is over; armed while there are any. */
  readonly callout: Work;
}

/** The queues of all vnets; a vnet has one while it is constructed. */
export class Reassembly {
  private readonly net: FreebsdNet;
  /** With the lock of the queues. */
  private readonly queues = new Map<Vnet, FragmentQueue>();
  private readonly lock: Lock;
  private readonly initialised: Place;

  constructor(net: FreebsdNet) {
    this.net = net;
    this.lock = new Lock(net.sim, net.witness, IPQ);
    this.initialised = new Place(net.sim);
    this.queues.set(net.vnet0, this.newQueue(net.vnet0));
    if (!fixed(net, 'departure-clears-queues')) return;
    const forget = { name: 'ipreass_cleanup', priority: PRIORITY.FIRST, builtIn: true } as const;
    net.events.preset('ifnet_departure_event', { ...forget, handle: (ifp) => this.forget(ifp) });
  }

  get part(): VnetPart {
    return {
      name: 'ipreass',
      subsystem: 'PROTO_DOMAIN',
      construct: (vnet) => this.construct(vnet),
      destruct: (vnet) => this.destruct(vnet),
      census: (vnet) => {
        const queue = this.queueOf(vnet);
        return { objects: queue?.fragments.length ?? 0, timers: queue?.callout.isPending === true ? 1 : 0 };
      },
    };
  }

  /** A fragment came in: in an epoch section, which ends while the fragment waits. */
  *add(ifp: Ifnet): Task {
    const vnet = yield* ifp.vnet.get();
    yield* this.lock.lock();
    const queue = this.queueOf(vnet);
    queue?.fragments.push({ ifp });
    if (queue !== undefined) yield* queue.callout.schedule(FRAGMENT_LIFE);
    yield* this.lock.unlock();
  }

  /** The time of the fragments of a vnet is over: an error is sent, of the interface that each came in by. */
  *expire(vnet: Vnet): Task {
    const { epoch } = this.net;
    yield* epoch.enter();
    yield* this.lock.lock();
    const fragments = this.queueOf(vnet)?.fragments.splice(0) ?? [];
    yield* this.lock.unlock();
    for (const { ifp } of fragments) {
      if (ifp !== undefined) yield* ifp.memory.use('ipreass_timeout');
    }
    yield* epoch.exit();
  }

  /** A handler of departures. After the vnet's own part has ended there is nothing to go through (G-44). */
  private *forget(ifp: Ifnet): Task {
    if (((yield* ifp.flags.get()) & IFF.RENAMING) !== 0) return;
    const vnet = this.net.curvnet.must;
    yield* this.lock.lock();
    const queue = this.queueOf(vnet);
    if (queue === undefined && !fixed(this.net, 'departure-guarded'))
      nullDereference(this.net.sim, ifp.dev, `V_ipq of ${vnet.name}`, 'ipreass_cleanup');
    for (const fragment of queue?.fragments ?? []) if (fragment.ifp === ifp) fragment.ifp = undefined;
    yield* this.lock.unlock();
  }

  private *construct(vnet: Vnet): Task {
    this.initialised.write();
    this.queues.set(vnet, this.newQueue(vnet));
  }

  /** As a placeholder it does nothing: what is queued stays, and its time comes when there is no such vnet (F-14). */
  private *destruct(vnet: Vnet): Task {
    const queue = this.queueOf(vnet);
    if (queue === undefined || !fixed(this.net, 'destructors-complete')) return;
    yield* queue.callout.cancelSync();
    yield* queue.callout.retire();
    yield* this.lock.lock();
    this.initialised.write();
    this.queues.delete(vnet);
    yield* this.lock.unlock();
  }

  private newQueue(vnet: Vnet): FragmentQueue {
    const callout = new Work(this.net.sim, `fragments of ${vnet.name}`, () => this.timeout(vnet));
    return { fragments: [], callout };
  }

  private *timeout(vnet: Vnet): Task {
    kernelAssert(this.net, vnet.state !== 'destroyed', '', `ipreass_timeout in ${vnet.name}, which is no more`);
    yield* this.net.curvnet.within(vnet, this.expire(vnet));
  }

  private queueOf(vnet: Vnet): FragmentQueue | undefined {
    this.initialised.read();
    return this.queues.get(vnet);
  }
}
