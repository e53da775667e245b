import { CodedError, deepFreeze } from '#pkg/base';
import { type JsonObject, ensureObject } from '../json.ts';
import { Collection, type IndexFunction } from './collection.ts';
import { Entry, type StoreEvent, atRevision } from './entry.ts';
import { History } from './history.ts';
import { type Page, type PageQuery, readPage } from './pages.ts';
import type { Sink, WatchScope } from './watchers.ts';

export type StoreErrorCode = 'Exists' | 'NotFound' | 'Conflict' | 'Expired';

export interface StoreErrorData {
  readonly resource: string;
  readonly key?: string;
  /** For `Expired`: the oldest revision that is still known. */
  readonly oldest?: number;
}

export class StoreError extends CodedError<StoreErrorCode, StoreErrorData> {}

export interface StoreOptions {
  /** How many changes of each resource are remembered. */
  readonly historyPerResource?: number;
  /** Freeze what is stored, so that a write to shared objects throws. For tests. */
  readonly freeze?: boolean;
}

/** Names a resource independent of its version: `pods`, `deployments.apps`. */
export type ResourceName = string;

/**
 * Where objects live: what etcd and the watch cache are to a kube-apiserver. One revision counts all changes, writes are
 * checked against the revision they were based on, and watchers are told synchronously, in order.
 *
 * The contract is `storeContract` of `#pkg/testing`.
 */
export interface Store {
  /** Revision of the latest change. */
  readonly revision: number;
  /** Declares the index of a resource; before its first object. */
  define(resource: ResourceName, index: IndexFunction): void;
  get(resource: ResourceName, key: string): Entry | undefined;
  count(resource: ResourceName): number;
  /** Throws `Expired` where the revision asked for is no longer known. */
  page(resource: ResourceName, query: PageQuery): Page;
  /** Takes the object over and sets its resource version. Throws `Exists`. */
  create(resource: ResourceName, key: string, object: JsonObject): Entry;
  /** Takes the object over. Throws `NotFound`, and `Conflict` unless the stored state is of revision `expected`. */
  update(resource: ResourceName, key: string, object: JsonObject, expected: number): Entry;
  /** Returns the last state, with the revision of the deletion. Throws as `update`. */
  delete(resource: ResourceName, key: string, expected?: number): Entry;
  /**
   * Tells `sink` every change in scope after revision `after`: the known ones before it returns, later ones as they
   * happen. A scope can let more through than it says (the sink filters). Throws `Expired`.
   */
  watch(resource: ResourceName, scope: WatchScope, after: number, sink: Sink): () => void;
  /** Forgets all history: resuming from an earlier revision then fails with `Expired`. */
  compact(): void;
}

const DEFAULT_HISTORY = 10_000;

class MemoryStore implements Store {
  readonly #collections = new Map<ResourceName, Collection>();
  readonly #historyPerResource: number;
  readonly #freeze: boolean;
  /** History that a resource not yet seen has lost: what was compacted before its first object. */
  #compacted = 0;
  #revision = 1;
  readonly #untold: (() => void)[] = [];
  #telling = false;

  constructor(options: StoreOptions) {
    this.#historyPerResource = options.historyPerResource ?? DEFAULT_HISTORY;
    this.#freeze = options.freeze ?? false;
  }

  get revision(): number {
    return this.#revision;
  }

  define(resource: ResourceName, index: IndexFunction): void {
    if ((this.#collections.get(resource)?.size ?? 0) > 0) throw new RangeError(`${resource} already has objects`);
    this.#collections.set(resource, new Collection(new History(this.#historyPerResource, this.#compacted), index));
  }

  get(resource: ResourceName, key: string): Entry | undefined {
    return this.#collections.get(resource)?.get(key);
  }

  count(resource: ResourceName): number {
    return this.#collections.get(resource)?.size ?? 0;
  }

  page(resource: ResourceName, query: PageQuery): Page {
    const collection = this.#collection(resource);
    const revision = query.revision ?? this.#revision;
    const since = revision === this.#revision ? [] : collection.history.after(revision);
    if (since === undefined) throw expired(resource, collection);
    return { ...readPage(collection, query, since), revision };
  }

  create(resource: ResourceName, key: string, object: JsonObject): Entry {
    const collection = this.#collection(resource);
    if (collection.get(key) !== undefined) throw new StoreError('Exists', 'the object exists', { resource, key });
    const entry = this.#entry(key, object);
    this.#apply(collection, { type: 'ADDED', revision: entry.revision, entry });
    return entry;
  }

  update(resource: ResourceName, key: string, object: JsonObject, expected: number): Entry {
    const collection = this.#collection(resource);
    const previous = current(collection, resource, key, expected);
    const entry = this.#entry(key, object);
    this.#apply(collection, { type: 'MODIFIED', revision: entry.revision, entry, previous });
    return entry;
  }

  delete(resource: ResourceName, key: string, expected?: number): Entry {
    const collection = this.#collection(resource);
    const previous = current(collection, resource, key, expected);
    const entry = atRevision(previous, ++this.#revision);
    if (this.#freeze) deepFreeze(entry.object);
    this.#apply(collection, { type: 'DELETED', revision: entry.revision, entry, previous });
    return entry;
  }

  watch(resource: ResourceName, scope: WatchScope, after: number, sink: Sink): () => void {
    const collection = this.#collection(resource);
    const missed = collection.history.after(after);
    if (missed === undefined) throw expired(resource, collection);
    for (const event of missed) {
      sink(event);
      event.entry.forgetFrames();
    }
    const known = this.#revision;
    return collection.watchers.add(scope, (event) => {
      if (event.revision > known) sink(event);
    });
  }

  compact(): void {
    this.#compacted = this.#revision;
    for (const collection of this.#collections.values()) collection.history.forget(this.#revision);
  }

  /** A sink may write: what it writes is told after the event at hand has reached every watcher. */
  #apply(collection: Collection, event: StoreEvent): void {
    this.#untold.push(collection.apply(event));
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let tell = this.#untold.shift(); tell !== undefined; tell = this.#untold.shift()) tell();
    } finally {
      this.#telling = false;
    }
  }

  #entry(key: string, object: JsonObject): Entry {
    const revision = ++this.#revision;
    ensureObject(object, 'metadata')['resourceVersion'] = String(revision);
    return new Entry(key, revision, this.#freeze ? deepFreeze(object) : object);
  }

  #collection(resource: ResourceName): Collection {
    let collection = this.#collections.get(resource);
    if (collection === undefined) {
      collection = new Collection(new History(this.#historyPerResource, this.#compacted));
      this.#collections.set(resource, collection);
    }
    return collection;
  }
}

function current(collection: Collection, resource: ResourceName, key: string, expected: number | undefined): Entry {
  const entry = collection.get(key);
  if (entry === undefined) throw new StoreError('NotFound', 'there is no such object', { resource, key });
  if (expected !== undefined && entry.revision !== expected) {
    throw new StoreError('Conflict', 'the object has been modified', { resource, key });
  }
  return entry;
}

function expired(resource: ResourceName, collection: Collection): StoreError {
  return new StoreError('Expired', 'the revision is too old', { resource, oldest: collection.history.oldest });
}

export function createStore(options: StoreOptions = {}): Store {
  return new MemoryStore(options);
}

export type { Entry, StoreEvent };
