/**
 * A strike: a host action of a scenario that comes at a chosen point of the guest's execution, in a run with a chosen
 * quantum. Its notation says all that a run needs beside the scenario, so that it can be repeated:
 * `line 14 instruction 51234 quantum 997`, `line 14 message switchDataPath`, `line 14 message query#3 quantum 211`.
 */
import { err, ok, type Result } from '../../base/result.ts';
import { DEFAULT_QUANTUM, QUANTUM_MAX } from '../processor/wasm-patch.ts';

/** Where it strikes, counted from the moment at which the step before it begins. */
export type StrikePoint =
  /** When the guest has executed so many instructions, or a few more; a guest that sleeps executes none. */
  | { readonly at: 'instruction'; readonly count: number }
  /** When the host has got this message from the guest, the first, second ... of its name, and has not answered yet. */
  | { readonly at: 'message'; readonly name: string; readonly nth: number };

export interface Strike {
  /** Of the host action in the scenario's file. */
  readonly line: number;
  readonly point: StrikePoint;
  /** Instructions between two looks for interrupts. */
  readonly quantum: number;
}

/** How a notation reads, for help and errors. */
export const STRIKE_USAGE = 'line <n> instruction <n>|message <name>[#<n>] [quantum <n>]';

const NOTATION = /^line (\d+) (?:instruction (\d+)|message ([a-z]\w*)(?:#([1-9]\d*))?)(?: quantum (\d+))?$/i;

export function formatStrike({ line, point, quantum }: Strike): string {
  const where = point.at === 'instruction' ? `instruction ${point.count}` : `message ${nameOf(point)}`;
  return `line ${line} ${where}${quantum === DEFAULT_QUANTUM ? '' : ` quantum ${quantum}`}`;
}

/** Errors: the text is no strike, in one line. */
export function parseStrike(text: string): Result<Strike, string> {
  const [, line, count, name, nth, given] = NOTATION.exec(text.trim().replaceAll(/\s+/g, ' ')) ?? [];
  if (line === undefined) return err(`"${text}" is no strike: ${STRIKE_USAGE}`);
  const quantum = given === undefined ? DEFAULT_QUANTUM : Number(given);
  if (quantum < 1 || quantum > QUANTUM_MAX) return err(`a quantum of ${quantum}: 1 to ${QUANTUM_MAX} can be`);
  const point: StrikePoint =
    name === undefined ? { at: 'instruction', count: Number(count) } : { at: 'message', name, nth: Number(nth ?? 1) };
  return ok({ line: Number(line), point, quantum });
}

const nameOf = ({ name, nth }: Extract<StrikePoint, { readonly at: 'message' }>): string =>
  nth === 1 ? name : `${name}#${nth}`;
