/**
 * Packets in flight: one that waits in a queue remembers the interface that it came in by, as a pointer, or as a number
 * and a generation, and finds it again later. Source: net/netisr.c, kern/uipc_mbuf.c (m_rcvif_serialize(),
 * m_rcvif_restore()); reference A.11, G-24, G-25, F-3.
 */

import type { Task } from '../../sim/operation.ts';
import { Queue } from '../../sim/queue.ts';
import { holdAddress, type IfAddress, releaseAddress } from './ifaddr.ts';
import type { Ifnet } from './ifnet.ts';
import { byIndexGeneration, type IndexGeneration } from './lookup.ts';
import { type FreebsdNet, fixed } from './net.ts';
import type { Vnet } from './vnet.ts';

interface Waiting {
  /** The stack that the packet is in. */
  readonly vnet: Vnet;
  readonly cameBy: { readonly pointer: Ifnet } | IndexGeneration;
  /** The address that it came to, where somebody has looked it up already (a packet tag). */
  readonly cameTo: IfAddress | undefined;
}

export class Netisr {
  private readonly net: FreebsdNet;
  private readonly queue: Queue<Waiting>;

  constructor(net: FreebsdNet) {
    this.net = net;
    this.queue = new Queue(net.sim, 'netisr');
    net.sim.spawn('netisr', 'guest', this.loop(), { daemon: true });
  }

  /**
   * netisr_queue(): in an epoch section, from the input path of the interface. A tag has no reference to the address in
   * it, as nobody can give it back who only copies or drops packets (F-3).
   */
  *defer(ifp: Ifnet, to?: IfAddress): Task {
    const { net } = this;
    const { index, generation } = ifp;
    const cameBy = net.profile.generations ? { index, generation } : { pointer: ifp };
    const keeps = to !== undefined && (!fixed(net, 'address-tags-referenced') || (yield* holdAddress(net, to)));
    yield* this.queue.put({ vnet: yield* ifp.vnet.get(), cameBy, cameTo: keeps ? to : undefined });
  }

  private *loop(): Task {
    const { net } = this;
    for (;;) {
      const packet = yield* this.queue.take();
      yield* net.epoch.enter();
      yield* net.curvnet.within(packet.vnet, this.input(packet));
      yield* net.epoch.exit();
    }
  }

  private *input({ vnet, cameBy, cameTo }: Waiting): Task {
    const { net } = this;
    if (cameTo !== undefined) {
      yield* cameTo.memory.use('ip6_getdstifaddr');
      if (fixed(net, 'address-tags-referenced')) yield* releaseAddress(net, cameTo);
    }
    const ifp = 'pointer' in cameBy ? cameBy.pointer : yield* byIndexGeneration(net, vnet, cameBy);
    if (ifp === undefined) return; // the packet is dropped
    const { dev } = ifp;
    net.sim.trace.emit({ kind: 'packet.input', dev, vnet: vnet.name, interfaceIn: ifp.vnet.now.name });
    yield* ifp.memory.use('netisr');
  }
}
