import type { ObjectKey } from '#pkg/api';

/**
 * Since when the write for each key has been put off: what others are bound to follow may go as one with them, but waits no
 * longer than the given patience, whatever comes or does not come.
 */
export class PutOffs {
  readonly #patience: number;
  readonly #since = new Map<ObjectKey, number>();

  /** `patience`: ms. */
  constructor(patience: number) {
    this.#patience = patience;
  }

  /** How much longer the write may wait, ms, from the first time it was put off; `now` is monotonic. */
  left(key: ObjectKey, now: number): number {
    const since = this.#since.get(key) ?? now;
    this.#since.set(key, since);
    return Math.max(0, since + this.#patience - now);
  }

  /** It was written, or there is nothing to write. */
  end(key: ObjectKey): void {
    this.#since.delete(key);
  }
}
