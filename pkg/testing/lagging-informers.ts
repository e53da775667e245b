import { type KubeObject, type ObjectKey, type ResourceType, groupResource, keyOf } from '#pkg/api';
import type { Clock } from '#pkg/base';
import {
  type EventHandler,
  type Follower,
  type HandlerRegistration,
  type IndexFunction,
  type InformerFactory,
  type Lister,
  NAMESPACE_INDEX,
  type SharedInformer,
  hasReached,
} from '#pkg/cache';

import type { ClusterChange, FakeCluster } from './fake-cluster.ts';

export interface LaggingInformersOptions {
  readonly cluster: FakeCluster;
  readonly clock: Clock;
  /** How late a change reaches the cache, ms; drawn anew for each. Changes of one resource keep their order. */
  readonly lag?: (resource: ResourceType) => number;
}

/**
 * Informers over a {@link FakeCluster} that are as late as a test wants them: a controller then acts on a past that is
 * different for each resource. No reflector, no watch; those have their own tests.
 */
export class LaggingInformers implements InformerFactory {
  readonly #options: LaggingInformersOptions;
  readonly #informers = new Map<string, LaggingInformer<KubeObject>>();

  constructor(options: LaggingInformersOptions) {
    this.#options = options;
  }

  informer<T extends KubeObject>(resource: ResourceType<T>): SharedInformer<T> {
    const name = groupResource(resource);
    let informer = this.#informers.get(name);
    if (!informer) {
      informer = new LaggingInformer<KubeObject>(resource, this.#options);
      this.#informers.set(name, informer);
    }
    return informer as unknown as SharedInformer<T>;
  }

  metadataInformer(resource: ResourceType): SharedInformer<KubeObject> {
    return this.informer(resource);
  }

  existing(resource: ResourceType): SharedInformer<KubeObject> | undefined {
    return this.#informers.get(groupResource(resource));
  }

  async follow(resource: ResourceType, follower: Follower, signal: AbortSignal): Promise<void> {
    const informer = new LaggingInformer<KubeObject>(resource, this.#options);
    const changed = (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void => {
      if (!signal.aborted) follower.changed(type, object);
    };
    follower.begin(false);
    informer.addEventHandler({
      onAdd: (object, initial) => (initial ? follower.listed(object) : changed('ADDED', object)),
      onUpdate: (_, object) => changed('MODIFIED', object),
      onDelete: (object) => changed('DELETED', object),
    });
    informer.start(signal);
    try {
      await informer.whenSynced(signal);
      follower.end(informer.lastSyncResourceVersion);
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  start(signal: AbortSignal): void {
    for (const informer of this.#informers.values()) informer.start(signal);
  }

  async waitForCacheSync(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#informers.values()].map((informer) => informer.whenSynced(signal)));
  }

  async shutdown(): Promise<void> {}

  /** Tells every handler of every object again, as a resync does. */
  resync(): void {
    for (const informer of this.#informers.values()) informer.resync();
  }
}

class LaggingInformer<T extends KubeObject> implements SharedInformer<T> {
  readonly resource: ResourceType<T>;
  readonly lister: Lister<T>;
  lastSyncResourceVersion = '';
  readonly lastContact = undefined;
  readonly #options: LaggingInformersOptions;
  readonly #objects = new Map<ObjectKey, T>();
  readonly #indexes = new Map<string, IndexFunction<T>>([
    [NAMESPACE_INDEX, (object) => [object.metadata.namespace ?? '']],
  ]);
  readonly #handlers = new Set<EventHandler<T>>();
  readonly #waiters = new Set<() => void>();
  #started = false;
  /** Monotonic time before which nothing more may arrive: keeps the order. */
  #latest = 0;

  constructor(resource: ResourceType<T>, options: LaggingInformersOptions) {
    this.resource = resource;
    this.#options = options;
    const objects = this.#objects;
    this.lister = {
      get: (key) => objects.get(key),
      list: () => objects.values(),
      byIndex: (index, value) => this.#byIndex(index, value),
      get size() {
        return objects.size;
      },
    };
  }

  start(signal: AbortSignal): void {
    if (this.#started) return;
    this.#started = true;
    const { cluster } = this.#options;
    this.#arrive(() => this.#fill());
    const end = cluster.onChange((change) => {
      if (groupResource(change.resource) === groupResource(this.resource)) this.#arrive(() => this.#apply(change));
    });
    signal.addEventListener('abort', end, { once: true });
  }

  addEventHandler(handler: EventHandler<T>): HandlerRegistration {
    this.#handlers.add(handler);
    for (const object of this.#objects.values()) handler.onAdd?.(object, true);
    return { hasSynced: () => this.hasSynced(), remove: () => void this.#handlers.delete(handler) };
  }

  addIndex(name: string, index: IndexFunction<T>): void {
    const known = this.#indexes.get(name);
    if (known && known !== index) throw new RangeError(`index ${name} has another function`);
    this.#indexes.set(name, index);
  }

  hasSynced(): boolean {
    return this.lastSyncResourceVersion !== '';
  }

  whenSynced(signal: AbortSignal): Promise<void> {
    return this.#when(() => this.hasSynced(), signal);
  }

  hasReached(resourceVersion: string): boolean {
    return hasReached(this.lastSyncResourceVersion, resourceVersion);
  }

  waitForResourceVersion(resourceVersion: string, signal: AbortSignal): Promise<void> {
    return this.#when(() => this.hasReached(resourceVersion), signal);
  }

  resync(): void {
    for (const object of this.#objects.values())
      for (const handler of this.#handlers) handler.onUpdate?.(object, object);
  }

  #arrive(effect: () => void): void {
    const { clock, lag = () => 0 } = this.#options;
    this.#latest = Math.max(this.#latest, clock.monotonic() + lag(this.resource));
    clock.setTimeout(effect, this.#latest - clock.monotonic());
  }

  /** The list that stands at the start: of the moment it arrives. */
  #fill(): void {
    const { cluster } = this.#options;
    for (const object of cluster.list(this.resource)) this.#put(object, true);
    this.#moved(cluster.resourceVersion);
  }

  #apply({ type, object, resourceVersion }: ClusterChange): void {
    if (this.hasReached(resourceVersion)) return;
    if (type === 'DELETED') {
      this.#objects.delete(keyOf(object));
      for (const handler of this.#handlers) handler.onDelete?.(object as T, false);
    } else this.#put(object as T, false);
    this.#moved(resourceVersion);
  }

  #put(object: T, initial: boolean): void {
    const old = this.#objects.get(keyOf(object));
    this.#objects.set(keyOf(object), object);
    for (const handler of this.#handlers) {
      if (old) handler.onUpdate?.(old, object);
      else handler.onAdd?.(object, initial);
    }
  }

  #moved(resourceVersion: string): void {
    this.lastSyncResourceVersion = resourceVersion;
    for (const check of this.#waiters) check();
  }

  async #when(holds: () => boolean, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        this.#waiters.delete(check);
        signal.removeEventListener('abort', abort);
      };
      const check = (): void => {
        if (!holds()) return;
        end();
        resolve();
      };
      const abort = (): void => {
        end();
        reject(signal.reason);
      };
      this.#waiters.add(check);
      signal.addEventListener('abort', abort);
    });
  }

  #byIndex(index: string, value: string): readonly T[] {
    const indexFunction = this.#indexes.get(index);
    if (!indexFunction) throw new RangeError(`no index ${index}`);
    return [...this.#objects.values()].filter((object) => indexFunction(object).includes(value));
  }
}
