/** The modelled machine as a stage: what scenario verbs do to it, and what expectations find. */
import { formatDuration, type Nanoseconds } from '../base/time.ts';
import type { CallFault } from '../guest/linux/faults.ts';
import { IFF } from '../guest/uapi/linux.ts';
import type { GuestCommand } from '../guest/uapi/uapi.ts';
import type { HostAction } from '../host/action.ts';
import { flowStationIp } from '../host/stations.ts';
import type { Machine } from '../machine/machine.ts';
import type { Context } from '../sim/context.ts';
import type { Latency } from '../sim/latency.ts';
import type { Task } from '../sim/operation.ts';
import { Place } from '../sim/place.ts';
import type { Simulation } from '../sim/simulation.ts';
import { WaitCell } from '../sim/wait-cell.ts';
import type { Event, EventKind } from '../trace/event.ts';
import { Flow } from '../user/flows.ts';
import { ipv4Of } from '../wire/ipv4.ts';
import type { Answer, FlowPlan, GuestVerb, Question, Stage } from './stage.ts';
import { TELLING, TOLD_BY } from './told-by.ts';

/** A flow's own address in its NIC's subnet, behind those that are leased. */
const FLOW_HOST = 251;

type Refusal = { readonly refused: string } | undefined;

/** An expectation that waits to hold. */
interface Waiting {
  readonly question: Question;
  readonly cell: WaitCell<Answer>;
}

/** What the scenario waits for first; a report tells who keeps it waiting. */
class Boot extends WaitCell<true> {
  booting: Context | undefined;

  override heldBy(): Context | undefined {
    return this.booting;
  }
}

export class ModelStage implements Stage {
  readonly machine: Machine;
  readonly sim: Simulation;
  private readonly flows = new Map<string, Flow>();
  private readonly waiting = new Set<Waiting>();
  private readonly leases = new Map<string, string>();
  private readonly cloudInit = new Map<string, string>();
  /** What the log has said, each line once. */
  private readonly logs = new Set<string>();
  private readonly awaitBoot: Boot;
  /** What has been told by events of each kind that a question may be about. */
  private readonly told: ReadonlyMap<EventKind, Place>;

  constructor(machine: Machine) {
    this.machine = machine;
    this.sim = machine.sim;
    this.awaitBoot = new Boot(this.sim, 'boot');
    this.told = new Map(TELLING.map((kind) => [kind, new Place(this.sim)]));
    this.sim.trace.listen((event) => this.notice(event), TELLING);
    this.awaitBoot.booting = this.sim.spawn('boot', 'guest', this.boot());
  }

  get latency(): Latency {
    return this.machine.latency;
  }

  *booted(): Task {
    yield* this.awaitBoot.wait();
  }

  host(action: HostAction): Task<Refusal> {
    return this.machine.host.act(action);
  }

  *guest(verb: GuestVerb): Task<Refusal> {
    const command = this.resolve(verb);
    if (command === undefined) return { refused: `${'dev' in verb ? verb.dev : ''} is not there` };
    const done = yield* this.machine.guest.execute(command);
    return done.ok ? undefined : { refused: done.error };
  }

  *failCall(fault: CallFault): Task<Refusal> {
    const { guest } = this.machine;
    if (guest.failCall === undefined) return { refused: 'no call of this guest can be made to fail' };
    guest.failCall(fault);
    return undefined;
  }

  *startFlow(plan: FlowPlan): Task<Refusal> {
    if (this.flows.has(plan.name)) return { refused: `a flow ${plan.name} runs already` };
    const { host, guest } = this.machine;
    const { mac, subnet } = this.machine.nic(plan.nic);
    const address = ipv4Of(10, 0, subnet, FLOW_HOST);
    const spec = { ...plan, dev: plan.nic, mac, address, station: flowStationIp(subnet) };
    const flow = new Flow(this.sim, guest, spec, {
      ifname: () => guest.netdevOf(plan.nic)?.name,
      pathNow: () => guest.pathOf(plan.nic),
    });
    this.flows.set(plan.name, flow);
    if (plan.kind === 'stream') yield* host.startStream({ ...plan, flow: plan.name });
    return undefined;
  }

  *stopFlow(name: string): Task<Refusal> {
    const flow = this.flows.get(name);
    if (flow === undefined) return { refused: `no flow ${name} runs` };
    this.flows.delete(name);
    yield* flow.stop();
    yield* this.machine.host.stopStream(name);
    return undefined;
  }

  *until(question: Question, limit: Nanoseconds): Task<Answer> {
    const now = this.answer(question);
    if (now.holds || limit === 0) return now;
    const cell = new WaitCell<Answer>(this.sim, `expectation within ${formatDuration(limit)}`, limit);
    const waiting = { question, cell };
    this.waiting.add(waiting);
    const answer = yield* cell.wait();
    this.waiting.delete(waiting);
    return answer ?? this.answer(question);
  }

