/**
 * Two sequences side by side: a longest common subsequence, and of what it leaves over what has only changed (the same
 * message with other contents, at the same place) and what has only moved.
 */
import { diffArrays } from 'diff';
import { known } from '../../base/assert.ts';

/** A row of two columns, before anybody has explained it. */
export type Aligned =
  | { readonly kind: 'same'; readonly text: string }
  | { readonly kind: 'changed'; readonly model: string; readonly real: string }
  | { readonly kind: 'model' | 'real'; readonly text: string }
  | { readonly kind: 'moved'; readonly side: 'model' | 'real'; readonly text: string };

export interface Likeness {
  /** Whether the real kernel's text stands for the model's, although it is another one. */
  readonly stands: (model: string, real: string) => boolean;
  /** What makes two texts the same thing with other contents. */
  readonly head: (text: string) => string;
}

export function align(
  model: readonly string[],
  real: readonly string[],
  { stands, head }: Likeness,
): readonly Aligned[] {
  const isAlike = (one: string, other: string): boolean => one === other || stands(one, other);
  const rows: Aligned[] = [];
  let gap: readonly Aligned[] = [];
  const fill = (): void => {
    const [left, right] = [textsOf('model', gap), textsOf('real', gap)];
    rows.push(...walk(left, right, (one, other) => head(one) === head(other)));
    gap = [];
  };
  for (const row of walk(model, real, isAlike)) {
    if (row.kind === 'model' || row.kind === 'real') {
      gap = [...gap, row];
      continue;
    }
    fill();
    rows.push(row);
  }
  fill();
  return findMoved(rows);
}

const textsOf = (kind: 'model' | 'real', rows: readonly Aligned[]): readonly string[] =>
  rows.flatMap((row) => (row.kind === kind ? [row.text] : []));

/** A longest common subsequence of what is alike; what is alike and not the same is `changed`. */
function walk(
  model: readonly string[],
  real: readonly string[],
  comparator: (model: string, real: string) => boolean,
): readonly Aligned[] {
  const rows: Aligned[] = [];
  let [m, r] = [0, 0];
  for (const { count, added, removed } of diffArrays([...model], [...real], { comparator })) {
    for (let i = 0; i < count; i++) {
      if (removed) rows.push({ kind: 'model', text: known(model[m++], 'a line of the model') });
      else if (added) rows.push({ kind: 'real', text: known(real[r++], 'a line of the real kernel') });
      else rows.push(pair(known(model[m++], 'a line of the model'), known(real[r++], 'a line of the real kernel')));
    }
  }
  return rows;
}

const pair = (model: string, real: string): Aligned =>
  model === real ? { kind: 'same', text: model } : { kind: 'changed', model, real };

/** What only the one has here and only the other there, with the same text. */
function findMoved(rows: readonly Aligned[]): readonly Aligned[] {
  const left = counts(textsOf('model', rows));
  const right = counts(textsOf('real', rows));
  const taken = { model: new Map<string, number>(), real: new Map<string, number>() };
  return rows.map((row) => {
    if (row.kind !== 'model' && row.kind !== 'real') return row;
    const times = taken[row.kind].get(row.text) ?? 0;
    if (times >= Math.min(left.get(row.text) ?? 0, right.get(row.text) ?? 0)) return row;
    taken[row.kind].set(row.text, times + 1);
    return { kind: 'moved', side: row.kind, text: row.text };
  });
}

function counts(texts: readonly string[]): ReadonlyMap<string, number> {
  const all = new Map<string, number>();
  for (const text of texts) all.set(text, (all.get(text) ?? 0) + 1);
  return all;
}
