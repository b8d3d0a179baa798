/** The other end of a {@link Crew}: what a worker thread does from its first moment on. */
import { parentPort, workerData } from 'node:worker_threads';
import { known } from '../base/assert.ts';
import type { Program } from '../explore/program.ts';
import { Board } from './board.ts';
import { carryOut, type Errand, type Result } from './errand.ts';

/** What a worker is started with. */
export interface WorkerData<Spec> {
  /** What its programs are made from. */
  readonly specs: readonly Spec[];
  readonly board: SharedArrayBuffer;
}

/** What it is sent, again and again. */
export interface Order {
  readonly program: number;
  readonly errand: Errand;
}

/** What it sends back to each. */
export interface Answer {
  readonly result: Result;
  /** How long it took, for those who want to know. */
  readonly milliseconds: number;
}

/** Waits for errands and carries them out. An error ends the thread, and the crew hears of it. */
export function serve<Spec>(makeProgram: (spec: Spec) => Program): void {
  const { specs, board: buffer } = workerData as WorkerData<Spec>;
  const board = new Board(buffer);
  const port = known(parentPort ?? undefined, 'the thread that started this one');
  const programs = new Map<number, Program>();
  const programOf = (at: number): Program => {
    const program = programs.get(at) ?? makeProgram(specs[at] as Spec);
    programs.set(at, program);
    return program;
  };
  port.on('message', ({ program, errand }: Order) => {
    const begun = performance.now();
    const result = carryOut(programOf(program), errand, board.pause());
    const answer: Answer = { result, milliseconds: performance.now() - begun };
    port.postMessage(answer);
  });
}
