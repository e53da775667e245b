import type { Clock, Random } from '#pkg/base';

/** From the second attempt in a row on, ms: short enough that the server's return is noticed at once, as people see it. */
const INITIAL_DELAY = 100;
const LONGEST_DELAY = 2000;

/**
 * When to open the next connection to a server that cannot be reached: everyone who needs one waits together, for twice as
 * long after each failure, instead of each trying at its own pace. Then one tries for all: its failure is theirs, and as
 * soon as an answer has come, they go ahead.
 */
export class DialBackoff {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #waiters = new Set<(failure?: Error) => void>();
  #failures = 0;
  #notBefore = 0;
  #trying = false;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /**
   * Resolves when it is the caller's turn; then `failed` or `opened` must follow. Rejects with the signal's reason, and
   * with the failure of whoever tried meanwhile.
   */
  async turn(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      if (this.#failures === 0) return;
      const wait = this.#notBefore - this.#clock.monotonic();
      if (!this.#trying && wait <= 0) break;
      await this.#news(this.#trying ? undefined : wait, signal);
    }
    this.#trying = true;
  }

  /** No connection, or one that ended before it had answered anything. */
  failed(failure: Error): void {
    this.#failures++;
    this.#delayNext(failure);
  }

  /** There is a connection. Whether it is good for anything shows in a moment; until then the next waits as long again. */
  opened(): void {
    if (this.#failures > 0) this.#delayNext();
  }

  /** The server answers. */
  answered(): void {
    if (this.#failures === 0) return;
    this.#failures = 0;
    this.#tell();
  }

  #delayNext(failure?: Error): void {
    const delay = Math.min(INITIAL_DELAY * 2 ** (this.#failures - 1), LONGEST_DELAY);
    this.#notBefore = this.#clock.monotonic() + delay * (0.5 + this.#random() / 2);
    this.#tell(failure);
  }

  #tell(failure?: Error): void {
    this.#trying = false;
    for (const wake of this.#waiters) wake(failure);
  }

  /** Until something has happened, the signal aborts, or `wait` is over. */
  #news(wait: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (failure?: Error): void => {
        timer?.cancel();
        this.#waiters.delete(wake);
        signal.removeEventListener('abort', onAbort);
        if (failure === undefined) resolve();
        else reject(failure);
      };
      const onAbort = (): void => wake();
      const timer = wait === undefined ? undefined : this.#clock.setTimeout(wake, wait);
      this.#waiters.add(wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
