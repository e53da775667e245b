import type { Clock, Timer } from '#pkg/base';

interface Delayed<K> {
  readonly key: K;
  /** On the monotonic clock. */
  readyAt: number;
  /** Where it stands in the heap, so that an earlier time can move it up instead of leaving a dead entry behind. */
  index: number;
}

/** Keys that become due later: one heap, and one timer for its top however many keys wait. */
export class Delays<K> {
  readonly #clock: Clock;
  readonly #due: (key: K) => void;
  readonly #heap: Delayed<K>[] = [];
  readonly #byKey = new Map<K, Delayed<K>>();
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, due: (key: K) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Delays a key. Where several delays are set for one key, the one that ends first counts. */
  set(key: K, delay: number): void {
    const readyAt = this.#clock.monotonic() + delay;
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      if (readyAt >= known.readyAt) return;
      known.readyAt = readyAt;
      this.#up(known);
    } else {
      const entry = { key, readyAt, index: this.#heap.length };
      this.#heap.push(entry);
      this.#byKey.set(key, entry);
      this.#up(entry);
    }
    this.#arm();
  }

  clear(): void {
    this.#heap.length = 0;
    this.#byKey.clear();
    this.#arm();
  }

  #arm(): void {
    const next = this.#heap[0]?.readyAt ?? Number.POSITIVE_INFINITY;
    if (next === this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = next;
    // Whole milliseconds, rounded up: a timer that rings a fraction early would only ring again.
    this.#timer =
      next === Number.POSITIVE_INFINITY
        ? undefined
        : this.#clock.setTimeout(() => this.#ring(), Math.max(0, Math.ceil(next - this.#clock.monotonic())));
  }

  #ring(): void {
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
    const now = this.#clock.monotonic();
    for (let top = this.#heap[0]; top !== undefined && top.readyAt <= now; top = this.#heap[0]) {
      this.#removeTop();
      this.#byKey.delete(top.key);
      this.#due(top.key);
    }
    this.#arm();
  }

  #removeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    last.index = 0;
    this.#heap[0] = last;
    this.#down(last);
  }

  #up(entry: Delayed<K>): void {
    const heap = this.#heap;
    while (entry.index > 0) {
      const parent = heap[(entry.index - 1) >> 1]!;
      if (parent.readyAt <= entry.readyAt) break;
      this.#swap(parent, entry);
    }
  }

  #down(entry: Delayed<K>): void {
    const heap = this.#heap;
    for (;;) {
      const left = heap[2 * entry.index + 1];
      const right = heap[2 * entry.index + 2];
      if (left === undefined) break;
      const child = right !== undefined && right.readyAt < left.readyAt ? right : left;
      if (entry.readyAt <= child.readyAt) break;
      this.#swap(entry, child);
    }
  }

  #swap(above: Delayed<K>, below: Delayed<K>): void {
    const index = above.index;
    above.index = below.index;
    below.index = index;
    this.#heap[above.index] = above;
    this.#heap[below.index] = below;
  }
}
