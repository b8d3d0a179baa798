import { performance } from 'node:perf_hooks';
import v8 from 'node:v8';
import vm from 'node:vm';

v8.setFlagsFromString('--expose_gc');
const collect = vm.runInNewContext('gc') as () => void;

/** Milliseconds that the work took. */
export function time(work: () => void): number {
  const start = performance.now();
  work();
  return performance.now() - start;
}

/** Microseconds of the processor that the work took, so that others on the machine do not count. */
export function processorTime(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

/** The middle of several runs, each of which prepares itself outside of the measured time. */
export function median(runs: number, once: () => number): number {
  const figures = Array.from({ length: runs }, once).sort((a, b) => a - b);
  return figures[Math.floor(runs / 2)] as number;
}

/** Bytes that are still held after the work, beside what was held before; and what the work gave. */
export function held<T>(work: () => T): { readonly bytes: number; readonly result: T } {
  collect();
  const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  const result = work();
  collect();
  return { bytes: process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers - before, result };
}

/** One line of the report: what, the figure, and its target where it has one. */
export interface Line {
  readonly what: string;
  readonly figure: number;
  readonly unit: string;
  readonly target?: number;
  /** Whether more is better; less is, else. */
  readonly atLeast?: true;
}

export function print(title: string, lines: readonly Line[]): boolean {
  console.log(title);
  let met = true;
  for (const { what, figure, unit, target, atLeast } of lines) {
    const holds = target === undefined || (atLeast === true ? figure >= target : figure <= target);
    met &&= holds;
    const shown = figure >= 100 ? Math.round(figure).toLocaleString('en') : figure.toPrecision(3);
    const aim = target === undefined ? '' : `  target ${atLeast ? '>=' : '<='} ${target.toLocaleString('en')}`;
    console.log(`  ${what.padEnd(58)} ${`${shown} ${unit}`.padStart(16)}${aim}${holds ? '' : '  MISSED'}`);
  }
  return met;
}
