/**
 * What a step touches, so that a search knows which steps commute: places, each with the way in which it is touched.
 * A place is a number: an object's, or that of one part of it (an item of a queue, a name of a table). Two steps of
 * different contexts commute unless they touch one place, and not both by reading it.
 * What this leaves out: places are numbers of limited size, so that far parts of one object can share one; the search
 * then takes steps for dependent that are not, which costs time and nothing else.
 */

/** How a place is touched. A `need` waits for a `give` of the place, so that the two have only one order. */
export const TOUCH = { read: 0, write: 1, give: 2, need: 3 } as const;

/** Parts that an object's place is divided into. */
const PARTS = 64;
/** Parts that hold for an object as a whole; those behind them are items. */
export const WHOLE = 0;
export const HEAD = 1;
const FIRST_ITEM = 4;
/** Contexts are places too, behind those of the objects; moments share so many, behind those of the contexts. */
const FIRST_CONTEXT = 1 << 27;
const MOMENTS = 1 << 20;
const FIRST_MOMENT = 1 << 28;

export class Footprint {
  /** `place * 4 + touch`, in the order in which they were noted; a place can stand there more than once. */
  touches: number[] = [];
  /** The place from which on objects were made in the step at hand. */
  private firstNew = FIRST_CONTEXT;

  clear(): void {
    if (this.touches.length > 0) this.touches = [];
  }

  /** A step begins; objects that it makes have this number and those behind it. */
  begin(nextObject: number): void {
    this.clear();
    this.firstNew = nextObject * PARTS;
  }

  /**
   * Those of a step's touches that a step of another context can meet. What the step has made itself nobody else could have
   * touched before, and in another order another object has its number.
   */
  known(touches: readonly number[]): readonly number[] {
    const isNew = (touch: number): boolean => placeOf(touch) >= this.firstNew && placeOf(touch) < FIRST_CONTEXT;
    return touches.some(isNew) ? touches.filter((touch) => !isNew(touch)) : touches;
  }

  /** Gives away what was noted, and begins anew. */
  take(): readonly number[] {
    const { touches } = this;
    this.touches = [];
    return touches;
  }

  read(object: number, part = WHOLE): void {
    this.touches.push((object * PARTS + part) * 4 + TOUCH.read);
  }

  write(object: number, part = WHOLE): void {
    this.touches.push((object * PARTS + part) * 4 + TOUCH.write);
  }

  give(object: number, part = WHOLE): void {
    this.touches.push((object * PARTS + part) * 4 + TOUCH.give);
  }

  /** The n-th item comes to a queue in which so many wait: with very many, two of them would share a part. */
  put(object: number, n: number, waiting: number): void {
    this.giveAlone(object, itemPart(n), waiting >= PARTS - FIRST_ITEM);
  }

  /** Gives one of many. `isShared`: somebody waits for another one with the same part, to whom this is not what he needs. */
  giveAlone(object: number, part: number, isShared: boolean): void {
    if (isShared) this.write(object, part);
    else this.give(object, part);
  }

  need(object: number, part = WHOLE): void {
    this.touches.push((object * PARTS + part) * 4 + TOUCH.need);
  }

  /** A step of the context itself. */
  run(context: number): void {
    this.touches.push((FIRST_CONTEXT + context) * 4 + TOUCH.read);
  }

  /**
   * The context is ended by another one. That it does so before or after a step that the context still could do is a
   * difference, and so is what would have let the context go on: `waiting` touches that.
   */
  end(context: number, waiting: (footprint: Footprint) => void): void {
    this.touches.push((FIRST_CONTEXT + context) * 4 + TOUCH.write);
    const from = this.touches.length;
    waiting(this);
    for (let i = from; i < this.touches.length; i++) {
      this.touches[i] = placeOf(this.touches[i] as number) * 4 + TOUCH.write;
    }
  }

  /** A timer was set: of timers that are due at one moment the first that was set is the first to fire. */
  setTimer(at: number): void {
    this.touches.push((FIRST_MOMENT + (at % MOMENTS)) * 4 + TOUCH.write);
  }
}

/** The part for the n-th item that went through a queue. */
export const itemPart = (n: number): number => FIRST_ITEM + (n % (PARTS - FIRST_ITEM));

/** The part for an entry of a table that is found by its name. */
export function namePart(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) | 0;
  return FIRST_ITEM + ((hash >>> 0) % (PARTS - FIRST_ITEM));
}

/** The number of the object that a place is a part of. */
export const objectOf = (place: number): number => Math.floor(place / PARTS);

export const placeOf = (touch: number): number => touch >> 2;
export const wayOf = (touch: number): number => touch & 3;

/** Whether two steps touch one place, and not both by reading it. */
export function meet(ours: readonly number[], theirs: readonly number[]): boolean {
  for (const one of ours) {
    const place = placeOf(one);
    for (const other of theirs) {
      if (placeOf(other) === place && (wayOf(one) !== TOUCH.read || wayOf(other) !== TOUCH.read)) return true;
    }
  }
  return false;
}
