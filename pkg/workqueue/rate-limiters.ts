import type { Clock } from '#pkg/base';
import type { RateLimiter } from './types.ts';

/** Doubles a key's delay with each failure: `base`, 2×`base`, ... up to `max`, ms. */
export function exponentialRateLimiter<K>(base: number, max: number): RateLimiter<K> {
  const failures = new Map<K, number>();
  return {
    when(key) {
      const count = failures.get(key) ?? 0;
      failures.set(key, count + 1);
      return Math.min(base * 2 ** count, max);
    },
    forget: (key) => void failures.delete(key),
    numRequeues: (key) => failures.get(key) ?? 0,
  };
}

/**
 * One token bucket for all keys: `burst` at once, then `qps` a second. Every `when` takes a token, also one that is not
 * there yet, and waits until it would be (`Reserve` of golang.org/x/time/rate).
 */
export function bucketRateLimiter<K>(qps: number, burst: number, clock: Clock): RateLimiter<K> {
  let tokens = burst;
  let last = clock.monotonic();
  return {
    when() {
      const now = clock.monotonic();
      tokens = Math.min(burst, tokens + ((now - last) / 1000) * qps) - 1;
      last = now;
      return tokens < 0 ? (-tokens / qps) * 1000 : 0;
    },
    forget: () => {},
    numRequeues: () => 0,
  };
}

/** `fast` ms for the first `attempts` failures of a key, `slow` ms after them. */
export function fastSlowRateLimiter<K>(fast: number, slow: number, attempts: number): RateLimiter<K> {
  const failures = new Map<K, number>();
  return {
    when(key) {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      return count <= attempts ? fast : slow;
    },
    forget: (key) => void failures.delete(key),
    numRequeues: (key) => failures.get(key) ?? 0,
  };
}

/** Asks every limiter, so that each one counts, and takes the longest delay. */
export function maxOfRateLimiters<K>(...limiters: readonly RateLimiter<K>[]): RateLimiter<K> {
  return {
    when: (key) => limiters.reduce((longest, limiter) => Math.max(longest, limiter.when(key)), 0),
    forget(key) {
      for (const limiter of limiters) limiter.forget(key);
    },
    numRequeues: (key) => limiters.reduce((most, limiter) => Math.max(most, limiter.numRequeues(key)), 0),
  };
}

/** `limiter` with no delay above `max` ms. */
export function cappedRateLimiter<K>(limiter: RateLimiter<K>, max: number): RateLimiter<K> {
  return {
    when: (key) => Math.min(limiter.when(key), max),
    forget: (key) => limiter.forget(key),
    numRequeues: (key) => limiter.numRequeues(key),
  };
}

/**
 * What a controller gets when it asks for nothing else: 5 ms to 1000 s a key, and 10 a second with a burst of 100 over
 * all keys (client-go util/workqueue, `DefaultTypedControllerRateLimiter`).
 */
export function defaultControllerRateLimiter<K>(clock: Clock): RateLimiter<K> {
  return maxOfRateLimiters(exponentialRateLimiter<K>(5, 1_000_000), bucketRateLimiter<K>(10, 100, clock));
}
