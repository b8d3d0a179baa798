/**
 * A real kernel as a stage: host actions go to the same host as in the model, guest verbs become commands in the guest,
 * and questions are answered by what host and guest show.
 * The guest's own account of a run (its log, and what {@link ./guest-record.ts} keeps) is told when the run is over, with
 * the host's events in the order of their moments.
 */
import { formatDuration, ms, type Nanoseconds, seconds } from '../../base/time.ts';
import { IFF } from '../../guest/uapi/linux.ts';
import type { HostAction } from '../../host/action.ts';
import type { Plan } from '../../machine/plan.ts';
import type { Answer, FlowPlan, GuestVerb, Question, Stage } from '../../scenario/stage.ts';
import type { Task } from '../../sim/operation.ts';
import type { RunLimits, Simulation, Stop } from '../../sim/simulation.ts';
import type { Event, Path } from '../../trace/event.ts';
import type { Recorder } from '../../trace/recorder.ts';
import { isAnswered } from '../agent.ts';
import type { RealMachine } from '../real-machine.ts';
import { Devices } from './devices.ts';
import { commandOf, moduleOf, refusalOf } from './guest-commands.ts';
import { type GuestInterface, INSTALL_INTERFACES, LIST_INTERFACES, readInterfaces } from './interfaces.ts';
import { type KernelLine, kernelText, logLine, saidBy } from './kernel-log.ts';
import { START_MANAGER } from './manager.ts';

type Refusal = { readonly refused: string } | undefined;

/** Between two looks at what is waited for. Invented. */
const LOOK_EVERY = ms(20);
/** A guest with timers of its own never comes to rest, so that a run ends a while behind its last step. Invented. */
const SETTLING = seconds(3);

export class RealStage implements Stage {
  readonly sim: Simulation;
  readonly settling = SETTLING;
  readonly machine: RealMachine;
  private readonly plan: Plan;
  private readonly trace: Recorder;
  private readonly devices: Devices;
  private readonly events: Event[] = [];
  private readonly log: KernelLine[] = [];
  private readonly paths = new Map<string, Path>();
  private end: Stop | 'dead' | undefined;

  /** `machine` has a recorder of its own; all is told to `trace` when the run is over. */
  constructor(machine: RealMachine, plan: Plan, trace: Recorder) {
    this.machine = machine;
    this.plan = plan;
    this.sim = machine.sim;
    this.trace = trace;
    this.devices = new Devices(machine);
    this.sim.trace.listen((event) => this.events.push(event));
    machine.console.lineListeners.push(({ at, text }) => this.hear(at, text));
    trace.stampedBy(() => ({ time: this.sim.clock.now, step: this.sim.steps, context: 'end' }));
  }

  get death(): Stage['death'] {
    if (this.end !== 'dead') return undefined;
    const { panic } = this.machine;
    const what = panic === undefined ? 'the guest hangs' : 'panic';
    return {
      what,
      found: [panic ?? 'its processor sleeps with interrupts off', ...this.machine.console.tail()].join('\n'),
    };
  }

  run({ until = Number.MAX_SAFE_INTEGER, stepsMax = Number.MAX_SAFE_INTEGER, enough }: RunLimits): Stop {
    const { machine, sim } = this;
    if (this.end === 'dead') return 'idle';
    const end = machine.runUntil(() => sim.steps >= stepsMax || enough?.() === true, { time: until - machine.now });
    if (end === 'time') return 'until';
    if (end === 'held') return sim.steps >= stepsMax ? 'steps' : 'asked';
    this.end = 'dead';
    return 'idle';
  }

  *booted(): Task {
    yield* this.command('dmesg -n 8');
    yield* this.command(INSTALL_INTERFACES);
    if (this.plan.user.includes('manager')) for (const line of START_MANAGER) yield* this.command(line);
    const modules = new Set(this.plan.modules.flatMap((module) => moduleOf(module) ?? []));
    for (const module of modules) yield* this.command(`modprobe ${module}`);
  }

  host(action: HostAction): Task<Refusal> {
    return this.machine.host.act(action);
  }

  *guest(verb: GuestVerb): Task<Refusal> {
    const at = 'dev' in verb ? yield* this.interfaceOf(verb.dev) : undefined;
    if ('dev' in verb && at === undefined) return { refused: `${verb.dev} is not there` };
    const command = commandOf(verb, at);
    if (command === undefined) return undefined;
    const { code, output } = yield* this.command(command);
    return code === 0 ? undefined : { refused: refusalOf(output) };
  }

  *startFlow(flow: FlowPlan): Task<Refusal> {
    return { refused: `${flow.kind} flows do not run here yet` };
  }

  *stopFlow(name: string): Task<Refusal> {
    return { refused: `no flow ${name} runs` };
  }

