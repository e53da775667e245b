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

/** The part of an informer that the barrier reads. */
export type Readable = Pick<
  SharedInformer<KubeObject>,
  'resource' | 'lastSyncResourceVersion' | 'hasReached' | 'waitForResourceVersion'
>;

export interface WriteBarrierOptions {
  /** The caches that the controller reads and writes to. */
  readonly informers: readonly Readable[];
  /** With a subsystem, refusals are counted in `<subsystem>_stale_sync_skips_total`. */
  readonly metrics?: Metrics;
  readonly subsystem?: string;
}

/**
 * Read your writes: remembers the newest resource version that was written on behalf of a key, and says whether the
 * caches have read that far. The loop asks before each reconcile, so that no controller decides on a cache older than
 * its own writes (KEP-5647, `pkg/controller/util/consistency`).
 */
export class WriteBarrier {
  readonly #informers = new Map<string, Readable>();
  readonly #writes = new Map<ObjectKey, Writes>();
  readonly #skips: Counter<'group' | 'resource'> | undefined;

  constructor(options: WriteBarrierOptions) {
    for (const informer of options.informers) this.#informers.set(groupResource(informer.resource), informer);
    const { metrics, subsystem } = options;
    this.#skips =
      subsystem === undefined
        ? undefined
        : metrics?.counter({
            name: `${subsystem}_stale_sync_skips_total`,
            help: 'Syncs put off because the cache had not yet read what the controller wrote.',
            stability: 'ALPHA',
            labels: ['group', 'resource'],
          });
  }

  /** After a write for `key`, the object of that UID: the written object's resource and version. */
  wrote(key: ObjectKey, ownerUid: string, resource: ResourceType, resourceVersion: string): void {
    let writes = this.#writes.get(key);
    if (writes?.ownerUid !== ownerUid) {
      writes = { ownerUid, versions: new Map() };
      this.#writes.set(key, writes);
    }
    const name = groupResource(resource);
    const known = writes.versions.get(name);
    if (known === undefined || hasReached(resourceVersion, known)) writes.versions.set(name, resourceVersion);
  }

  /** The first cache that is behind the key's writes; undefined when the key may be worked on. Counts each refusal. */
  behind(key: ObjectKey): StaleCache | undefined {
    const writes = this.#writes.get(key);
    if (!writes) return undefined;
    for (const [name, wrote] of writes.versions) {
      const informer = this.#informers.get(name);
      if (!informer || informer.hasReached(wrote)) continue;
      const { resource } = informer;
      this.#skips?.inc({ group: resource.group, resource: resource.resource });
      const { lastSyncResourceVersion: read } = informer;
      return { resource, wrote, read, caughtUp: (signal) => informer.waitForResourceVersion(wrote, signal) };
    }
    this.#writes.delete(key);
    return undefined;
  }

  /** The key's object is gone; with a UID, only if that object is meant. */
  forget(key: ObjectKey, ownerUid?: string): void {
    if (ownerUid === undefined || this.#writes.get(key)?.ownerUid === ownerUid) this.#writes.delete(key);
  }
}
