import { type KubeObject, type ObjectKey, keyOf, makeKey } from '#pkg/api';
import { type Clock, deepFreeze, semanticEqual } from '#pkg/base';
import type { Logger } from '#pkg/log';

import type { Handlers } from './handlers.ts';
import type { InformerMetrics } from './informer-metrics.ts';
import type { ReflectorTarget } from './reflector.ts';
import { compareResourceVersions } from './resource-version.ts';
import { Sharing } from './sharing.ts';
import { Slices } from './slices.ts';
import type { Store } from './store.ts';

/** Deletions remembered, so that an older event that arrives late does not bring an object back. */
const DELETIONS_KEPT = 4096;

export interface MirrorOptions<T extends KubeObject> {
  readonly store: Store<T>;
  readonly handlers: Handlers<T>;
  readonly transform: ((object: T) => T) | undefined;
  readonly freeze: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: InformerMetrics;
  /** `lastSyncResourceVersion` has moved on. */
  readonly onAdvance: () => void;
}

/**
 * Turns lists and watch events into changes of the store, and tells the handlers of each. Within one watch the server
 * sends every change once and in order; after a resume, through proxies and at the hands of tests that need not be so,
 * and an event that is not newer than what is cached changes nothing.
 */
export class Mirror<T extends KubeObject> implements ReflectorTarget<T> {
  readonly #options: MirrorOptions<T>;
  readonly #sharing = new Sharing();
  readonly #deletions = new Map<ObjectKey, string>();
  #gathered = new Map<ObjectKey, T>();
  #wentBack = false;
  #hasList = false;
  /** Version of the last whole list: what an event says of an object up to here, the list said too, or knew better. */
  #floor = '';
  resourceVersion = '';

  constructor(options: MirrorOptions<T>) {
    this.#options = options;
  }

  /** A whole list has been applied at least once. */
  get hasList(): boolean {
    return this.#hasList;
  }

  known(name: string, namespace: string | undefined): T | undefined {
    return this.#options.store.get(makeKey(namespace, name));
  }

  begin(wentBack: boolean): void {
    this.#gathered = new Map();
    this.#wentBack = wentBack;
  }

  gather(object: T): void {
    const key = this.#keyOf(object);
    if (key === undefined) return;
    const cached = this.#options.store.get(key);
    const same = cached !== undefined && isSame(cached, object);
    // Most of a second list is what is cached already: keep that, and let the new copy go at once.
    if (same && !this.#wentBack) {
      this.#gathered.set(key, cached);
      return;
    }
    const prepared = this.#prepare(object, cached);
    this.#gathered.set(key, same && semanticEqual(cached, prepared) ? cached : prepared);
  }

  async replace(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { store, metrics, handlers, clock } = this.#options;
    const gathered = this.#gathered;
    this.#gathered = new Map();
    this.#deletions.clear();
    let left = gathered.size;
    let reported = left;
    metrics.queued(reported);
    try {
      const slices = new Slices(clock);
      for (const [key, object] of gathered) {
        const cached = store.get(key);
        if (cached !== object) this.#timed(() => this.#put(key, cached, object));
        left--;
        if (slices.due()) {
          metrics.queued(left - reported);
          reported = left;
          await slices.next();
        }
        signal.throwIfAborted();
      }
      for (const key of store.keys()) {
        if (!gathered.has(key)) this.#timed(() => this.#drop(key, undefined));
        if (slices.due()) await slices.next();
        signal.throwIfAborted();
      }
    } finally {
      metrics.queued(-reported);
    }
    this.resourceVersion = resourceVersion;
    this.#floor = resourceVersion;
    metrics.size(store.size);
    if (!this.#hasList) {
      this.#hasList = true;
      handlers.tell({ type: 'synced' });
    }
    this.#options.onAdvance();
  }

  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: T): void {
    const key = this.#keyOf(object);
    if (key === undefined) return;
    const { resourceVersion } = object.metadata;
    const cached = this.#options.store.get(key);
    const known = cached?.metadata.resourceVersion ?? this.#deletions.get(key) ?? this.#floor;
    const order = known === undefined ? undefined : compareResourceVersions(resourceVersion, known);
    if (type === 'DELETED') {
      // Some servers send the version of the last change with a deletion, so an equal one counts.
      if (order !== undefined && order < 0) return;
      this.#remember(key, resourceVersion);
      if (cached !== undefined) this.#timed(() => this.#drop(key, object));
    } else {
      if (order !== undefined && order <= 0) return;
      this.#deletions.delete(key);
      this.#timed(() => this.#put(key, cached, this.#prepare(object, cached)));
    }
    this.#options.metrics.size(this.#options.store.size);
  }

  advance(resourceVersion: string): string {
    const order = compareResourceVersions(resourceVersion, this.resourceVersion);
    if (order === undefined || order > 0) {
      this.resourceVersion = resourceVersion;
      this.#options.onAdvance();
    }
    return this.resourceVersion;
  }

  #put(key: ObjectKey, cached: T | undefined, object: T): void {
    const { store, handlers } = this.#options;
    if (cached !== undefined && cached.metadata.uid !== object.metadata.uid) {
      this.#drop(key, undefined);
      cached = undefined;
    }
    store.set(key, object);
    if (cached === undefined) handlers.tell({ type: 'add', object, initial: !this.#hasList });
    else handlers.tell({ type: 'update', old: cached, object });
  }

  /** `last` is the state at the deletion; undefined where the deletion was missed. */
  #drop(key: ObjectKey, last: T | undefined): void {
    const { store, handlers } = this.#options;
    const cached = store.delete(key);
    if (cached === undefined) return;
    const isLast = last !== undefined && last.metadata.uid === cached.metadata.uid;
    handlers.tell({ type: 'delete', object: isLast ? this.#prepare(last, cached) : cached, unknown: !isLast });
  }

  #remember(key: ObjectKey, resourceVersion: string): void {
    this.#deletions.delete(key);
    this.#deletions.set(key, resourceVersion);
    if (this.#deletions.size <= DELETIONS_KEPT) return;
    for (const oldest of this.#deletions.keys()) {
      this.#deletions.delete(oldest);
      return;
    }
  }

  #prepare(object: T, cached: T | undefined): T {
    const { transform, freeze } = this.#options;
    let prepared = withoutManagedFields(object);
    if (transform !== undefined) prepared = this.#transformed(transform, prepared);
    const shared = this.#sharing.share(prepared, cached);
    return freeze ? deepFreeze(shared) : shared;
  }

  /** An object that its transform cannot take is kept whole: too much is better than too little. */
  #transformed(transform: (object: T) => T, object: T): T {
    try {
      return transform(object);
    } catch (error) {
      this.#options.log.error('Transform failed, keeping the whole object', error, { object: keyOf(object) });
      return object;
    }
  }

  #keyOf(object: T): ObjectKey | undefined {
    if (typeof object?.metadata?.name === 'string') return keyOf(object);
    this.#options.log.error('Unable to understand an object without a name');
    return undefined;
  }

  #timed(work: () => void): void {
    const { clock, metrics } = this.#options;
    const started = clock.monotonic();
    work();
    metrics.processed(clock.monotonic() - started);
  }
}

function isSame(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.resourceVersion === b.metadata.resourceVersion && a.metadata.uid === b.metadata.uid;
}

/** For clients that have not cut them out of the bytes. */
function withoutManagedFields<T extends KubeObject>(object: T): T {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
