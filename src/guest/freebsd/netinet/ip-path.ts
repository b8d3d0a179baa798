/**
 * The way of a packet through IP, as far as locks are held on it: filters, the firewall and its divert rule, IPsec,
 * multicast. Source: netinet/ip_input.c, ip_output.c, net/pfil.c, netipsec/ipsec_output.c, netinet/igmp.c as they were
 * when lock orders 163, 181, 202 and 203 were reported (seed 003); reference F-10. Which lock is held over which call is
 * from memory.
 * What this leaves out: everything else that a packet is, and where it goes.
 */
import type { Context } from '../../../sim/context.ts';
import type { Task } from '../../../sim/operation.ts';
import { Place } from '../../../sim/place.ts';
import { Lock } from '../kern/lock.ts';
import type { LockClass } from '../kern/witness.ts';
import type { FreebsdNet } from '../net.ts';

const PFIL: LockClass = { name: 'PFil hook read/write mutex', kind: 'rm' };
const FIREWALL: LockClass = { name: 'IPFW static rules', kind: 'rm' };
const IPSEC: LockClass = { name: 'ipsec request', kind: 'mutex' };
const MULTICAST: LockClass = { name: 'in_multi_mtx', kind: 'mutex' };

export interface IpPacket {
  /** A policy of IPsec holds for it. */
  readonly isProtected?: true;
  /** It came out of a divert socket: the rule that sent it there does not take it again. */
  readonly wasDiverted?: true;
}

/** Whom the firewall's divert rule gives packets to; called with the firewall's locks. */
type DivertRule = (packet: IpPacket) => Task;

export class IpPath {
  private readonly pfil: Lock;
  private readonly firewall: Lock;
  private readonly ipsec: Lock;
  private readonly multicast: Lock;
  private divertRule: DivertRule | undefined;
  /** For the rule. */
  private readonly rules: Place;
  /** How deep each thread is in IP. A thread's own. */
  private readonly depths = new Map<Context, number>();
  private readonly net: FreebsdNet;
  private reentered = 0;
  private readonly counter: Place;

  constructor(net: FreebsdNet) {
    this.net = net;
    const lock = (of: LockClass): Lock => new Lock(net.sim, net.witness, of);
    this.pfil = lock(PFIL);
    this.firewall = lock(FIREWALL);
    this.ipsec = lock(IPSEC);
    this.multicast = lock(MULTICAST);
    this.rules = new Place(net.sim);
    this.counter = new Place(net.sim);
  }

  /** A rule that diverts whatever did not come out of a divert socket. */
  divertTo(rule: DivertRule): void {
    this.rules.write();
    this.divertRule = rule;
  }

  /** pfil_hooked_in(): whether there is anybody who wants to see packets. */
  get isFiltered(): boolean {
    this.rules.read();
    return this.divertRule !== undefined;
  }

  /** How often input was entered by a thread that was in IP already. */
  get reentries(): number {
    this.counter.read();
    return this.reentered;
  }

  /** ip_input(). */
  *input(packet: IpPacket): Task {
    if (this.depth > 0) {
      this.counter.write();
      this.reentered++;
    }
    yield* this.deeper(this.filter(packet));
  }

  /** ip_output(); `toGroup`: the sender has multicast options, which are looked up in the list of memberships. */
  *output(packet: IpPacket, { toGroup = false } = {}): Task {
    yield* this.deeper(this.send(packet, toGroup));
  }

  /** igmp_fasttimo(): a report of memberships is sent with the lock of their list. */
  *reportMemberships(): Task {
    yield* this.multicast.lock();
    yield* this.output({});
    yield* this.multicast.unlock();
  }

  /** What a thread does within IP: whoever enters input from there re-enters it. */
  *deeper(task: Task): Task {
    const { current } = this.net.sim;
    if (current === undefined) return;
    const before = this.depths.get(current) ?? 0;
    this.depths.set(current, before + 1);
    yield* task;
    if (before === 0) this.depths.delete(current);
    else this.depths.set(current, before);
  }

  private get depth(): number {
    const { current } = this.net.sim;
    return current === undefined ? 0 : (this.depths.get(current) ?? 0);
  }

  private *send(packet: IpPacket, toGroup: boolean): Task {
    if (toGroup) {
      yield* this.multicast.lock();
      yield* this.multicast.unlock();
    }
    if (packet.isProtected !== true) return yield* this.filter(packet);
    yield* this.ipsec.lock(); // ipsec4_process_packet() holds its request while the result goes out
    yield* this.output(packet.wasDiverted === true ? { wasDiverted: true } : {});
    yield* this.ipsec.unlock();
  }

  /** pfil_run_hooks() and ipfw_chk(): the rule is carried out under both locks. */
  private *filter(packet: IpPacket): Task {
    yield* this.pfil.lockShared();
    yield* this.firewall.lockShared();
    this.rules.read();
    if (this.divertRule !== undefined && packet.wasDiverted !== true) yield* this.divertRule(packet);
    yield* this.firewall.unlockShared();
    yield* this.pfil.unlockShared();
  }
}
