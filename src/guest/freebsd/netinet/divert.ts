/**
 * divert(4): the firewall gives packets to a socket, and whoever reads them there writes them back, out or in. Its locks
 * were held meanwhile over all that output and input come to (reference F-10, G-15). Source: netinet/ip_divert.c
 * (divert_packet(), div_output()) before and after the commits that seed 003 names, from memory.
 * What this leaves out: ports (there is one socket), and what is done to a packet between its reading and its writing.
 */
import type { Task } from '../../../sim/operation.ts';
import { Queue } from '../../../sim/queue.ts';
import type { Errno } from '../../uapi/errno.ts';
import { Lock } from '../kern/lock.ts';
import type { LockClass } from '../kern/witness.ts';
import type { Netisr } from '../net/netisr.ts';
import { type FreebsdNet, fixed, refuse } from '../net.ts';
import type { IpPacket, IpPath } from './ip-path.ts';

/** The lock of all divert sockets, and that of each. A thread that comes back takes them once more (MTX_RECURSE). */
const PCB_INFO: LockClass = { name: 'div', kind: 'mutex', recursive: true };
const PCB: LockClass = { name: 'divinp', kind: 'mutex', recursive: true };

export class DivertSocket {
  /** What was diverted and waits to be read. */
  readonly received: Queue<IpPacket>;
  private readonly net: FreebsdNet;
  private readonly netisr: Netisr;
  private readonly ip: IpPath;
  private readonly pcbInfoLock: Lock;
  private readonly pcbLock: Lock;
  /** Whether it has multicast options; with its lock. */
  private toGroup = false;

  constructor(net: FreebsdNet, netisr: Netisr, ip: IpPath) {
    this.net = net;
    this.netisr = netisr;
    this.ip = ip;
    this.received = new Queue(net.sim, 'packets of a divert socket');
    this.pcbInfoLock = new Lock(net.sim, net.witness, PCB_INFO);
    this.pcbLock = new Lock(net.sim, net.witness, PCB);
    ip.divertTo((packet) => this.take(packet));
  }

  /** IP_ADD_MEMBERSHIP and its kin: EOPNOTSUPP where a divert socket has no such options. */
  *setMulticastOptions(): Task<Errno | undefined> {
    if (fixed(this.net, 'divert-no-multicast')) return refuse(this.net, '', 'IP_ADD_MEMBERSHIP', 'EOPNOTSUPP');
    yield* this.pcbLock.lock();
    this.toGroup = true;
    yield* this.pcbLock.unlock();
    return undefined;
  }

  /** div_output(): a packet goes on, out or in, from where it was diverted. */
  *send(packet: IpPacket, way: 'out' | 'in'): Task {
    yield* this.ip.deeper(this.inject({ ...packet, wasDiverted: true }, way));
  }

  private *inject(packet: IpPacket, way: 'out' | 'in'): Task {
    const letsGo = fixed(this.net, 'divert-unlocked-output');
    yield* this.pcbInfoLock.lock();
    yield* this.pcbLock.lock();
    const { toGroup } = this;
    if (letsGo) yield* this.unlock();
    if (way === 'out') yield* this.ip.output(packet, { toGroup });
    else if (fixed(this.net, 'divert-input-queued')) yield* this.netisr.queue(this.net.vnet0, this.ip.input(packet));
    else yield* this.ip.input(packet);
    if (!letsGo) yield* this.unlock();
  }

  private *unlock(): Task {
    yield* this.pcbLock.unlock();
    yield* this.pcbInfoLock.unlock();
  }

  /** divert_packet(): under whatever locks the rule was found. */
  private *take(packet: IpPacket): Task {
    yield* this.pcbInfoLock.lock();
    yield* this.pcbLock.lock();
    yield* this.received.put(packet);
    yield* this.unlock();
  }
}
