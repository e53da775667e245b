import { type KubeObject, type ObjectKey, type ResourceType, groupResource } from '#pkg/api';
import { type SharedInformer, hasReached } from '#pkg/cache';
import type { Counter, Metrics } from '#pkg/metrics';

interface Writes {
  readonly ownerUid: string;
  /** Newest version written, by resource. */
  readonly versions: Map<string, string>;
}

/** A cache that has not read what the controller itself wrote. */
export interface StaleCache {
  readonly resource: ResourceType;
  readonly read: string;
  readonly wrote: string;
  /** Resolves once the cache has read what was written; rejects with the signal's reason. */
  caughtUp(signal: AbortSignal): Promise<void>;
}

/** The part of an informer that the store reads. */
export type Readable = Pick<
  SharedInformer<KubeObject>,
  'resource' | 'lastSyncResourceVersion' | 'hasReached' | 'waitForResourceVersion'
>;

export interface ConsistencyStoreOptions {
  /** The caches that the controller reads and writes to; {@link ConsistencyStore.track} adds to them. */
  readonly informers: readonly Readable[];
  /** With a subsystem, keys that were not ready are counted in `<subsystem>_stale_sync_skips_total`. */
  readonly metrics?: Metrics;
  readonly subsystem?: string;
}

/**
 * Read your writes: remembers the newest resource version that was written on behalf of each owner, and reports whether
 * the caches have read that far. The loop asks before each reconcile, so that no controller decides on a cache older than
 * its own writes (`ConsistencyStore` in `pkg/controller/util/consistency`, KEP-5647).
 */
export class ConsistencyStore {
  readonly #informers = new Map<string, Readable>();
  readonly #writes = new Map<ObjectKey, Writes>();
  readonly #skips: Counter<'group' | 'resource'> | undefined;

  constructor(options: ConsistencyStoreOptions) {
    for (const informer of options.informers) this.track(informer);
    const { metrics, subsystem } = options;
    this.#skips =
      subsystem === undefined
        ? undefined
        : metrics?.counter({
            name: `${subsystem}_stale_sync_skips_total`,
            help: 'Syncs skipped because the cache had not yet read what the controller wrote.',
            stability: 'ALPHA',
            labels: ['group', 'resource'],
          });
  }

  /** Writes to this informer's resource are awaited from now on. */
  track(informer: Readable): void {
    this.#informers.set(groupResource(informer.resource), informer);
  }

  /** Records a write on behalf of the owner with this key and UID: resource and version of the written object. */
  wroteAt(owner: ObjectKey, ownerUid: string, resource: ResourceType, resourceVersion: string): void {
    let writes = this.#writes.get(owner);
    if (writes?.ownerUid !== ownerUid) {
      writes = { ownerUid, versions: new Map() };
      this.#writes.set(owner, writes);
    }
    const name = groupResource(resource);
    const known = writes.versions.get(name);
    if (known === undefined || hasReached(resourceVersion, known)) writes.versions.set(name, resourceVersion);
  }

  /** Returns the first cache that is behind the owner's writes, and counts it; undefined when the owner may be reconciled. */
  ensureReady(owner: ObjectKey): StaleCache | undefined {
    const writes = this.#writes.get(owner);
    if (!writes) return undefined;
    for (const [name, wrote] of writes.versions) {
      const informer = this.#informers.get(name);
      if (!informer || informer.hasReached(wrote)) continue;
      const { resource } = informer;
      this.#skips?.inc({ group: resource.group, resource: resource.resource });
      const { lastSyncResourceVersion: read } = informer;
      return { resource, wrote, read, caughtUp: (signal) => informer.waitForResourceVersion(wrote, signal) };
    }
    this.#writes.delete(owner);
    return undefined;
  }

  /** Forgets the writes of an owner that is gone; with a UID, only those of that object. */
  clear(owner: ObjectKey, ownerUid?: string): void {
    if (ownerUid === undefined || this.#writes.get(owner)?.ownerUid === ownerUid) this.#writes.delete(owner);
  }
}
