/**
 * A real kernel as a stage: host actions go to the same host as in the model, guest verbs become commands in the guest,
 * and questions are answered by what host and guest show.
 * The guest's own account of a run ({@link ./guest-record.ts}) is read and told when the run is over, with the host's
 * events in the order of their moments.
 */
import { formatDuration, ms, type Nanoseconds, seconds } from '../../base/time.ts';
import type { HostAction } from '../../host/action.ts';
import type { Plan } from '../../machine/plan.ts';
import type { Answer, FlowPlan, GuestVerb, Question, Stage } from '../../scenario/stage.ts';
import type { Task } from '../../sim/operation.ts';
import type { RunLimits, Simulation, Stop } from '../../sim/simulation.ts';
import type { Event, Path } from '../../trace/event.ts';
import type { Recorder } from '../../trace/recorder.ts';
import type { RealMachine } from '../real-machine.ts';
import { sayEnd } from '../run-end.ts';
import { answerOf } from './answers.ts';
import { Devices } from './devices.ts';
import { commandOf, moduleOf, refusalOf } from './guest-commands.ts';
import { GuestEvents } from './guest-events.ts';
import type { GuestAccount, RecordEntry } from './guest-record.ts';
import { type GuestInterface, LIST_INTERFACES, readInterfaces } from './interfaces.ts';
import { Jobs } from './jobs.ts';
import { type KernelLine, kernelText, logLine, saidBy } from './kernel-log.ts';
import { START_MANAGER } from './manager.ts';
import { PingFlow } from './ping-flow.ts';
import type { PreparedGuest } from './prepared-guest.ts';

type Refusal = { readonly refused: string } | undefined;

/** Between two looks whether host or guest have said anything, and before the guest is asked although they have not. */
const [LOOK_EVERY, ASK_AGAIN] = [ms(10), ms(200)];
/** A guest with timers of its own never comes to rest, so that a run ends a while behind its last step. Invented. */
const SETTLING = seconds(3);
/** How long the guest may take to hand its record over. Invented. */
const READING = seconds(30);
const HOME = 'init_net';

export class RealStage implements Stage {
  readonly sim: Simulation;
  readonly settling = SETTLING;
  readonly machine: RealMachine;
  /** The guest's own record of the run; there when the run is over. */
  account: GuestAccount | undefined;
  private readonly guestPart: PreparedGuest;
  private readonly plan: Plan;
  private readonly trace: Recorder;
  private readonly devices: Devices;
  private readonly jobs: Jobs;
  /** Of the host and its bus, as they came. */
  protected readonly events: Event[] = [];
  private readonly log: KernelLine[] = [];
  private readonly flows = new Map<string, PingFlow>();
  private readonly paths = new Map<string, Path>();
  /** Where devices were sent, newest last: the kernel's record has namespaces by their addresses only. */
  private readonly moves: { readonly at: Nanoseconds; readonly to: string }[] = [];
  /** Grows with each thing that is said. */
  private heard = 0;
  private end: { readonly what: string; readonly found: string } | undefined;

  /** The machine has a recorder of its own; all is told to `trace` when the run is over. */
  constructor(guest: PreparedGuest, plan: Plan, trace: Recorder) {
    this.guestPart = guest;
    this.machine = guest.machine;
    this.plan = plan;
    this.sim = this.machine.sim;
    this.trace = trace;
    this.devices = new Devices(this.machine);
    this.jobs = new Jobs(this.sim, (line) => guest.run(line));
    this.sim.trace.listen((event) => {
      this.events.push(event);
      this.heard++;
    });
    for (const { at, text } of this.machine.console.lines) this.hear(at, text);
    this.machine.console.lineListeners.push(({ at, text }) => this.hear(at, text));
    trace.stampedBy(() => this.now());
  }

