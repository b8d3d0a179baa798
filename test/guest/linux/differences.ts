/** Where two transcripts of the same commands differ, command by command. */
import { type Step, type Transcript, withChanges } from './transcript.ts';

export interface Difference {
  /** The command, with its number, from 1. */
  readonly command: string;
  /** Lines of one of the two only, each with its mark: `- ` the kernel's, `+ ` the model's. */
  readonly lines: readonly string[];
}

export function differencesOf(real: Transcript, model: readonly Step[]): readonly Difference[] {
  const [expected, found] = [withChanges(real.steps), withChanges(model)];
  return real.steps.flatMap(({ command }, at) => {
    const lines = compared(expected[at] ?? [], found[at] ?? []);
    return lines.length === 0 ? [] : [{ command: `${at + 1} ${command}`, lines }];
  });
}

/** What is left of both when a longest common subsequence is taken away. */
function compared(left: readonly string[], right: readonly string[]): readonly string[] {
  const [mine, ...restLeft] = left;
  const [theirs, ...restRight] = right;
  if (mine === undefined || theirs === undefined) {
    return [...left.map((line) => `- ${line}`), ...right.map((line) => `+ ${line}`)];
  }
  if (mine === theirs) return compared(restLeft, restRight);
  if (!right.includes(mine)) return [`- ${mine}`, ...compared(restLeft, right)];
  if (!left.includes(theirs)) return [`+ ${theirs}`, ...compared(left, restRight)];
  const [without, without2] = [compared(restLeft, right), compared(left, restRight)];
  return without.length <= without2.length ? [`- ${mine}`, ...without] : [`+ ${theirs}`, ...without2];
}
