/**
 * Processes that carry out an exploration's errands side by side, each with one guest at a time: neither a collected
 * garbage nor an ended worker thread gives back what the emulator took. What comes of an errand does not depend on who
 * does it. (The crew of `campaign/` has threads, and errands of the modelled machine, which are over in milliseconds.)
 */
import { type ChildProcess, fork } from 'node:child_process';
import { assert } from '../../base/assert.ts';
import type { Result } from '../../base/result.ts';
import type { Catalogue } from '../../host/plan.ts';
import type { BootFailure } from '../boot.ts';
import { Explorer, type ExplorerPlan, type Field, type Survey, type ToldRun } from './errand.ts';
import type { Stretch } from './stretch.ts';
import type { Strike } from './strike.ts';

type Errand =
  | { readonly do: 'survey'; readonly stretch: Stretch }
  | { readonly do: 'strike'; readonly strike: Strike; readonly withHash: boolean };
type Order =
  | { readonly do: 'begin'; readonly plan: ExplorerPlan }
  | { readonly do: 'go to'; readonly field: Field }
  | Errand;
type Outcome<E extends Errand> = E extends { readonly do: 'survey' } ? Result<Survey, BootFailure> : StruckRun;

/** A run, and what it cost. */
export interface StruckRun {
  readonly run: Pick<ToldRun, 'result'>;
  readonly cost: RunCost;
}

/** What a run takes; no part of what comes of it. */
export interface RunCost {
  /** Of the processor, in milliseconds. */
  readonly computing: number;
  /** The most that its process has had in memory so far, in kilobytes. */
  readonly memory: number;
}

export interface CrewOptions {
  readonly plan: ExplorerPlan;
  /** The file that calls {@link serveExplorer}. */
  readonly file: URL;
  readonly jobs: number;
}

interface Pending {
  readonly errand: Errand;
  readonly resolve: (outcome: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Hand {
  readonly child: ChildProcess;
  field: Field | undefined;
  pending: Pending | undefined;
}

export class Crew {
  private readonly options: CrewOptions;
  private readonly hands: Hand[] = [];
  private readonly queue: Pending[] = [];
  private field: Field | undefined;
  private isOver = false;

  constructor(options: CrewOptions) {
    this.options = options;
  }

  get isStopped(): boolean {
    return this.isOver;
  }

  /** What is struck from now on; all errands before it are done. */
  goTo(field: Field): void {
    this.field = field;
  }

  /** Resolves to undefined when all was stopped meanwhile. */
  do<E extends Errand>(errand: E): Promise<Outcome<E> | undefined> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.isOver) {
        resolve(undefined);
        return;
      }
      this.queue.push({ errand, resolve, reject });
      this.delegate();
    }) as Promise<Outcome<E> | undefined>;
  }

  /** Ends the processes; nobody waits for what they were at. To be called in the end, too. */
  stop(): void {
    this.isOver = true;
    for (const { resolve } of this.queue.splice(0)) resolve(undefined);
    for (const hand of this.hands) {
      hand.pending?.resolve(undefined);
      hand.child.kill('SIGKILL');
    }
  }

  private delegate(): void {
    for (const hand of this.hands) if (hand.pending === undefined) this.send(hand);
    while (this.queue.length > 0 && this.hands.length < this.options.jobs) this.send(this.hire());
  }

  private send(hand: Hand): void {
    const pending = this.queue.shift();
    if (pending === undefined) return;
    hand.pending = pending;
    if (hand.field !== this.field && this.field !== undefined) this.tell(hand, { do: 'go to', field: this.field });
    hand.field = this.field;
    this.tell(hand, pending.errand);
  }

  private tell({ child }: Hand, order: Order): void {
    // One that has died is heard of by its exit.
    child.send(order, () => undefined);
  }

  private hire(): Hand {
    const { file, plan } = this.options;
    // A machine that is done with has 200 MB which nothing asks the collector for.
    const child = fork(file, { serialization: 'advanced', execArgv: [...process.execArgv, '--expose-gc'] });
    const hand: Hand = { child, field: undefined, pending: undefined };
    child.on('message', (outcome) => {
      const { pending } = hand;
      hand.pending = undefined;
      pending?.resolve(outcome);
      this.delegate();
    });
    child.on('exit', (code, by) => {
      if (!this.isOver) this.fail(new Error(`a process that runs a guest has died (${by ?? code})`));
    });
    this.tell(hand, { do: 'begin', plan });
    this.hands.push(hand);
    return hand;
  }

  private fail(error: Error): void {
    for (const { reject } of this.queue.splice(0)) reject(error);
    for (const { pending } of this.hands) pending?.reject(error);
    this.stop();
  }
}

/** What such a process does, which ends with the one that has started it. @param worker see {@link Explorer}. */
export function serveExplorer(catalogue: Catalogue, worker: URL): void {
  let explorer: Explorer | undefined;
  let work: Promise<void> = Promise.resolve();
  const carryOut = async (order: Order): Promise<void> => {
    if (order.do === 'begin') {
      explorer = new Explorer(order.plan, catalogue, worker);
      return;
    }
    assert(explorer !== undefined, 'an errand comes before the plan');
    if (order.do === 'go to') explorer.goTo(order.field);
    else answer(order.do === 'survey' ? await explorer.survey(order.stretch) : await struck(explorer, order));
  };
  process.on('message', (order: Order) => {
    work = work.then(() => carryOut(order));
  });
  process.on('disconnect', () => process.exit());
  // A terminal sends Ctrl-C to all processes: the first one says what becomes of the others.
  process.on('SIGINT', () => undefined);
}

async function struck(explorer: Explorer, { strike, withHash }: Errand & { do: 'strike' }): Promise<StruckRun> {
  const begun = process.cpuUsage();
  const { result } = await explorer.strike(strike, withHash);
  const { user, system } = process.cpuUsage(begun);
  return { run: { result }, cost: { computing: (user + system) / 1000, memory: process.resourceUsage().maxRSS } };
}

function answer(outcome: Result<Survey, BootFailure> | StruckRun): void {
  assert(process.send !== undefined, 'serveExplorer is for a process that was forked');
  process.send(outcome);
}
