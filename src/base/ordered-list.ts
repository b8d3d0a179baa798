import { assert } from './assert.ts';

/** What an {@link OrderedList} holds. */
export interface Prioritised {
  readonly name: string;
  readonly priority: number;
}

/**
 * Entries by falling priority, or by rising; equal priorities in the order in which they were added.
 * Source: Linux kernel/notifier.c, notifier_chain_register(), where the higher one is first; FreeBSD
 * sys/kern/subr_eventhandler.c, where the lower one is: both put a new entry behind existing equals.
 */
export class OrderedList<T extends Prioritised> {
  private readonly entries: T[] = [];
  /** What stood behind an entry when it was removed: a removed list node keeps its `next`. */
  private readonly followers = new WeakMap<T, { readonly next: T | undefined }>();
  private readonly sign: 1 | -1;

  constructor(first: 'highest' | 'lowest' = 'highest') {
    this.sign = first === 'highest' ? 1 : -1;
  }

  get size(): number {
    return this.entries.length;
  }

  add(entry: T): void {
    assert(!this.entries.includes(entry), `${entry.name} is added twice`);
    const at = this.entries.findIndex((other) => (entry.priority - other.priority) * this.sign > 0);
    this.entries.splice(at === -1 ? this.entries.length : at, 0, entry);
  }

  /** False when the entry was not in the list. */
  remove(entry: T): boolean {
    const at = this.entries.indexOf(entry);
    if (at === -1) return false;
    this.followers.set(entry, { next: this.entries[at + 1] });
    this.entries.splice(at, 1);
    return true;
  }

  has(entry: T): boolean {
    return this.entries.includes(entry);
  }

  /**
   * The first entry, or the one behind `entry`; undefined at the end.
   * A walk that asks step by step sees what is added and removed on the way, as a kernel's list walk does; it also
   * gets on from an entry that was removed under it.
   */
  after(entry: T | undefined): T | undefined {
    if (entry === undefined) return this.entries[0];
    const at = this.entries.indexOf(entry);
    if (at !== -1) return this.entries[at + 1];
    const next = this.followers.get(entry)?.next;
    return next === undefined || this.entries.includes(next) ? next : this.after(next);
  }
}
