/** A bug in netvsim itself. The machine's misfortunes are values; only our own mistakes throw. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/**
 * Throws an {@link InvariantError} unless the claim holds. `claim` is a sentence that says what is wrong; it is made
 * whether or not it is needed, so what runs in every step throws the error itself.
 */
export function assert(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new InvariantError(claim);
}

/** The value, or an {@link InvariantError} that says what was missing. */
export function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new InvariantError(`${what} is missing`);
  return value;
}