  unread(): ReturnType<NonNullable<Stage['unread']>> {
    const { bus, host } = this.machine;
    return host.openChannels().flatMap(({ dev, firstPfn }) => {
      const rings = bus.pairAt(firstPfn);
      const readers = [
        ...(rings?.toGuest.isEmpty === false ? (['guest'] as const) : []),
        ...(rings?.toHost.isEmpty === false ? (['host'] as const) : []),
      ];
      return readers.map((reader) => ({ dev, reader }));
    });
  }

  *ask(question: Question): Task<Answer> {
    return this.answer(question);
  }

  private answer(question: Question): Answer {
    for (const kind of TOLD_BY[question.ask]) this.told.get(kind)?.write();
    switch (question.ask) {
      case 'datapath':
        return this.askDatapath(question.nic, question.path);
      case 'present':
      case 'up':
      case 'master':
      case 'ifname':
      case 'netns':
      case 'mtu':
      case 'flag':
        return this.askDevice(question);
      case 'lease': {
        const address = this.leases.get(question.dev);
        return { holds: (address !== undefined) === question.held, found: address ?? 'no lease' };
      }
      case 'log': {
        const seen = [...this.logs].some((line) => line.includes(question.text));
        return { holds: seen === question.seen, found: seen ? 'such a line' : 'no such line' };
      }
      case 'cloud-init': {
        const outcome = this.cloudInit.get(question.version);
        return { holds: outcome === question.outcome, found: outcome ?? 'no outcome yet' };
      }
      case 'lost-at-most': {
        const { tx, rx } = this.sim.trace.frames.flow(question.flow);
        if (tx.length + rx.length === 0) return { holds: false, found: 'no frame was sent' };
        const lost = tx.lost().length + rx.lost().length;
        return { holds: lost <= question.frames, found: `${lost} lost` };
      }
      case 'servicing-done': {
        const done = this.machine.host.servicingDone;
        return { holds: done, found: done ? 'done' : 'still under way' };
      }
    }
  }

  private askDatapath(nic: string, path: 'vf' | 'synthetic'): Answer {
    const [guest, host] = [this.machine.guest.pathOf(nic), this.machine.host.pathOf(nic)];
    const found = guest === host ? guest : `guest ${guest}, host ${host}`;
    return { holds: guest === path && host === path, found };
  }

  private askDevice(question: Extract<Question, { readonly dev: string }>): Answer {
    const netdev = this.machine.guest.netdevOf(question.dev);
    if (question.ask === 'present') {
      return { holds: (netdev !== undefined) === question.present, found: netdev === undefined ? 'absent' : 'present' };
    }
    if (netdev === undefined) return { holds: false, found: `no ${question.dev}` };
    switch (question.ask) {
      case 'up':
        return { holds: netdev.up === question.up, found: netdev.up ? 'up' : 'down' };
      case 'master':
        return { holds: netdev.master?.dev === question.master, found: netdev.master?.dev ?? 'no master' };
      case 'ifname':
        return { holds: netdev.name === question.ifname, found: netdev.name };
      case 'netns':
        return { holds: netdev.netns?.name === question.netns, found: netdev.netns?.name ?? 'no namespace' };
      case 'mtu':
        return { holds: netdev.mtu === question.mtu, found: String(netdev.mtu) };
      case 'flag': {
        // SLAVE is asked of Linux alone, and the others are the same bits everywhere.
        const set = (netdev.flags.now & IFF[question.flag]) !== 0;
        return { holds: set === question.set, found: `flags 0x${netdev.flags.now.toString(16)}` };
      }
      default:
        return { holds: false, found: 'nothing' };
    }
  }

  /** A guest command by the interface name of the moment; undefined when the device is not there. */
  private resolve(verb: GuestVerb): GuestCommand | undefined {
    if (!('dev' in verb)) return verb;
    const netdev = this.machine.guest.netdevOf(verb.dev);
    if (netdev === undefined) return undefined;
    const { dev: _, ...rest } = verb;
    if (rest.do === 'reclaim-netns') return { ...rest, ifname: netdev.name }; // by who took it there
    const netns = netdev.netns?.name;
    return netns === undefined ? undefined : { ...rest, ifname: netdev.name, netns };
  }

  private notice(event: Event): void {
    if (event.kind === 'lease') {
      if (event.held) this.leases.set(event.dev, event.address);
      else this.leases.delete(event.dev);
    }
    if (event.kind === 'log') this.logs.add(event.text);
    if (event.kind === 'cloud-init') this.cloudInit.set(event.version, event.outcome);
    const place = this.told.get(event.kind);
    if (place === undefined) return;
    place.read();
    for (const waiting of this.waiting) {
      if (!TOLD_BY[waiting.question.ask].includes(event.kind)) continue;
      const answer = this.answer(waiting.question);
      if (!answer.holds) continue;
      this.waiting.delete(waiting);
      waiting.cell.inject(answer);
    }
  }

  private *boot(): Task {
    yield* this.machine.boot();
    yield* this.awaitBoot.resolve(true);
  }
}
