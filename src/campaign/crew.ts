/**
 * Carries out errands side by side: in this thread while there is little to do, in worker threads as soon as there is
 * more. What comes of an errand does not depend on who does it, nor on what else goes on.
 */
import { Worker } from 'node:worker_threads';
import type { Pause } from '../explore/job.ts';
import type { Program } from '../explore/program.ts';
import { Board } from './board.ts';
import { carryOut, type Errand, type Result, type ResultOf } from './errand.ts';
import { interruptible, isInterrupt } from './interruptible.ts';
import type { Answer, Order, WorkerData } from './worker.ts';

export interface CrewOptions<Spec> {
  /** What programs are made from, here and in each worker: plain data. Programs are called by their place in it. */
  readonly specs: readonly Spec[];
  readonly makeProgram: (spec: Spec) => Program;
  /** The file that calls `serve` with the same `makeProgram`. */
  readonly worker: URL;
  /** Worker threads at most. */
  readonly jobs: number;
}

/** A worker takes longer than that to start: so much is done without one. Invented. */
const ALONE_MS = 300;
/** A run that takes longer to come to its end is not waited for when all is to stop. Invented. */
const GRACE_MS = 500;

/** An errand with who waits for it; undefined comes of those that were stopped before they began, or were cut off. */
interface Pending {
  readonly order: Order;
  readonly resolve: (result: Result | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Hand {
  readonly worker: Worker;
  pending: Pending | undefined;
}

export class Crew<Spec> {
  readonly board = new Board();
  private readonly options: CrewOptions<Spec>;
  private readonly programs = new Map<number, Program>();
  private readonly spent = new Map<number, number>();
  private readonly hands: Hand[] = [];
  private queue: Pending[] = [];
  /** Milliseconds that this thread still works itself. */
  private alone = ALONE_MS;
  private turn: NodeJS.Immediate | undefined;
  private grace: NodeJS.Timeout | undefined;
  private isClosing = false;
  private broken: unknown;

  constructor(options: CrewOptions<Spec>) {
    this.options = options;
  }

  /** Resolves when it is done; to undefined when all was stopped meanwhile. */
  do<E extends Errand>(program: number, errand: E): Promise<ResultOf<E> | undefined> {
    return new Promise<Result | undefined>((resolve, reject) => {
      if (this.broken !== undefined) {
        reject(this.broken);
        return;
      }
      this.queue.push({ order: { program, errand }, resolve, reject });
      this.goOn();
    }) as Promise<ResultOf<E> | undefined>;
  }

  /** Nothing else is begun, and jobs end with what they have. */
  stop(): void {
    if (this.board.isStopped) return;
    this.board.stop();
    this.giveUp();
    this.grace = setTimeout(() => {
      for (const { pending } of this.hands) pending?.resolve(undefined);
    }, GRACE_MS);
  }

  /** To be called in the end, however it ends. */
  async close(): Promise<void> {
    this.isClosing = true;
    clearTimeout(this.grace);
    clearImmediate(this.turn);
    await Promise.all(this.hands.map(({ worker }) => worker.terminate()));
  }

  /** How many milliseconds of computing went into a program, in all threads. */
  millisecondsOf(program: number): number {
    return this.spent.get(program) ?? 0;
  }

  private goOn(): void {
    if (this.board.isStopped) this.giveUp();
    else if (this.alone <= 0) this.delegate();
    else if (this.queue.length > 0) this.turn ??= setImmediate(() => this.workHere());
  }

  private giveUp(): void {
    for (const { resolve } of this.queue.splice(0)) resolve(undefined);
  }

  /** One errand in this thread; what takes too long for that is left to a worker, from its beginning. */
  private workHere(): void {
    this.turn = undefined;
    const pending = this.queue.shift();
    if (pending === undefined) return;
    const { program, errand } = pending.order;
    const begun = performance.now();
    const elapsed = (): number => performance.now() - begun;
    const pause = this.board.pause();
    const pauseSoon: Pause = (orders, failing) => pause(orders, failing) || elapsed() > this.alone;
    try {
      const result = interruptible(() => carryOut(this.programOf(program), errand, pauseSoon));
      this.alone -= elapsed();
      const isCutOff = 'stopped' in result && result.stopped && !this.board.isStopped;
      if (!isCutOff) this.settle(pending, { result, milliseconds: elapsed() });
      else if (result.whole) this.settle(pending, { result: { ...result, stopped: false }, milliseconds: elapsed() });
      else {
        pause(0, 0);
        this.queue.unshift(pending);
      }
    } catch (error) {
      if (isInterrupt(error)) {
        pending.resolve(undefined);
        this.stop();
      } else pending.reject(error);
    }
    this.goOn();
  }

  private delegate(): void {
    for (const hand of this.hands) {
      if (hand.pending === undefined) this.send(hand);
    }
    while (this.queue.length > 0 && this.hands.length < this.options.jobs) this.send(this.hire());
  }

  private send(hand: Hand): void {
    hand.pending = this.queue.shift();
    if (hand.pending !== undefined) hand.worker.postMessage(hand.pending.order);
  }

  private hire(): Hand {
    const { worker: file, specs } = this.options;
    const workerData: WorkerData<Spec> = { specs, board: this.board.buffer };
    const worker = new Worker(file, { workerData });
    const hand: Hand = { worker, pending: undefined };
    worker.on('message', (answer: Answer) => {
      const { pending } = hand;
      hand.pending = undefined;
      if (pending !== undefined) this.settle(pending, answer);
      this.goOn();
    });
    worker.on('error', (error) => this.fail(error));
    worker.on('exit', (code) => {
      if (!this.isClosing) this.fail(new Error(`a worker thread ended with ${code}`));
    });
    this.hands.push(hand);
    return hand;
  }

  private settle({ order, resolve }: Pending, { result, milliseconds }: Answer): void {
    this.spent.set(order.program, this.millisecondsOf(order.program) + milliseconds);
    resolve(result);
  }

  /** A worker broke down: nobody can know what it would have found. */
  private fail(error: unknown): void {
    this.broken ??= error;
    for (const { reject } of this.queue.splice(0)) reject(error);
    for (const { pending } of this.hands) pending?.reject(error);
  }

  private programOf(at: number): Program {
    const program = this.programs.get(at) ?? this.options.makeProgram(this.options.specs[at] as Spec);
    this.programs.set(at, program);
    return program;
  }
}
