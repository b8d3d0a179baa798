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

/** @param head what makes two texts the same thing with other contents. */
export function align(
  model: readonly string[],
  real: readonly string[],
  head: (text: string) => string,
): readonly Aligned[] {
  const rows: Aligned[] = [];
  let removed: readonly string[] = [];
  for (const { value, added, removed: isRemoved } of diffArrays([...model], [...real])) {
    if (isRemoved) {
      removed = value;
      continue;
    }
    if (added) rows.push(...pairUp(removed, value, head));
    else rows.push(...onlyIn('model', removed), ...value.map((text): Aligned => ({ kind: 'same', text })));
    removed = [];
  }
  rows.push(...onlyIn('model', removed));
  return findMoved(rows);
}

const onlyIn = (kind: 'model' | 'real', texts: readonly string[]): readonly Aligned[] =>
  texts.map((text) => ({ kind, text }));

/** What stands at one place: in the order of both, those of one head beside each other. */
function pairUp(model: readonly string[], real: readonly string[], head: (text: string) => string): readonly Aligned[] {
  const rows: Aligned[] = [];
  let [next, m] = [0, 0];
  for (const { value, added, removed } of diffArrays(model.map(head), real.map(head))) {
    const length = value.length;
    if (removed) rows.push(...onlyIn('model', model.slice(m, m + length)));
    else if (added) rows.push(...onlyIn('real', real.slice(next, next + length)));
    else {
      for (let i = 0; i < length; i++) {
        rows.push({ kind: 'changed', model: known(model[m + i], 'a line'), real: known(real[next + i], 'a line') });
      }
    }
    if (!added) m += length;
    if (!removed) next += length;
  }
  return rows;
}

/** What only the one has here and only the other there, with the same text. */
function findMoved(rows: readonly Aligned[]): readonly Aligned[] {
  const left = new Map<string, number>();
  const right = new Map<string, number>();
  for (const row of rows) {
    if (row.kind === 'model') left.set(row.text, (left.get(row.text) ?? 0) + 1);
    if (row.kind === 'real') right.set(row.text, (right.get(row.text) ?? 0) + 1);
  }
  const both = (text: string): number => Math.min(left.get(text) ?? 0, right.get(text) ?? 0);
  const taken = { model: new Map<string, number>(), real: new Map<string, number>() };
  return rows.map((row) => {
    if (row.kind !== 'model' && row.kind !== 'real') return row;
    const times = taken[row.kind].get(row.text) ?? 0;
    if (times >= both(row.text)) return row;
    taken[row.kind].set(row.text, times + 1);
    return { kind: 'moved', side: row.kind, text: row.text };
  });
}
