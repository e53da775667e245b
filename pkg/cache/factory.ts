import { type KubeObject, type ResourceType, groupResource } from '#pkg/api';
import { type Clock, type Random, jitter } from '#pkg/base';
import type { ResourceClient } from '#pkg/client';
import type { Logger } from '#pkg/log';
import type { Metrics } from '#pkg/metrics';

import { CacheError } from './errors.ts';
import { follow } from './follow.ts';
import { informerMetrics } from './informer-metrics.ts';
import { Informer } from './informer.ts';
import { fieldsKeptBy } from './projection.ts';
import type { Follower, InformerFactory, InformerOptions, SharedInformer } from './types.ts';

/** What informers need of a client; every `Client` is one. */
export interface InformerClient {
  resource<T extends KubeObject>(type: ResourceType<T>): Pick<ResourceClient<T>, 'list' | 'watch'>;
}

export interface InformerFactoryOptions {
  readonly client: InformerClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** The factory's name, a label of its informers' metrics. */
  readonly name?: string;
  /**
   * `--min-resync-period`, ms: handlers that ask for no period of their own are told every object again after this to
   * twice this (one draw an informer). Never where missing or 0.
   */
  readonly defaultResync?: number;
  /** Look at one namespace only. */
  readonly namespace?: string;
  /** Freeze every cached object, so that a test fails where one is written to. Costs time and memory. */
  readonly freeze?: boolean;
}

/** Between two logs of what has not synced, ms. */
const SYNC_LOG_PERIOD = 10_000;

export function createInformerFactory(options: InformerFactoryOptions): InformerFactory {
  return new Factory(options);
}

/** What the factory does with an informer whatever its objects. */
interface Entry {
  readonly informer: Pick<Informer<KubeObject>, 'name' | 'hasSynced' | 'whenSynced' | 'run'>;
  /** The informer as it was first asked for; both carry their object type only in `T`. */
  readonly shared: unknown;
  readonly transform: unknown;
  /** Aborts the present run. */
  stop: AbortController | undefined;
  ended: Promise<void>;
}

class Factory implements InformerFactory {
  readonly #options: InformerFactoryOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: InformerFactoryOptions) {
    this.#options = options;
  }

  informer<T extends KubeObject>(resource: ResourceType<T>, options: InformerOptions<T> = {}): SharedInformer<T> {
    return this.#informer(resource, options.transform, false);
  }

  metadataInformer(resource: ResourceType): SharedInformer<KubeObject> {
    return this.#informer(resource, undefined, true);
  }

  existing(resource: ResourceType): SharedInformer<KubeObject> | undefined {
    const entry = this.#entries.get(keyOf(resource, false)) ?? this.#entries.get(keyOf(resource, true));
    return entry?.shared as SharedInformer<KubeObject> | undefined;
  }

  follow(resource: ResourceType, follower: Follower, signal: AbortSignal): Promise<void> {
    const { client, clock, random, log, metrics, name = '' } = this.#options;
    return follow(
      {
        resource,
        client: client.resource(resource),
        scope: this.#scope(resource, true),
        follower,
        clock,
        random,
        log,
        metrics: informerMetrics(metrics, clock, name, resource),
      },
      signal,
    );
  }

  start(signal: AbortSignal): void {
    if (signal.aborted) return;
    const started: AbortController[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.stop !== undefined && !entry.stop.signal.aborted) continue;
      const stop = new AbortController();
      entry.stop = stop;
      entry.ended = entry.informer.run(stop.signal);
      started.push(stop);
    }
    if (started.length === 0) return;
    // One listener for all: sixty on one signal would look like a leak.
    signal.addEventListener('abort', () => started.forEach((stop) => stop.abort(signal.reason)), { once: true });
  }

  async waitForCacheSync(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    const entries = [...this.#entries.values()].filter((entry) => entry.stop !== undefined);
    const waiting = new AbortController();
    const onAbort = (): void => waiting.abort(signal.reason);
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    const report = (): void => {
      const missing = entries.filter(({ informer }) => !informer.hasSynced()).map(({ informer }) => informer.name);
      log.warning('Still waiting for caches to sync', { missing: missing.toSorted().join(', ') });
      timer = clock.setTimeout(report, SYNC_LOG_PERIOD);
    };
    let timer = clock.setTimeout(report, SYNC_LOG_PERIOD);
    try {
      // One after the other: the last to come decides anyway, and one listener is enough.
      for (const { informer } of entries) await informer.whenSynced(waiting.signal);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', onAbort);
    }
  }

  async shutdown(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => entry.ended));
  }

  #informer<T extends KubeObject>(
    resource: ResourceType<T>,
    transform: ((object: T) => T) | undefined,
    metadataOnly: boolean,
  ): SharedInformer<T> {
    const key = keyOf(resource, metadataOnly);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      // Whoever asked first decides what is kept; a later one must not find fields missing that it counts on.
      if (known.transform !== transform) {
        throw new CacheError('TransformConflict', 'the resource is informed on with another transform', {
          resource: key,
        });
      }
      return known.shared as SharedInformer<T>;
    }
    const informer = this.#create(resource, transform, metadataOnly);
    this.#entries.set(key, { informer, shared: informer, transform, stop: undefined, ended: Promise.resolve() });
    return informer;
  }

  #create<T extends KubeObject>(
    resource: ResourceType<T>,
    transform: ((object: T) => T) | undefined,
    metadataOnly: boolean,
  ): Informer<T> {
    const { client, clock, random, log, metrics, name = '', defaultResync = 0, freeze = false } = this.#options;
    const keep = fieldsKeptBy(transform);
    return new Informer({
      resource,
      client: client.resource(resource),
      scope: { ...this.#scope(resource, metadataOnly), ...(keep === undefined ? {} : { keep }) },
      ...(transform === undefined ? {} : { transform }),
      clock,
      random,
      log,
      metrics: informerMetrics(metrics, clock, name, resource),
      defaultResync: jitter(random, defaultResync, 1),
      freeze,
    });
  }

  #scope(resource: ResourceType, metadataOnly: boolean): { namespace?: string; metadataOnly?: boolean } {
    const { namespace } = this.#options;
    return {
      ...(namespace === undefined || !resource.namespaced ? {} : { namespace }),
      ...(metadataOnly ? { metadataOnly } : {}),
    };
  }
}

function keyOf(resource: ResourceType, metadataOnly: boolean): string {
  return `${groupResource(resource)}/${resource.version}${metadataOnly ? '#metadata' : ''}`;
}
