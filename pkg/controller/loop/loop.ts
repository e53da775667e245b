import PQueue from 'p-queue';

import { type ObjectKey, type ResourceType, isNamespaceTerminating } from '#pkg/api';
import { type Clock, isAbort, sleep } from '#pkg/base';
import type { Logger } from '#pkg/log';
import { type RateLimiter, type RateLimitingQueue, createRateLimitingQueue } from '#pkg/workqueue';

import type { Controller, ControllerContext } from '../definition/definition.ts';
import { isOnlyConflicts } from '../errors.ts';
import { logName } from '../objects/log-name.ts';
import type { AnyTrigger, Attached, Enqueue } from '../source/triggers.ts';
import type { StaleCache, ConsistencyStore } from '../ownership/consistency-store.ts';

/** What a reconcile answers when the key is to be looked at again without any change, ms. */
export interface ReconcileResult {
  /** 0 for as soon as may be: a few ms later, and with growing delay when it is answered again and again. */
  readonly requeueAfter?: number;
}

/** What is to come back sooner than this, ms, is to come back at once. */
const AT_ONCE = 1;

export interface LoopOptions {
  /** Label of the queue's metrics: `replicaset`. */
  readonly queue: string;
  /** What the keys name; logs call it by its kind. */
  readonly resource: ResourceType;
  /** Keys worked on at a time. */
  readonly workers: number;
  readonly triggers: readonly AnyTrigger[];
  /** Caches that reconcile reads without a trigger on them: it is not called before they are filled. */
  readonly caches?: readonly { whenSynced(signal: AbortSignal): Promise<void> }[];
  /** A key whose own writes the caches have not read waits until they have. */
  readonly consistency?: ConsistencyStore;
  /** Failures in a row after which a key is dropped until its next change. Unlimited where missing. */
  readonly maxRetries?: number;
  /** How long a key that failed has to wait; the queue's default where missing. */
  readonly rateLimiter?: RateLimiter<ObjectKey>;
  /**
   * Brings the object of `key` nearer to what is wanted, from current state. Never called twice at a time for one key.
   * What it throws is logged, and the key comes back with growing delay. Ends soon when the signal aborts.
   */
  reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | void>;
}

/** What the loop takes from a controller's context. */
export type LoopContext = Pick<ControllerContext, 'name' | 'informers' | 'clock' | 'log' | 'metrics'>;

/** How often the triggers are asked whether they have been told of everything, once the caches are filled, ms. */
const SYNC_POLL = 20;

/** The loop around `reconcile`: triggers feed a queue, workers take keys from it. Attaches the triggers at once. */
export function createLoop(context: LoopContext, options: LoopOptions): Controller {
  return new Loop(context, options);
}

class Loop implements Controller {
  readonly name: string;
  readonly #options: LoopOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #queue: RateLimitingQueue<ObjectKey>;
  readonly #attached: readonly Attached[];
  /** Keys being reconciled. */
  readonly #running = new Set<ObjectKey>();
  /** Keys put off until the caches have read their writes. */
  readonly #awaited = new Set<ObjectKey>();
  /** Name of the key in logs: `replicaSet`. */
  readonly #field: string;
  #failure: unknown;

