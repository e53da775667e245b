import type { KubeObject, ObjectKey, ResourceType } from '#pkg/api';

/** Values by which an object is found in an index; none keeps it out. Pure. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** A read-only view of what an informer has cached. Objects are shared: never write to them. */
export interface Lister<T extends KubeObject> {
  get(key: ObjectKey): T | undefined;
  /** All objects. O(n): for start-up and gauges, not per event. */
  list(): IterableIterator<T>;
  /** Objects under `value` of a declared index; throws a RangeError for an unknown index. */
  byIndex(index: string, value: string): readonly T[];
  readonly size: number;
}

/** Every informer indexes namespaced objects under this name. */
export const NAMESPACE_INDEX = 'namespace';

/**
 * Told of every change, in order, after the lister shows it. An object deleted and created again under the same name is
 * told as a delete and an add, also when both were missed and only a later list shows the new one.
 */
export interface EventHandler<T extends KubeObject> {
  /** `isInInitialList`: part of the first list, not news. */
  onAdd?(object: T, isInInitialList: boolean): void;
  /** Both are the same object on a resync. */
  onUpdate?(oldObject: T, newObject: T): void;
  /** The last known state; `finalStateUnknown` where the deletion itself was missed. */
  onDelete?(object: T, finalStateUnknown: boolean): void;
}

export interface HandlerRegistration {
  /** The handler has been given everything of the initial list. */
  hasSynced(): boolean;
  remove(): void;
}

export interface HandlerOptions {
  /**
   * Every object is handed to `onUpdate` again after this many ms, stretched by up to a tenth so that informers do not
   * resync together; 0 for never, at least 1 s. The factory's `defaultResync` where missing.
   */
  readonly resyncPeriod?: number;
  /** Names the handler in logs and metrics. */
  readonly name?: string;
}

export interface SharedInformer<T extends KubeObject> {
  readonly resource: ResourceType<T>;
  readonly lister: Lister<T>;
  /** A handler that throws is logged and counted; others are not touched. Late handlers get the cache replayed. */
  addEventHandler(handler: EventHandler<T>, options?: HandlerOptions): HandlerRegistration;
  /** Before the informer starts, or at any time: existing objects are indexed at once. Same name, same function only. */
  addIndex(name: string, index: IndexFunction<T>): void;
  /** The cache holds a whole list of the server. */
  hasSynced(): boolean;
  /** Resolves once `hasSynced`; rejects with the signal's reason. */
  whenSynced(signal: AbortSignal): Promise<void>;
  /**
   * Resource version up to which the cache has read; empty before the first list. Moves with every event and bookmark,
   * and only once the lister shows what it stands for.
   */
  readonly lastSyncResourceVersion: string;
  /**
   * The cache has read at least as far as `resourceVersion`, for example that of an object just written. True for a
   * version that cannot be compared, so that nobody waits for it for ever.
   */
  hasReached(resourceVersion: string): boolean;
  /** Resolves once `hasReached(resourceVersion)`; rejects with the signal's reason. */
  waitForResourceVersion(resourceVersion: string, signal: AbortSignal): Promise<void>;
  /** Monotonic time (ms) of the server's last sign of life on this resource; undefined before the first. */
  readonly lastContact: number | undefined;
}

export interface InformerOptions<T extends KubeObject> {
  /** Drops what no reader needs before it is kept. Pure; the result may share parts with the argument. */
  readonly transform?: (object: T) => T;
}

/**
 * Keeps up with a collection in a form of its own. It is given metadata alone, without managed fields; calls never
 * overlap. What it is told of may be old news: it compares resource versions.
 */
export interface Follower {
  /**
   * A whole list begins; whatever was listed of one that broke off is void. `wentBack`: the server may have given the
   * same versions to other content.
   */
  begin(wentBack: boolean): void;
  /** Part of the list. */
  listed(object: KubeObject): void;
  /** What was listed since `begin` is the whole collection as of `resourceVersion`. */
  end(resourceVersion: string): void;
  /** One change after the list. */
  changed(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject): void;
  /** Objects known, for metrics. */
  readonly size: number;
}

/** One informer a resource, shared by everyone who asks. */
export interface InformerFactory {
  /** Throws a CacheError where the resource is already informed on with another transform. */
  informer<T extends KubeObject>(resource: ResourceType<T>, options?: InformerOptions<T>): SharedInformer<T>;
  /** An informer that reads and keeps metadata alone, whatever the size of the objects. */
  metadataInformer(resource: ResourceType): SharedInformer<KubeObject>;
  /** The informer of that resource in that version, if somebody has asked for one; what it keeps may be metadata alone. */
  existing(resource: ResourceType): SharedInformer<KubeObject> | undefined;
  /**
   * Tells `follower` of every object's metadata until the signal aborts, and keeps nothing: for those to whom even lean
   * objects would be too much. Resolves when it has ended.
   */
  follow(resource: ResourceType, follower: Follower, signal: AbortSignal): Promise<void>;
  /** Starts every informer asked for so far that does not run yet; they stop with the signal. May be called again. */
  start(signal: AbortSignal): void;
  /**
   * Resolves when all started informers have synced; rejects with the signal's reason. Logs every 10 s which are
   * missing.
   */
  waitForCacheSync(signal: AbortSignal): Promise<void>;
  /** Resolves when all informers have ended after their signal aborted. */
  shutdown(): Promise<void>;
}
