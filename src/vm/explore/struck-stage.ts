/**
 * A real kernel as a stage on which the host strikes: the first step only begins, and the second comes when the guest has
 * got to a point. What of the guest cannot be seen any more when a run is over is looked at in its end.
 */
import { type Nanoseconds, seconds } from '../../base/time.ts';
import type { HostAction } from '../../host/action.ts';
import { vfOf } from '../../host/plan.ts';
import type { Plan } from '../../machine/plan.ts';
import type { GuestVerb } from '../../scenario/stage.ts';
import type { Context } from '../../sim/context.ts';
import type { Task } from '../../sim/operation.ts';
import { WaitCell } from '../../sim/wait-cell.ts';
import type { Event, EventKind } from '../../trace/event.ts';
import type { Recorder } from '../../trace/recorder.ts';
import { isAnswered } from '../agent.ts';
import { sayEnd } from '../run-end.ts';
import type { PreparedGuest } from '../stage/prepared-guest.ts';
import { RealStage } from '../stage/real-stage.ts';
import type { StrikePoint } from './strike.ts';

/** How a run is struck. */
export interface Blow {
  /** Undefined: not at all. */
  readonly point: StrikePoint | undefined;
  /** A guest that has not got there by then is struck all the same. */
  readonly patience: Nanoseconds;
}

/** A point of a run, counted from the beginning of its first step. */
export interface Moment {
  readonly instructions: number;
  readonly time: Nanoseconds;
}

/** Something that the guest did in a run. */
export interface Sign extends Moment {
  /** The name of a message, the first, second ... of that name; undefined for a line of the kernel's log. */
  readonly message: { readonly name: string; readonly nth: number } | undefined;
}

type Refusal = { readonly refused: string } | undefined;

const MESSAGES: readonly EventKind[] = ['vmbus.message', 'nvsp.message', 'rndis.message'];
/** How long a command that has nothing to wait for may take in the end. Invented. */
const ANSWERING = seconds(10);
/** How long the look at a guest in the end may take. Invented. */
const LOOKING = seconds(60);

export class StruckStage extends RealStage {
  /** What the guest has done since the first step began. */
  readonly signs: Sign[] = [];
  /** When it was struck; undefined as long as it was not. */
  struck: (Moment & { readonly isLate: boolean }) | undefined;
  /** What in the end is not as it must be, whatever was struck: what hangs, and what host and guest see differently. */
  readonly wrong: string[] = [];
  private readonly blow: Blow | undefined;
  private readonly cell: WaitCell<true>;
  /** Of the run; the one before the strike may be shorter, to end at its point. */
  private readonly quantum: number;
  private from: Moment | undefined;
  private into: Context | undefined;

  /**
   * @param past what happened before the snapshot that the machine goes on from.
   * @param blow undefined for a run as the scenario has it.
   */
  constructor(
    guest: PreparedGuest,
    { plan, trace }: { readonly plan: Plan; readonly trace: Recorder },
    past: readonly Event[],
    blow: Blow | undefined,
  ) {
    super(guest, plan, trace);
    this.events.push(...past);
    this.blow = blow;
    this.quantum = this.machine.processor.quantum;
    this.cell = new WaitCell(this.sim, 'the point of the strike');
    this.machine.sliceListeners.push(() => this.lookAtCount());
    this.machine.sim.trace.listen((event) => this.hearMessage(event), MESSAGES);
    this.machine.console.lineListeners.push(() => this.note(undefined));
  }

  /** The machine goes on from where all that is done already. */
  override *booted(): Task {}

  override *host(action: HostAction): Task<Refusal> {
    return yield* this.inTurn(() => super.host(action));
  }

  override *guest(verb: GuestVerb): Task<Refusal> {
    return yield* this.inTurn(() => super.guest(verb));
  }

  override conclude(): void {
    if (this.into?.ended === false) this.wrong.push(`hung: ${this.into.name}`);
    if (this.death === undefined) {
      const { machine } = this;
      const looked = machine.runTask('the look in the end', this.lookAtEnd(), { time: LOOKING });
      if (!looked.ok && machine.ended !== undefined) this.wrong.push(sayEnd(machine, machine.ended));
    }
    super.conclude();
  }

  /** Where the run is now, or was when it began. */
  private get moment(): Moment {
    const { instructions } = this.machine.processor;
    const time = this.machine.now;
    const { from } = this;
    return from === undefined
      ? { instructions, time }
      : { instructions: instructions - from.instructions, time: time - from.time };
  }

  private *inTurn(act: () => Task<Refusal>): Task<Refusal> {
    if (this.from !== undefined) return yield* act();
    this.from = this.moment;
    if (this.blow === undefined) return yield* act();
    this.aim();
    // Whatever comes of it is no finding: it may be refused because the strike was there first.
    this.into = this.sim.spawn('the step that was struck into', 'scenario', act());
    const { patience } = this.blow;
    this.sim.after(patience, () => this.strike(true));
    yield* this.cell.wait();
    return undefined;
  }

  private strike(isLate: boolean): void {
    if (this.struck !== undefined) return;
    this.struck = { ...this.moment, isLate };
    this.cell.inject(true);
  }

  private lookAtCount(): void {
    if (this.left !== undefined && this.left <= 0) this.strike(false);
    this.aim();
  }

  /** How many instructions it takes to the point, where they are counted. */
  private get left(): number | undefined {
    const point = this.blow?.point;
    if (this.from === undefined || point?.at !== 'instruction' || this.struck !== undefined) return undefined;
    return point.count - this.moment.instructions;
  }

  /** The quantum ends at the point, as far as compiled code lets it. */
  private aim(): void {
    const { left = this.quantum } = this;
    this.machine.processor.quantum = Math.max(1, Math.min(left, this.quantum));
  }

  private hearMessage(event: Event): void {
    if (this.from === undefined || !('from' in event) || event.from !== 'guest' || !('name' in event)) return;
    const { name } = event;
    const nth = 1 + this.signs.filter(({ message }) => message?.name === name).length;
    this.note({ name, nth });
    const point = this.blow?.point;
    if (point?.at === 'message' && point.name === name && point.nth === nth) this.strike(false);
  }

  private note(message: Sign['message']): void {
    if (this.from !== undefined) this.signs.push({ ...this.moment, message });
  }

  private *lookAtEnd(): Task {
    const { machine, wrong } = this;
    // Every command about links takes the RTNL: one that does not come back says that somebody has kept it.
    const lock = yield* machine.agent.run('ip link show lo >/dev/null', ANSWERING);
    if (!isAnswered(lock)) wrong.push('hung: ip link');
    for (const { name, vf } of machine.plan.nics) {
      if (!(yield* this.ask({ ask: 'present', dev: name, present: true })).holds) continue;
      const path = machine.host.pathOf(name);
      const agreed = yield* this.ask({ ask: 'datapath', nic: name, path });
      if (!agreed.holds) wrong.push(`datapath of ${name}: ${agreed.found}`);
      const isThere = vf !== undefined && machine.bus.functions.get(vfOf(name))?.present.now === true;
      const joined = isThere ? yield* this.ask({ ask: 'master', dev: vfOf(name), master: name }) : undefined;
      if (joined?.holds === false) wrong.push(`${vfOf(name)} has not joined ${name}: ${joined.found}`);
    }
  }
}
