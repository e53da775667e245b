import type { Clock, Timer } from '#pkg/base';

/** How often a watcher that wants bookmarks hears how far the server is. */
const PERIOD = 60_000;

/** Sends bookmarks to all who want them, with one timer, which runs only while there is anyone. */
export class Bookmarks {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `send` about once a minute until the returned function is called. */
  add(send: () => void): () => void {
    this.#waiting.add(send);
    this.#timer ??= this.#clock.setTimeout(() => this.#tick(), PERIOD);
    return () => {
      this.#waiting.delete(send);
      if (this.#waiting.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    };
  }

  #tick(): void {
    this.#timer = this.#clock.setTimeout(() => this.#tick(), PERIOD);
    for (const send of this.#waiting) send();
  }
}