  *until(question: Question, limit: Nanoseconds): Task<Answer> {
    const last = this.sim.now + limit;
    for (;;) {
      const answer = yield* this.ask(question);
      if (answer.holds || this.sim.now >= last) return answer;
      yield* this.sim.sleep(Math.min(LOOK_EVERY, last - this.sim.now), `a look within ${formatDuration(limit)}`);
    }
  }

  *ask(question: Question): Task<Answer> {
    switch (question.ask) {
      case 'datapath':
        return this.askDatapath(question.nic, question.path);
      case 'log': {
        const seen = this.log.some(({ text }) => text.includes(question.text));
        return { holds: seen === question.seen, found: seen ? 'such a line' : 'no such line' };
      }
      case 'servicing-done': {
        const done = this.machine.host.servicingDone;
        return { holds: done, found: done ? 'done' : 'still under way' };
      }
      case 'lost-at-most':
      case 'cloud-init':
        return { holds: false, found: 'nobody who could be asked' };
      default:
        return yield* this.askDevice(question);
    }
  }

  conclude(): void {
    const { trace } = this;
    const told = [...this.events, ...this.logEvents()].sort((a, b) => a.time - b.time);
    let now: Event | undefined;
    trace.stampedBy(() => now ?? { time: this.sim.clock.now, step: this.sim.steps, context: 'end' });
    for (const event of told) {
      now = event;
      trace.emit({ ...event });
    }
    now = undefined;
  }

  private logEvents(): readonly Event[] {
    return this.log.flatMap(({ at: time, text }) => {
      const line = logLine(text, this.devices);
      const stamp = { time, step: this.stepAt(time), context: 'kernel log' };
      const log = { ...stamp, kind: 'log', level: 'info', dev: line.dev, text: line.text } as const;
      return [log, ...saidBy(line).map((body) => ({ ...stamp, ...body }))];
    });
  }

  private stepAt(time: Nanoseconds): number {
    let step = 0;
    for (const event of this.events) {
      if (event.time > time) break;
      step = event.step;
    }
    return step;
  }

  private askDatapath(nic: string, path: Path): Answer {
    const [guest, host] = [this.paths.get(nic) ?? 'synthetic', this.machine.host.pathOf(nic)];
    return { holds: guest === path && host === path, found: guest === host ? guest : `guest ${guest}, host ${host}` };
  }

  private *askDevice(question: Extract<Question, { readonly dev: string }>): Task<Answer> {
    const all = yield* this.interfaces();
    const found = all.find((one) => this.devices.devOf(one) === question.dev);
    if (question.ask === 'present') {
      return { holds: (found !== undefined) === question.present, found: found === undefined ? 'absent' : 'present' };
    }
    if (found === undefined) {
      const isFree = question.ask === 'lease' && !question.held;
      return { holds: isFree, found: `no ${question.dev}` };
    }
    switch (question.ask) {
      case 'up': {
        const up = (found.flags & IFF.UP) !== 0;
        return { holds: up === question.up, found: up ? 'up' : 'down' };
      }
      case 'master': {
        const master = all.find(({ ifindex, netns }) => ifindex === found.master && netns === found.netns);
        const dev = master && (this.devices.devOf(master) ?? master.name);
        return { holds: dev === question.master, found: dev ?? 'no master' };
      }
      case 'ifname':
        return { holds: found.name === question.ifname, found: found.name };
      case 'netns':
        return { holds: found.netns === question.netns, found: found.netns };
      case 'mtu':
        return { holds: found.mtu === question.mtu, found: String(found.mtu) };
      case 'lease':
        return { holds: (found.lease !== undefined) === question.held, found: found.lease ?? 'no lease' };
      case 'flag': {
        const set = (found.flags & IFF[question.flag]) !== 0;
        return { holds: set === question.set, found: `flags 0x${found.flags.toString(16)}` };
      }
      default:
        return { holds: false, found: 'nothing' };
    }
  }

  private *interfaces(): Task<readonly GuestInterface[]> {
    return readInterfaces((yield* this.command(LIST_INTERFACES)).output);
  }

  private *interfaceOf(dev: string): Task<GuestInterface | undefined> {
    return (yield* this.interfaces()).find((one) => this.devices.devOf(one) === dev);
  }

  private *command(line: string): Task<{ readonly code: number; readonly output: string }> {
    const outcome = yield* this.machine.agent.run(line);
    return isAnswered(outcome) ? outcome : { code: -1, output: `${outcome.problem}: ${line}` };
  }

  private hear(at: Nanoseconds, printed: string): void {
    const text = kernelText(printed);
    if (text === undefined) return;
    this.log.push({ at, text });
    for (const said of saidBy(logLine(text, this.devices))) {
      if (said.kind === 'guest.datapath') this.paths.set(said.nic, said.path);
      // Without a VF there is no other path, whatever the driver remembers.
      if (said.kind === 'netvsc.vf' && !said.joined) this.paths.set(said.nic, 'synthetic');
    }
  }
}