  /** What is to be said of the run beside its verdict: where its record has holes, and what became of its flows. */
  get remarks(): readonly string[] {
    const { record } = this.guestPart;
    const remarks = [...this.flows.values()].map((flow) => flow.remark);
    if (this.unseen !== undefined) remarks.push(this.unseen);
    if (record.missing.length > 0) remarks.push(`the kernel lets nobody see: ${record.missing.join(', ')}`);
    return remarks;
  }

  get unseen(): string | undefined {
    const { problem } = this.guestPart.record;
    if (problem !== undefined) return `no record of the guest's kernel: ${problem}`;
    if (this.account === undefined) return "the record of the guest's kernel could not be read";
    const { lost } = this.account;
    return lost > 0 ? `the record of the guest's kernel has lost its first ${lost} entries` : undefined;
  }

  get death(): Stage['death'] {
    if (this.end === undefined) return undefined;
    const { what, found } = this.end;
    return { what, found: [found, ...this.machine.console.tail()].join('\n') };
  }

  run({ until = Number.MAX_SAFE_INTEGER, stepsMax = Number.MAX_SAFE_INTEGER, enough }: RunLimits): Stop {
    const { machine, sim, guestPart } = this;
    if (this.end !== undefined) return 'idle';
    const isOver = (): boolean => sim.steps >= stepsMax || guestPart.unanswered !== undefined || enough?.() === true;
    const end = machine.runUntil(isOver, { time: until - machine.now });
    if (end !== 'held' && end !== 'time' && end !== 'slices') {
      this.end = { what: end === 'panic' ? 'panic' : 'the guest has ended', found: sayEnd(machine, end) };
    }
    if (guestPart.unanswered !== undefined) {
      this.end ??= { what: 'the guest hangs', found: `its shell does not answer: ${guestPart.unanswered}` };
    }
    if (this.end !== undefined) return 'idle';
    if (end === 'time') return 'until';
    return sim.steps >= stepsMax ? 'steps' : 'asked';
  }

  *booted(): Task {
    const modules = new Set(this.plan.modules.flatMap((module) => moduleOf(module) ?? []));
    yield* this.guestPart.run([...modules].map((module) => `modprobe ${module}`).join('; '));
    yield* this.guestPart.record.watchDrivers();
    if (this.plan.user.includes('manager')) yield* this.guestPart.run(START_MANAGER);
  }

  host(action: HostAction): Task<Refusal> {
    return this.machine.host.act(action);
  }

  *guest(verb: GuestVerb): Task<Refusal> {
    const at = 'dev' in verb ? yield* this.interfaceOf(verb.dev) : undefined;
    if ('dev' in verb && at === undefined) return { refused: `${verb.dev} is not there` };
    const command = commandOf(verb, at);
    if (command === undefined) return undefined;
    if (verb.do === 'move-netns') this.moves.push({ at: this.sim.now, to: verb.to });
    if (verb.do === 'delete-netns') this.moves.push({ at: this.sim.now, to: HOME });
    const { code, output } = yield* this.jobs.do(command);
    if (verb.do === 'load') yield* this.guestPart.record.watchDrivers();
    return code === 0 ? undefined : { refused: refusalOf(output) };
  }

  /** A stream is left out, which was said before the run. */
  *startFlow(plan: FlowPlan): Task<Refusal> {
    if (plan.kind === 'stream') return undefined;
    const sameNic = [...this.flows.values()].find((flow) => flow.isRunning && flow.plan.nic === plan.nic);
    if (sameNic !== undefined) return { refused: `${sameNic.plan.name} pings from ${plan.nic} already` };
    const at = yield* this.interfaceOf(plan.nic);
    if (at === undefined) return { refused: `${plan.nic} is not there` };
    const flow = new PingFlow(this.machine, (line) => this.guestPart.run(line), plan);
    this.flows.set(plan.name, flow);
    yield* flow.start(at);
    return undefined;
  }

  *stopFlow(name: string): Task<Refusal> {
    const flow = this.flows.get(name);
    if (flow?.isRunning === true) yield* flow.stop();
    return undefined;
  }

