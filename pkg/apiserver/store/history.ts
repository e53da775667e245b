import type { StoreEvent } from './entry.ts';

/**
 * The latest changes of one resource, at most `capacity` of them: what watches resume from and what lists at an earlier
 * revision are rebuilt from. Finding a revision is a binary search.
 */
export class History {
  readonly #capacity: number;
  #events: StoreEvent[] = [];
  /** Index of the oldest event; the slots before it are free. */
  #start = 0;
  /** Revision of the newest event that is gone; nothing before it can be told any more. */
  #forgotten: number;

  constructor(capacity: number, revision: number) {
    this.#capacity = capacity;
    this.#forgotten = revision;
  }

  push(event: StoreEvent): void {
    this.#events.push(event);
    if (this.#events.length - this.#start > this.#capacity) this.#drop(1);
  }

  /** Everything that happened after `revision`, oldest first; undefined where that is no longer known. */
  after(revision: number): readonly StoreEvent[] | undefined {
    if (revision < this.#forgotten) return undefined;
    let low = this.#start;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#events[middle]!.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low);
  }

  /** The oldest revision that `after` still knows. */
  get oldest(): number {
    return this.#forgotten;
  }

  /** Forgets everything up to `revision`. */
  forget(revision: number): void {
    const kept = this.after(Math.max(revision, this.#forgotten)) ?? [];
    this.#events = [...kept];
    this.#start = 0;
    this.#forgotten = Math.max(revision, this.#forgotten);
  }

  #drop(count: number): void {
    this.#start += count;
    this.#forgotten = this.#events[this.#start - 1]!.revision;
    // Moving the rest down only when half is free keeps a push at constant cost.
    if (this.#start * 2 > this.#events.length) {
      this.#events = this.#events.slice(this.#start);
      this.#start = 0;
    }
  }
}
