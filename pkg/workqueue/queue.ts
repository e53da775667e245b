import type { Clock } from '#pkg/base';
import type { Metrics } from '#pkg/metrics';
import { Delays } from './delays.ts';
import { type QueueMetrics, registerQueueMetrics } from './queue-metrics.ts';
import { defaultControllerRateLimiter } from './rate-limiters.ts';
import { Ring } from './ring.ts';
import type { RateLimiter, RateLimitingQueue } from './types.ts';

export interface RateLimitingQueueOptions<K> {
  /** The label of its metrics; without a name it has none. */
  readonly name: string;
  readonly clock: Clock;
  readonly metrics?: Metrics;
  /** {@link defaultControllerRateLimiter} where missing. */
  readonly rateLimiter?: RateLimiter<K>;
  /** Runs a callback after the event loop has served what else is due; `setImmediate` where missing. */
  readonly afterEventLoopTurn?: (callback: () => void) => void;
}

export function createRateLimitingQueue<K>(options: RateLimitingQueueOptions<K>): RateLimitingQueue<K> {
  return new Queue(options);
}

/** How long keys are handed out one after another before the event loop gets a turn, ms. */
const LONGEST_BURST = 10;

class Queue<K> implements RateLimitingQueue<K> {
  readonly name: string;
  readonly #clock: Clock;
  readonly #rateLimiter: RateLimiter<K>;
  readonly #delays: Delays<K>;
  readonly #metrics: QueueMetrics | undefined;
  readonly #afterEventLoopTurn: (callback: () => void) => void;

  /** In the order of hand-out; each is in `#dirty` and not in `#processing`. */
  readonly #waiting = new Ring<K>();
  /** To be handed out, with the time of the add. A key added while being processed is here and not in `#waiting`. */
  readonly #dirty = new Map<K, number>();
  /** Handed out and not done, with the time of the hand-out. */
  readonly #processing = new Map<K, number>();

  readonly #getters = new Ring<(key: K | undefined) => void>();
  #drained: (() => void)[] = [];
  #shuttingDown = false;
  #burstSince: number | undefined;

  constructor(options: RateLimitingQueueOptions<K>) {
    this.name = options.name;
    this.#clock = options.clock;
    this.#rateLimiter = options.rateLimiter ?? defaultControllerRateLimiter<K>(options.clock);
    this.#delays = new Delays<K>(options.clock, (key) => this.add(key));
    this.#afterEventLoopTurn = options.afterEventLoopTurn ?? ((callback) => void setImmediate(callback));
    if (options.metrics !== undefined && options.name !== '') {
      this.#metrics = registerQueueMetrics(options.metrics, options.name, {
        depth: () => this.#dirty.size,
        running: () => this.#ages(),
      });
    }
  }

  get length(): number {
    return this.#waiting.size;
  }

  get shuttingDown(): boolean {
    return this.#shuttingDown;
  }

  add(key: K): void {
    if (this.#shuttingDown || this.#dirty.has(key)) return;
    this.#metrics?.added();
    this.#dirty.set(key, this.#clock.monotonic());
    if (!this.#processing.has(key)) this.#enqueue(key);
  }

  addAfter(key: K, delay: number): void {
    if (this.#shuttingDown) return;
    this.#metrics?.retried();
    // Also where a delay is not a number: a key must never be lost.
    if (delay > 0) this.#delays.set(key, delay);
    else this.add(key);
  }

  addRateLimited(key: K): void {
    this.addAfter(key, this.#rateLimiter.when(key));
  }

  forget(key: K): void {
    this.#rateLimiter.forget(key);
  }

  numRequeues(key: K): number {
    return this.#rateLimiter.numRequeues(key);
  }

  get(): Promise<K | undefined> {
    return new Promise((resolve) => {
      if (!this.#burstIsLong()) this.#serve(resolve);
      else this.#afterEventLoopTurn(() => this.#serve(resolve));
    });
  }

  done(key: K): void {
    const start = this.#processing.get(key);
    if (start === undefined) return;
    this.#processing.delete(key);
    this.#metrics?.worked((this.#clock.monotonic() - start) / 1000);
    if (this.#dirty.has(key)) this.#enqueue(key);
    if (this.#processing.size === 0) this.#endDrain();
  }

  shutDown(): void {
    this.#stopAdds();
    this.#endDrain();
  }

  shutDownWithDrain(): Promise<void> {
    this.#stopAdds();
    if (this.#processing.size === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#drained.push(resolve));
  }

  #enqueue(key: K): void {
    const getter = this.#getters.shift();
    if (getter === undefined) this.#waiting.push(key);
    else getter(this.#handOut(key));
  }

  #serve(resolve: (key: K | undefined) => void): void {
    if (this.#waiting.size > 0) {
      resolve(this.#handOut(this.#waiting.shift()!));
    } else {
      this.#burstSince = undefined;
      if (this.#shuttingDown) resolve(undefined);
      else this.#getters.push(resolve);
    }
  }

  #handOut(key: K): K {
    const now = this.#clock.monotonic();
    this.#metrics?.waited((now - this.#dirty.get(key)!) / 1000);
    this.#dirty.delete(key);
    this.#processing.set(key, now);
    return key;
  }

  /**
   * With a backlog, workers that never wait for I/O would run as one chain of microtasks, and no request, timer or
   * probe would be served until the queue is empty.
   */
  #burstIsLong(): boolean {
    if (this.#waiting.size === 0) return false;
    const now = this.#clock.monotonic();
    this.#burstSince ??= now;
    if (now - this.#burstSince < LONGEST_BURST) return false;
    this.#burstSince = undefined;
    return true;
  }

  #stopAdds(): void {
    this.#shuttingDown = true;
    this.#delays.clear();
    while (this.#getters.size > 0) this.#getters.shift()!(undefined);
  }

  #endDrain(): void {
    const drained = this.#drained;
    if (drained.length === 0) return;
    this.#drained = [];
    for (const resolve of drained) resolve();
  }

  *#ages(): Generator<number> {
    const now = this.#clock.monotonic();
    for (const start of this.#processing.values()) yield (now - start) / 1000;
  }
}
