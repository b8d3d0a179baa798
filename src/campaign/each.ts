/** Several searches that a crew has at once. */

/** Does something with each, with so many at a time; results stand in the order of the things. */
export async function each<T, R>(things: readonly T[], atOnce: number, work: (thing: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = things.entries();
  const go = async (): Promise<void> => {
    for (const [at, thing] of left) results[at] = await work(thing);
  };
  await Promise.all(Array.from({ length: atOnce }, go));
  return results;
}
