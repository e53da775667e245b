/**
 * A keyed queue with client-go's guarantees: a key waits at most once, is handed to one worker at a time, and comes
 * back if it was added while being processed. Keys are compared as a `Map` compares them: use strings or numbers.
 */
export interface RateLimitingQueue<K> {
  /** The label of its metrics. */
  readonly name: string;
  add(key: K): void;
  /** Adds after `delay` ms; of several pending delays for a key the earliest counts. */
  addAfter(key: K, delay: number): void;
  /** Adds after the rate limiter's delay for this key. */
  addRateLimited(key: K): void;
  /** Forgets the key's failures. */
  forget(key: K): void;
  /** How often the key was added rate-limited since it was last forgotten. */
  numRequeues(key: K): number;
  /** The next key, first come first served; `undefined` once the queue is shut down and empty. */
  get(): Promise<K | undefined>;
  /** Must follow every `get`, when the key's work has ended. For a key that is not being processed it does nothing. */
  done(key: K): void;
  /** Keys waiting, without delayed ones and those being processed. */
  readonly length: number;
  /** No more adds, delayed keys are dropped; waiting keys are still handed out. Ends a drain under way. */
  shutDown(): void;
  /** Shuts down as `shutDown` does, and resolves when every key handed out is done. */
  shutDownWithDrain(): Promise<void>;
  readonly shuttingDown: boolean;
}

/** Decides how long a failed key has to wait. */
export interface RateLimiter<K> {
  /** Counts one more failure of the key; the delay before its next attempt, ms. */
  when(key: K): number;
  /** Stops tracking the key, whether it succeeded or was given up. */
  forget(key: K): void;
  /** Failures since the key was last forgotten. */
  numRequeues(key: K): number;
}
