import { type Clock, sleep } from '#pkg/base';

/** Hands out permits; a request waits for one before it goes to the transport. */
export interface RateLimiter {
  /** Resolves to the time waited, ms. Rejects with the signal's reason, and gives the permit back. */
  wait(signal?: AbortSignal): Promise<number> | number;
}

export const unlimited: RateLimiter = { wait: () => 0 };

/**
 * A bucket of `burst` tokens, filled at `qps` a second, as client-go's `flowcontrol.NewTokenBucketRateLimiter`. Waiters
 * are served in the order they came: each reserves its token at once and sleeps until that token is due.
 */
export class TokenBucket implements RateLimiter {
  readonly #qps: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #updated: number;

  constructor(qps: number, burst: number, clock: Clock) {
    this.#qps = qps;
    this.#burst = burst;
    this.#clock = clock;
    this.#tokens = burst;
    this.#updated = clock.monotonic();
  }

  /** A token right now, or none. */
  tryTake(): boolean {
    this.#refill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  wait(signal?: AbortSignal): Promise<number> | number {
    signal?.throwIfAborted();
    this.#refill();
    this.#tokens -= 1;
    if (this.#tokens >= 0) return 0;
    const delay = (-this.#tokens / this.#qps) * 1000;
    return sleep(this.#clock, delay, signal).then(
      () => delay,
      (reason: unknown) => {
        this.#tokens += 1;
        throw reason;
      },
    );
  }

  #refill(): void {
    const now = this.#clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#updated) / 1000) * this.#qps);
    this.#updated = now;
  }
}

/** client-go's defaults for clients that do not say (`rest.DefaultQPS`, `rest.DefaultBurst`). */
const DEFAULT_QPS = 5;
const DEFAULT_BURST = 10;

/** Reads limits as `rest.RESTClientFor` does: zero means the default, a negative rate means no limit. */
export function rateLimiterFor(qps: number | undefined, burst: number | undefined, clock: Clock): RateLimiter {
  const rate = qps || DEFAULT_QPS;
  return rate < 0 ? unlimited : new TokenBucket(rate, burst || DEFAULT_BURST, clock);
}
