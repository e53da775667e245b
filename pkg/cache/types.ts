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

export interface EventHandler<T extends KubeObject> {
  /** `isInInitialList`: part of the first list, not news. */
  onAdd?(object: T, isInInitialList: boolean): void;
  onUpdate?(oldObject: T, newObject: T): void;
  /** The last known state; `finalStateUnknown` where the deletion itself was missed. */
  onDelete?(object: T, finalStateUnknown: boolean): void;
}

export interface HandlerRegistration {
  /** The handler has been given everything of the initial list. */
  hasSynced(): boolean;
  remove(): void;
}

export interface SharedInformer<T extends KubeObject> {
  readonly resource: ResourceType<T>;
  readonly lister: Lister<T>;
  /** A handler that throws is logged and counted; others are not touched. Late handlers get the cache replayed. */
  addEventHandler(handler: EventHandler<T>, options?: { readonly resyncPeriod?: number }): HandlerRegistration;
  /** Before the informer starts, or at any time: existing objects are indexed at once. Same name, same function only. */
  addIndex(name: string, index: IndexFunction<T>): void;
  /** The cache holds a whole list of the server. */
  hasSynced(): boolean;
  /** Resource version up to which the cache has read; empty before the first list. */
  readonly lastSyncResourceVersion: string;
}

export interface InformerOptions<T extends KubeObject> {
  /** Drops what no reader needs before it is kept. Pure; the result may share parts with the argument. */
  readonly transform?: (object: T) => T;
}

/** One informer a resource, shared by everyone who asks. */
export interface InformerFactory {
  informer<T extends KubeObject>(resource: ResourceType<T>, options?: InformerOptions<T>): SharedInformer<T>;
  /** Starts every informer asked for so far that does not run yet; they stop with the signal. */
  start(signal: AbortSignal): void;
  /** Resolves when all started informers have synced; rejects with the signal's reason. */
  waitForCacheSync(signal: AbortSignal): Promise<void>;
  /** Resolves when all informers have ended after their signal aborted. */
  shutdown(): Promise<void>;
}
