/**
 * A keyed queue with client-go's guarantees: a key waits at most once, is handed to one worker at a time, and comes
 * back if it was added while being processed.
 */
export interface RateLimitingQueue<K> {
  add(key: K): void;
  /** Adds after `delay` ms; of several pending delays for a key the earliest counts. */
  addAfter(key: K, delay: number): void;
  /** Adds after the rate limiter's delay for this key. */
  addRateLimited(key: K): void;
  /** Forgets the key's failures. */
  forget(key: K): void;
  /** How often the key was added rate-limited since it was last forgotten. */
  numRequeues(key: K): number;
  /** The next key; `undefined` once the queue is shut down and empty. */
  get(): Promise<K | undefined>;
  /** Must follow every `get`, when the key's work has ended. */
  done(key: K): void;
  /** Keys waiting, without delayed ones and those being processed. */
  readonly length: number;
  /** No more adds; waiting keys are still handed out. */
  shutDown(): void;
  /** As `shutDown`, and resolves when every key handed out is done. */
  shutDownWithDrain(): Promise<void>;
  readonly shuttingDown: boolean;
}
