/**
 * What would make a run depend on more than its order: real time, chance, and whatever goes on later by itself. While a
 * run with drivers of somebody else is under way, these throw for whoever calls them but netvsim and Node itself.
 * What this leaves out: what a driver imports (node:crypto, node:fs) instead of taking it from the global scope; a run
 * that is not the same twice shows that.
 */
import { type Frame, framesOf, isIn, isOfNode, isOwn } from './blame.ts';

/** What was called, and what is there for it instead. */
export type OnForbidden = (what: string, instead: string, frame: Frame | undefined) => void;

export class ForbiddenError extends Error {
  override readonly name = 'ForbiddenError';
}

interface Forbidden {
  /** The global thing that it hangs on; the global scope itself when there is none. */
  readonly of?: string;
  readonly key: string;
  readonly instead: string;
  /** Functions that hang on it and are forbidden too. */
  readonly with?: readonly string[];
  /** Whether `new` with these arguments is as good as any other plain value. */
  readonly isPlain?: (args: readonly unknown[]) => boolean;
}

const TIME = 'time in a run is virtual: kernel.sim.now';
const DELAY = 'what comes later is a Work, or a task that does yield* kernel.sim.sleep(span, why)';
const CHANCE = 'what is left open is decided by the search: kernel.sim.strategy.value(why, n)';
const WAIT = 'a task waits by yield* on an operation';
const OUTSIDE = 'a driver knows its kernel and nothing else';

const bare = (key: string, instead: string): Forbidden => ({ key, instead });
const method = (of: string, key: string, instead: string): Forbidden => ({ of, key, instead });

const FORBIDDEN: readonly Forbidden[] = [
  { ...bare('Date', TIME), with: ['now'], isPlain: (args) => args.length > 0 },
  method('performance', 'now', TIME),
  { ...method('process', 'hrtime', TIME), with: ['bigint'] },
  method('Math', 'random', CHANCE),
  method('crypto', 'randomUUID', CHANCE),
  method('crypto', 'getRandomValues', CHANCE),
  bare('setTimeout', DELAY),
  bare('setInterval', DELAY),
  bare('setImmediate', DELAY),
  bare('queueMicrotask', DELAY),
  method('process', 'nextTick', DELAY),
  {
    ...bare('Promise', WAIT),
    with: ['resolve', 'reject', 'all', 'allSettled', 'any', 'race', 'withResolvers', 'try'],
  },
  bare('fetch', OUTSIDE),
];

/** Runs `body`, in which these throw; afterwards everything is as it was. */
export function withoutForbidden<T>(onForbidden: OnForbidden, body: () => T): T {
  const restore: (() => void)[] = [];
  try {
    for (const forbidden of FORBIDDEN) restore.push(forbid(forbidden, onForbidden));
    return body();
  } finally {
    for (const undo of restore.reverse()) undo();
  }
}

function forbid(forbidden: Forbidden, onForbidden: OnForbidden): () => void {
  const { of, key } = forbidden;
  const world = globalThis as Readonly<Record<string, unknown>>;
  const on = of === undefined ? globalThis : world[of];
  const original: unknown = typeof on === 'object' && on !== null ? Reflect.get(on, key) : undefined;
  if (typeof on !== 'object' || on === null || typeof original !== 'function') return () => undefined;
  const before = Object.getOwnPropertyDescriptor(on, key);
  const value = guarded(original, forbidden, onForbidden);
  Object.defineProperty(on, key, { value, configurable: true, enumerable: before?.enumerable ?? true, writable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(on, key);
    else Object.defineProperty(on, key, before);
  };
}

function guarded(original: object, forbidden: Forbidden, tell: OnForbidden): object {
  const { of, key: name, instead, with: members = [], isPlain } = forbidden;
  const what = of === undefined ? name : `${of}.${name}`;
  const check = (called: string): void => {
    const frame = caller();
    if (frame === 'may') return;
    tell(called, instead, frame);
    throw new ForbiddenError(`${called}: ${instead}`);
  };
  return new Proxy(original, {
    apply(target, self, args) {
      check(what);
      return Reflect.apply(target as () => unknown, self, args);
    },
    construct(target, args, as) {
      if (isPlain?.(args) !== true) check(`new ${what}`);
      return Reflect.construct(target as new () => object, args, as);
    },
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function' || typeof key !== 'string' || !members.includes(key)) return value;
      return (...args: unknown[]) => {
        check(`${what}.${key}`);
        return Reflect.apply(value, target, args);
      };
    },
  });
}

/** The code that called; `may` when that is netvsim or Node, which console.log() leads to. */
function caller(): Frame | undefined | 'may' {
  const frames = framesOf(new Error('called'));
  const frame = frames.find((each) => !isIn(each, 'forbidden'));
  return frame !== undefined && (isOfNode(frame) || isOwn(frame)) ? 'may' : frame;
}
