import { type KubeObject, type ResourceType, groupResource } from '#pkg/api';
import type { Clock, Random } from '#pkg/base';
import type { ResourceClient } from '#pkg/client';
import type { Logger } from '#pkg/log';

import { Handlers } from './handlers.ts';
import type { InformerMetrics } from './informer-metrics.ts';
import { Mirror } from './mirror.ts';
import { type ReflectorOptions, reflect } from './reflector.ts';
import { hasReached } from './resource-version.ts';
import { Store } from './store.ts';
import type {
  EventHandler,
  HandlerOptions,
  HandlerRegistration,
  IndexFunction,
  Lister,
  SharedInformer,
} from './types.ts';
import { Waiters } from './waiters.ts';

export interface InformerConfig<T extends KubeObject> {
  readonly resource: ResourceType<T>;
  readonly client: Pick<ResourceClient<T>, 'list' | 'watch'>;
  readonly scope: ReflectorOptions<T>['scope'];
  readonly transform?: (object: T) => T;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: InformerMetrics;
  /** Resync period of handlers that ask for no other, in milliseconds; 0 for never. */
  readonly defaultResync: number;
  /** Freeze what is cached, for tests. */
  readonly freeze: boolean;
}

/** One cache of one resource, and everyone who wants to hear of its changes. */
export class Informer<T extends KubeObject> implements SharedInformer<T> {
  readonly resource: ResourceType<T>;
  /** In logs: `pods`, `deployments.apps`. */
  readonly name: string;
  readonly #config: InformerConfig<T>;
  readonly #store: Store<T>;
  readonly #handlers: Handlers<T>;
  readonly #mirror: Mirror<T>;
  readonly #waiters = new Waiters();
  #lastContact: number | undefined;
  /** Counts runs asked for; the one whose list the cache holds has synced. */
  #run = 0;
  #active = 0;
  #synced = 0;
  #running: Promise<void> | undefined;

  constructor(config: InformerConfig<T>) {
    const { resource, clock, random, metrics } = config;
    this.resource = resource;
    this.name = config.scope.metadataOnly ? `${groupResource(resource)} (metadata)` : groupResource(resource);
    const log = config.log.with({ informer: this.name });
    this.#config = { ...config, log };
    this.#store = new Store((index, error) => log.error('Index function failed', error, { index }));
    this.#handlers = new Handlers({
      clock,
      random,
      log,
      defaultResync: config.defaultResync,
      onPanic: (handler) => metrics.panicked(handler),
      onQueued: (count) => metrics.queued(count),
    });
    this.#mirror = new Mirror({
      store: this.#store,
      handlers: this.#handlers,
      transform: config.transform,
      freeze: config.freeze,
      clock,
      log,
      metrics,
      onAdvance: () => this.#advanced(),
    });
  }

  get lister(): Lister<T> {
    return this.#store;
  }

  get lastSyncResourceVersion(): string {
    return this.#mirror.resourceVersion;
  }

  get lastContact(): number | undefined {
    return this.#lastContact;
  }

  addEventHandler(handler: EventHandler<T>, options: HandlerOptions = {}): HandlerRegistration {
    return this.#handlers.add(handler, options, {
      list: () => this.#store.list(),
      hasSynced: () => this.#mirror.hasList,
    });
  }

  addIndex(name: string, index: IndexFunction<T>): void {
    this.#store.addIndex(name, index);
  }

  hasSynced(): boolean {
    return this.#synced === this.#run && this.#run > 0;
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    return this.#waiters.wait(() => this.hasSynced(), signal);
  }

  hasReached(resourceVersion: string): boolean {
    return hasReached(this.#mirror.resourceVersion, resourceVersion);
  }

  waitForResourceVersion(resourceVersion: string, signal: AbortSignal): Promise<void> {
    return this.#waiters.wait(() => this.hasReached(resourceVersion), signal);
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  /**
   * Keeps the cache up until `signal` aborts, and resolves when nothing of it is left running. May be called again
   * afterwards: the cache is then listed anew and handlers are told only what differs.
   */
  run(signal: AbortSignal): Promise<void> {
    const previous = this.#running;
    const run = this.#keepUp(++this.#run, signal, previous).finally(() => {
      if (this.#running === run) this.#running = undefined;
    });
    this.#running = run;
    return run;
  }

  async #keepUp(run: number, signal: AbortSignal, previous: Promise<void> | undefined): Promise<void> {
    await previous;
    if (signal.aborted) return;
    this.#active = run;
    const { client, scope, clock, random, log, metrics } = this.#config;
    this.#handlers.start();
    try {
      await reflect(
        {
          name: this.name,
          client,
          target: this.#mirror,
          scope,
          clock,
          random,
          log,
          observer: {
            ...metrics,
            contacted: () => {
              this.#lastContact = clock.monotonic();
              metrics.contacted();
            },
          },
        },
        signal,
        this.#mirror.resourceVersion,
      );
    } finally {
      this.#handlers.stop();
      await this.#handlers.idle();
    }
  }

  #advanced(): void {
    this.#synced = this.#active;
    this.#waiters.check();
  }
}
