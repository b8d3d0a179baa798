/**
 * Delta debugging: leaves out halves of a list, then quarters, and so on down to single items, as long as what is left
 * will do.
 * Source: Zeller, Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", TSE 2002.
 */
export function leaveOut<T>(items: readonly T[], willDo: (items: readonly T[]) => boolean): readonly T[] {
  let left = items;
  let size = Math.ceil(left.length / 2);
  while (size >= 1) {
    const before = left.length;
    for (let to = left.length; to > 0; to -= size) {
      const fewer = [...left.slice(0, Math.max(0, to - size)), ...left.slice(to)];
      if (willDo(fewer)) left = fewer;
    }
    if (left.length === before && size === 1) break;
    const isSmaller = left.length < before;
    size = Math.ceil(Math.min(isSmaller ? size : size / 2, left.length / 2));
  }
  return left;
}