  *until(question: Question, limit: Nanoseconds): Task<Answer> {
    const { sim } = this;
    const last = sim.now + limit;
    for (;;) {
      const heard = this.heard;
      const answer = yield* this.ask(question);
      if (answer.holds || sim.now >= last) return answer;
      const next = Math.min(last, sim.now + ASK_AGAIN);
      do yield* sim.sleep(Math.min(LOOK_EVERY, last - sim.now), `a look within ${formatDuration(limit)}`);
      while (this.heard === heard && sim.now < next);
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
        return yield* this.askLost(question.flow, question.frames);
      case 'cloud-init':
        return { holds: false, found: 'nobody who could be asked' };
      default:
        return answerOf(question, yield* this.interfaces(), (one) => this.devices.devOf(one));
    }
  }

  conclude(): void {
    if (this.end === undefined) {
      const read = this.machine.runTask('guest record', this.guestPart.record.read(), { time: READING });
      if (read.ok) this.account = read.value;
    }
    const told = [...this.events, ...this.guestEvents()].sort((a, b) => a.time - b.time);
    let now: Event | undefined;
    this.trace.stampedBy(() => now ?? this.now());
    for (const event of told) {
      now = event;
      this.trace.emit({ ...event });
    }
    now = undefined;
    const { panic } = this.machine;
    if (panic !== undefined) this.trace.emit({ kind: 'panic', dev: '', what: panic });
  }

  private now(): { readonly time: Nanoseconds; readonly step: number; readonly context: string } {
    return { time: this.sim.clock.now, step: this.sim.steps, context: 'end' };
  }

  /** From the record what it has, and from the console what came before it, or all where there is none. */
  private guestEvents(): readonly Event[] {
    const { devices, machine } = this;
    const events = new GuestEvents({ devices, release: this.guestPart.release, netnsAt: ({ at }) => this.netnsAt(at) });
    const entries = this.account?.entries ?? [];
    const begun = entries[0]?.at ?? machine.now;
    const early = this.log
      .filter(({ at }) => at < begun)
      .map(({ at, text }): RecordEntry => ({ at, text, what: 'log', task: 'kernel' }));
    return events.tell([...early, ...entries], ({ at }) => this.stepAt(at));
  }

  private netnsAt(at: Nanoseconds): string {
    return this.moves.findLast((move) => move.at <= at)?.to ?? HOME;
  }

  private stepAt(time: Nanoseconds): number {
    return this.events.findLast((event) => event.time <= time)?.step ?? 0;
  }

  private askDatapath(nic: string, path: Path): Answer {
    const [guest, host] = [this.paths.get(nic) ?? 'synthetic', this.machine.host.pathOf(nic)];
    return { holds: guest === path && host === path, found: guest === host ? guest : `guest ${guest}, host ${host}` };
  }

  private *askLost(name: string, most: number): Task<Answer> {
    const flow = this.flows.get(name);
    if (flow === undefined) return { holds: false, found: `no flow ${name}` };
    const { died, lost, sent } = yield* flow.count();
    if (sent === 0 || died !== undefined) return { holds: false, found: died ?? 'no frame was sent' };
    return { holds: lost <= most, found: `${lost} lost` };
  }

  private *interfaces(): Task<readonly GuestInterface[]> {
    return readInterfaces((yield* this.guestPart.run(LIST_INTERFACES)).output);
  }

  private *interfaceOf(dev: string): Task<GuestInterface | undefined> {
    return (yield* this.interfaces()).find((one) => this.devices.devOf(one) === dev);
  }

  private hear(at: Nanoseconds, printed: string): void {
    const text = kernelText(printed);
    if (text === undefined) return;
    this.log.push({ at, text });
    this.heard++;
    for (const said of saidBy(logLine(text, this.devices))) {
      if (said.kind === 'guest.datapath') this.paths.set(said.nic, said.path);
      // Without a VF there is no other path, whatever the driver remembers.
      if (said.kind === 'netvsc.vf' && !said.joined) this.paths.set(said.nic, 'synthetic');
    }
  }
}
