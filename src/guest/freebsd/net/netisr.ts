/**
 * Packets in flight: one that waits in a queue remembers the interface that it came in by, as a pointer, or as a number
 * and a generation, and finds it again later. Source: net/netisr.c, kern/uipc_mbuf.c (m_rcvif_serialize(),
 * m_rcvif_restore()); reference A.11, G-24, G-25, F-3.
 * What this leaves out: a thread for each processor, and a policy for each protocol.
 */

import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import { Queue } from '../../../sim/queue.ts';
import { type FreebsdNet, fixed } from '../net.ts';
import { holdAddress, type IfAddress, releaseAddress } from '../netinet/ifaddr.ts';
import type { Vnet } from '../vnet/vnet.ts';
import type { Ifnet } from './ifnet.ts';
import { byIndexGeneration, type IndexGeneration } from './lookup.ts';

/** What a packet remembers of its interface. */
type CameBy = { readonly pointer: Ifnet } | IndexGeneration;

/** What is done with a packet that has waited. */
interface Deferred {
  /** The address that it came to, where somebody has looked it up already (a packet tag). */
  readonly to?: IfAddress;
  /** With the interface that it came in by, where that is found again. */
  readonly input?: (ifp: Ifnet) => Task;
}

interface Waiting {
  /** The stack that the packet is in. */
  readonly vnet: Vnet;
  /** What the thread does with it. */
  readonly input: Task;
}

export class Netisr {
  private readonly net: FreebsdNet;
  private readonly waiting: Queue<Waiting>;
  private policy: 'direct' | 'deferred' = 'direct';
  /** For the policy. */
  private readonly dispatch: Place;

  constructor(net: FreebsdNet) {
    this.net = net;
    this.waiting = new Queue(net.sim, 'netisr');
    this.dispatch = new Place(net.sim);
    net.sim.spawn('netisr', 'guest', this.loop(), { daemon: true });
  }

  /** net.isr.dispatch: whether whoever takes a packet in leaves it to this thread. */
  get isDeferring(): boolean {
    this.dispatch.read();
    return this.policy === 'deferred';
  }

  setDispatch(policy: 'direct' | 'deferred'): void {
    this.dispatch.write();
    this.policy = policy;
  }

  /**
   * netisr_queue(): in an epoch section, from the input path of the interface. A tag has no reference to the address in
   * it, as nobody can give it back who only copies or drops packets (F-3).
   */
  *defer(ifp: Ifnet, { to, input }: Deferred = {}): Task {
    const { net } = this;
    const { index, generation } = ifp;
    const cameBy = net.profile.generations ? { index, generation } : { pointer: ifp };
    const keeps = to !== undefined && (!fixed(net, 'address-tags-referenced') || (yield* holdAddress(net, to)));
    const vnet = yield* ifp.vnet.get();
    yield* this.queue(
      vnet,
      this.input(vnet, cameBy, { ...(keeps ? { to } : {}), ...(input === undefined ? {} : { input }) }),
    );
  }

  /** The same for a packet that has no interface to remember: what its sender would have done with it is done later. */
  *queue(vnet: Vnet, input: Task): Task {
    yield* this.waiting.put({ vnet, input });
  }

  private *loop(): Task {
    const { net } = this;
    for (;;) {
      const { vnet, input } = yield* this.waiting.take();
      yield* net.epoch.enter();
      yield* net.curvnet.within(vnet, input);
      yield* net.epoch.exit();
    }
  }

  private *input(vnet: Vnet, cameBy: CameBy, { to: cameTo, input }: Deferred): Task {
    const { net } = this;
    if (cameTo !== undefined) {
      yield* cameTo.memory.use('ip6_getdstifaddr');
      if (fixed(net, 'address-tags-referenced')) yield* releaseAddress(net, cameTo);
    }
    const ifp = 'pointer' in cameBy ? cameBy.pointer : yield* byIndexGeneration(net, vnet, cameBy);
    if (ifp === undefined) return; // the packet is dropped
    const { dev } = ifp;
    net.sim.trace.emit({ kind: 'packet.input', dev, vnet: vnet.name, interfaceIn: ifp.vnet.now.name });
    if ((yield* ifp.memory.use('netisr')) && input !== undefined) yield* input(ifp);
  }
}
