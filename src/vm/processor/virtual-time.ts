/**
 * Loads v86, and lets it see no time and no chance but ours: its devices ask `performance.now`, `Date.now` and
 * `Math.random` directly. They are replaced while code of v86 runs, and only then.
 * v86 binds `performance.now` when it is loaded (src/main.js, v86.microtick), so that it has to be loaded here first.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { V86Options } from 'v86';
import { assert } from '../../base/assert.ts';
import type { V86Starter } from './v86-parts.ts';

export interface VirtualTime {
  /** Milliseconds since the machine was switched on. */
  now(): number;
  /** From 0 to below 1. */
  random(): number;
}

/** What the machine's battery clock says when it is switched on: 2024-01-01T00:00:00Z. Invented. */
const SWITCHED_ON = 1_704_067_200_000;

let present: VirtualTime | undefined;
let loading: Promise<new (options: V86Options) => unknown> | undefined;

/** The class V86 as a machine on virtual time can use it. */
export function loadV86(): Promise<new (options: V86Options) => V86Starter> {
  loading ??= importV86();
  return loading as Promise<new (options: V86Options) => V86Starter>;
}

/** Where v86's WebAssembly module is. */
export const modulePath = (): string => join(dirname(createRequire(import.meta.url).resolve('v86')), 'v86.wasm');

/** Runs code of v86. It cannot begin inside of itself. */
export function inVirtualTime<T>(time: VirtualTime, run: () => T): T {
  assert(present === undefined, 'one machine runs inside of another');
  const { now } = Date;
  const { random } = Math;
  present = time;
  Date.now = () => SWITCHED_ON + Math.floor(time.now());
  Math.random = () => time.random();
  try {
    return run();
  } finally {
    present = undefined;
    Date.now = now;
    Math.random = random;
  }
}

async function importV86(): Promise<new (options: V86Options) => unknown> {
  const { now } = performance;
  // Outside of a machine nobody in there asks for the time, but whoever does gets an answer.
  const ours = (): number => present?.now() ?? 0;
  performance.now = ours;
  try {
    // The import begins at once, but the module may be evaluated only later: nothing else runs until it is.
    return (await import('v86')).V86;
  } finally {
    performance.now = now;
  }
}
