import type { Found, Program } from '../../../src/explore/program.ts';
import { Window } from '../../../src/explore/strategies/window.ts';
import { Cell } from '../../../src/sim/cell.ts';
import type { Task } from '../../../src/sim/operation.ts';
import { Simulation } from '../../../src/sim/simulation.ts';
import { describeStuck, findStuck } from '../../../src/sim/stuck.ts';
import { Recorder } from '../../../src/trace/recorder.ts';
import { type BenchOptions, IfnetBench } from './net/ifnet-bench.ts';

/** Sets a bench up and says what runs on it. */
export type Build = (bench: IfnetBench) => Threads;

/** Threads by name, and what is wrong at the end beside what the kernel itself has told of. */
export interface Threads {
  readonly threads: Readonly<Record<string, () => Task>>;
  readonly judge?: () => Found | undefined;
}

/**
 * A small program on a network stack: `build` sets it up, and from there on the threads run in whatever order is drawn.
 * `searchesSetUp`: the setting up is a part of what is searched. Wrong is what the kernel tells of (faults, assertions, panics, lock orders), a deadlock, and what the judge finds.
 */
export function program(options: BenchOptions, build: Build, { searchesSetUp = false } = {}): Program {
  return (strategy, listener) => {
    const trace = new Recorder();
    if (listener !== undefined) trace.listen(listener);
    const window = new Window(strategy, searchesSetUp, false);
    const sim = new Simulation(trace, window);
    const bench = new IfnetBench(options, sim);
    const { threads, judge } = build(bench);
    window.scope(true);
    for (const [name, task] of Object.entries(threads)) sim.spawn(name, 'guest', inVnet0(bench, name, task));
    const stop = sim.run({ stepsMax: sim.steps + 5000 });
    const found = new Map(bench.faults().map((text): [string, Found] => [text, { key: text, text }]));
    const stuck = findStuck(sim);
    if (stuck !== undefined && found.size === 0) found.set('stuck', { key: 'stuck', text: describeStuck(stuck) });
    const judged = judge?.();
    if (judged !== undefined) found.set(judged.key, judged);
    return { found: [...found.values()], stop, steps: sim.steps };
  };
}

/** A thread begins when it is its turn, and not when it is made. */
function* inVnet0({ net }: IfnetBench, name: string, task: () => Task): Task {
  yield* new Cell(net.sim, `turn of ${name}`, true).get();
  yield* net.curvnet.within(net.vnet0, task());
}
