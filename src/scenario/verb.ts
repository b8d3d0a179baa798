/** One line of the table of verbs: what it looks like, what it means, and the plain data that it stands for. */
import { PLACEHOLDERS, type PlaceholderName } from './placeholder.ts';
import type { StepBody } from './step-body.ts';
import { type Element, parseUsage, type ValuesOf } from './usage.ts';
import type { Names } from './vocabulary.ts';

export type Built = StepBody | { readonly problem: string };

export interface Verb {
  readonly usage: string;
  readonly meaning: string;
  readonly elements: readonly Element[];
  /** The step's data from the words that stand at its placeholders, or what is wrong with them. */
  read(found: ReadonlyMap<string, string | true>, names: Names): Built;
}

export function verb<U extends string>(
  usage: U,
  meaning: string,
  build: (values: ValuesOf<U>, names: Names) => Built,
): Verb {
  return {
    usage,
    meaning,
    elements: parseUsage(usage),
    read(found, names) {
      const values: Record<string, unknown> = {};
      for (const [key, word] of found) {
        if (!(key in PLACEHOLDERS) || word === true) {
          values[key] = word;
          continue;
        }
        const reading = PLACEHOLDERS[key as PlaceholderName].read(word, names);
        if ('problem' in reading) return reading;
        values[key] = reading.value;
      }
      return build(values as ValuesOf<U>, names);
    },
  };
}