  constructor(context: LoopContext, options: LoopOptions) {
    const { clock, metrics } = context;
    this.name = context.name;
    this.#options = options;
    this.#clock = clock;
    this.#log = context.log;
    this.#queue = createRateLimitingQueue<ObjectKey>({
      name: options.queue,
      clock,
      metrics,
      rateLimiter: options.rateLimiter,
    });
    const attach = {
      informers: context.informers,
      name: context.name,
      enqueue: (item: Enqueue) => this.#enqueue(item),
    };
    this.#attached = options.triggers.map((trigger) => trigger.attach(attach));
    this.#field = logName(options.resource);
  }

  running(): readonly string[] {
    return [...this.#running];
  }

  healthy(): void {
    if (this.#failure !== undefined) throw new Error(`a worker of ${this.name} has ended`, { cause: this.#failure });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { workers } = this.#options;
    const stop = (): void => this.#stop();
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    try {
      this.#log.info('Starting controller', { name: this.name, workers });
      await this.#cachesFilled(signal);
      if (!signal.aborted && workers > 0) {
        const pool = new PQueue({ concurrency: workers });
        await pool.addAll(Array.from({ length: workers }, () => () => this.#work(signal)));
      }
      // Without workers nothing is done, which is what was asked for, and not the same as having ended.
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    } catch (error) {
      this.#failure = error;
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
      for (const attached of this.#attached) attached.remove();
      this.#queue.shutDown();
      this.#log.info('Controller stopped', { name: this.name });
    }
  }

  #stop(): void {
    this.#log.info('Shutting down controller', { name: this.name, running: this.running() });
    this.#queue.shutDown();
  }

  async #cachesFilled(signal: AbortSignal): Promise<void> {
    const caches = [...this.#attached, ...(this.#options.caches ?? [])];
    const told = (): boolean => this.#attached.every((attached) => attached.hasSynced());
    try {
      await Promise.all(caches.map((cache) => cache.whenSynced(signal)));
      while (!told()) await sleep(this.#clock, SYNC_POLL, signal);
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
    }
  }

  #enqueue(item: Enqueue): void {
    if (typeof item === 'string') this.#queue.add(item);
    else this.#queue.addAfter(item.key, item.after);
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let key = await this.#queue.get(); key !== undefined; key = await this.#queue.get()) {
      try {
        // After a stop the queue still hands out what waits: it is left for the next leader.
        if (!signal.aborted && this.#isFresh(key, signal)) await this.#process(key, signal);
      } finally {
        this.#queue.done(key);
      }
    }
  }

  /** False for a key that the caches are behind with: it comes back as soon as they have caught up. */
  #isFresh(key: ObjectKey, signal: AbortSignal): boolean {
    const stale = this.#options.consistency?.ensureReady(key);
    if (!stale) {
      this.#awaited.delete(key);
      return true;
    }
    const { resource, read, wrote } = stale;
    this.#log.v(4)?.info('Waiting for the cache', { [this.#field]: key, resource: resource.resource, read, wrote });
    if (!this.#awaited.has(key)) void this.#await(key, stale, signal);
    return false;
  }

  async #await(key: ObjectKey, stale: StaleCache, signal: AbortSignal): Promise<void> {
    this.#awaited.add(key);
    try {
      await stale.caughtUp(signal);
    } catch (error) {
      if (isAbort(error, signal)) return;
      this.#log.error('Waiting for the cache failed', error, { [this.#field]: key });
    }
    // Mostly the awaited event itself has brought the key back, and it has been worked on already.
    if (this.#awaited.delete(key)) this.#queue.add(key);
  }

  async #process(key: ObjectKey, signal: AbortSignal): Promise<void> {
    const started = this.#clock.monotonic();
    const story = (): { [name: string]: unknown } => ({
      [this.#field]: key,
      duration: this.#clock.monotonic() - started,
    });
    this.#running.add(key);
    this.#log.v(5)?.info('Started syncing', { [this.#field]: key });
    try {
      const requeueAfter = (await this.#options.reconcile(key, signal))?.requeueAfter;
      // At once is a try that got nowhere: without growing delay a mistake somewhere would spin.
      if (requeueAfter !== undefined && requeueAfter < AT_ONCE) this.#queue.addRateLimited(key);
      else {
        this.#queue.forget(key);
        if (requeueAfter !== undefined) this.#queue.addAfter(key, requeueAfter);
      }
      this.#log.v(4)?.info('Finished syncing', { ...story(), ...(requeueAfter === undefined ? {} : { requeueAfter }) });
    } catch (error) {
      if (signal.aborted) this.#log.v(4)?.info('Stopped syncing', story());
      else this.#failed(key, error, story());
    } finally {
      this.#running.delete(key);
    }
  }

  #failed(key: ObjectKey, error: unknown, story: { [name: string]: unknown }): void {
    if (isNamespaceTerminating(error)) {
      this.#log.v(2)?.info('The namespace is being terminated', story);
      this.#queue.forget(key);
      return;
    }
    const { maxRetries } = this.#options;
    const failures = this.#queue.numRequeues(key);
    if (maxRetries !== undefined && failures >= maxRetries) {
      this.#log.error('Dropping out of the queue', error, { ...story, retries: failures });
      this.#queue.forget(key);
      return;
    }
    if (isOnlyConflicts(error))
      this.#log.v(2)?.info('Conflict while syncing, will retry', { ...story, retries: failures });
    else if (isPanic(error)) this.#log.error('Observed a panic', error, { ...story, stack: error.stack });
    else this.#log.error('Error syncing', error, { ...story, retries: failures });
    this.#queue.addRateLimited(key);
  }
}

/** A mistake of the program, not of the world: worth its stack. */
function isPanic(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof ReferenceError;
}
