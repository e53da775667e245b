import type { ObjectKey } from '#pkg/api';

/**
 * Debounces writes per key, so that changes which follow one another closely are written at once. A write is delayed by
 * at most `maxDelay` milliseconds, counted from the first time it was delayed.
 */
export class Debounce {
  readonly #maxDelay: number;
  readonly #delayedSince = new Map<ObjectKey, number>();

  /** `maxDelay`: milliseconds. */
  constructor(maxDelay: number) {
    this.#maxDelay = maxDelay;
  }

  /** Milliseconds that the write for `key` may still be delayed; starts the delay if there is none. `now` is monotonic. */
  remaining(key: ObjectKey, now: number): number {
    const since = this.#delayedSince.get(key) ?? now;
    this.#delayedSince.set(key, since);
    return Math.max(0, since + this.#maxDelay - now);
  }

  /** Ends the delay: the write was made, or there is nothing to write. */
  end(key: ObjectKey): void {
    this.#delayedSince.delete(key);
  }
}
