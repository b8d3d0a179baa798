/**
 * An echo flow in a real guest: its own `ping`, to the station on the switch. The switch counts what arrives there and
 * what it answers; which answers came in, `ping` itself says. Its sequence numbers are the numbers of the frames.
 * Source: busybox ping: `64 bytes from ...: seq=N`, and the counts when it is interrupted; it ends when the kernel refuses
 * a packet. ICMP echo, RFC 792: the number has 16 bits, so that a flow is at most that long.
 */
import { ms } from '../../base/time.ts';
import { flowStationIp } from '../../host/stations.ts';
import type { FlowPlan } from '../../scenario/stage.ts';
import type { Task } from '../../sim/operation.ts';
import type { RealMachine } from '../real-machine.ts';
import { FOLDER } from './guest-files.ts';
import type { RunInGuest } from './guest-record.ts';
import type { GuestInterface } from './interfaces.ts';

/** Ethernet, IPv4 and ICMP headers (RFC 894, 791, 792). */
const HEADERS = 14 + 20 + 8;
/** A flow's own address in its NIC's subnet, behind those that are leased: the model's flows have the same. */
const FLOW_HOST = 251;
const NS_PER_S = 1e9;
/** How long the last answer may take. Invented. */
const LAST_ANSWER = ms(100);

export interface PingCounts {
  /** Why the flow has ended by itself. */
  readonly died: string | undefined;
  readonly lost: number;
  readonly sent: number;
}

export class PingFlow {
  readonly plan: FlowPlan;
  private readonly machine: RealMachine;
  private readonly run: RunInGuest;
  private readonly subnet: number;
  private readonly file: string;
  isRunning = false;
  private heard = 0;

  constructor(machine: RealMachine, run: RunInGuest, plan: FlowPlan) {
    this.machine = machine;
    this.run = run;
    this.plan = plan;
    this.subnet = machine.plan.nics.findIndex(({ name }) => name === plan.nic) + 1;
    this.file = `${FOLDER}/${plan.name}`;
  }

  /** What became of it, in a line. */
  get remark(): string {
    const { tx, rx } = this.machine.sim.trace.frames.flow(this.plan.name);
    const [asked, answers] = [tx.lost().length, rx.lost().length];
    return `flow ${this.plan.name}: ${tx.length} sent, of which ${asked} were lost, and ${answers} of the answers`;
  }

  *start(at: GuestInterface): Task {
    const { name: flow, nic, every, bytes } = this.plan;
    yield* this.machine.host.countPings({ flow, nic });
    const own = `10.0.${this.subnet}.${FLOW_HOST}`;
    const size = Math.max(0, bytes - HEADERS);
    const ping = `ping -I ${own} -s ${size} -i ${every / NS_PER_S} ${flowStationIp(this.subnet)}`;
    const command = `ip addr add ${own}/24 dev ${at.name} 2>/dev/null; ${ping} >${this.file} 2>&1 & echo $! >${this.file}.pid`;
    yield* this.run(at.netns === 'init_net' ? command : `ip netns exec ${at.netns} sh -c '${command}'`);
    this.isRunning = true;
    this.tell('started', `ping to ${flowStationIp(this.subnet)}`);
  }

  *stop(): Task {
    this.isRunning = false;
    yield* this.run(`kill -INT $(cat ${this.file}.pid)`);
    yield* this.machine.sim.sleep(LAST_ANSWER, 'the last answer');
    const { died } = yield* this.count();
    this.tell('stopped', died ?? '');
  }

  /** What became of the frames so far. One that is on its way counts as lost. */
  *count(): Task<PingCounts> {
    const words = `sed -n -e 's/.* seq=\\([0-9]*\\) .*/\\1/p' -e 's/^\\([0-9]*\\) packets transmitted.*/sent \\1/p' -e '/^ping:/p'`;
    const { output } = yield* this.run(`${words} ${this.file}`);
    const lines = output.split('\n').map((line) => line.trim());
    const { tx, rx } = this.machine.sim.trace.frames.flow(this.plan.name);
    const answered = this.machine.host.answeredPings(this.plan.nic);
    const got = lines.filter((line) => /^\d+$/.test(line)).map(Number);
    for (const sequence of got.slice(this.heard)) rx.received(answered.indexOf(sequence));
    this.heard = got.length;
    const sent = Number(lines.find((line) => line.startsWith('sent '))?.slice('sent '.length) ?? 0);
    const { now } = this.machine.sim;
    while (tx.length < sent) tx.sent(now, this.machine.host.pathOf(this.plan.nic));
    const lost = tx.lost().length + rx.lost().length;
    return { died: lines.find((line) => line.startsWith('ping:')), lost, sent: tx.length };
  }

  private tell(state: string, detail: string): void {
    const { name: flow, nic: dev } = this.plan;
    this.machine.sim.trace.emit({ kind: 'flow', flow, dev, state, detail });
  }
}
