import { type EndpointSlice, type ObjectKey, makeKey } from '#pkg/api';
import type { SharedInformer } from '#pkg/cache';

import { serviceNameOf } from './labels.ts';

interface Known {
  readonly generation: number;
  readonly resourceVersion: string;
}

/** In place of a generation: the slice was deleted, and the cache has yet to show it. */
const DELETED: Known = { generation: -1, resourceVersion: '' };

/**
 * What slices the controller itself wrote, and at which generation, for each Service (or Endpoints): so that it neither
 * decides on a cache that is behind its own writes nor is woken by them
 * (`staging/src/k8s.io/endpointslice/util/endpointslice_tracker.go`).
 *
 * A Service found {@link isStale} is remembered until {@link caughtUp} says that the cache has come round. With the slices'
 * informer the tracker also notices writes that change no generation, and knows a slice for gone that others deleted
 * before the cache ever showed it; without, its Service would be stale for ever.
 */
export class SliceTracker {
  readonly #informer: Pick<SharedInformer<EndpointSlice>, 'hasReached'> | undefined;
  readonly #known = new Map<ObjectKey, Map<string, Known>>();
  readonly #stale = new Set<ObjectKey>();

  constructor(informer?: Pick<SharedInformer<EndpointSlice>, 'hasReached'>) {
    this.#informer = informer;
  }

  /** Whether the slice is known, as it is or as deleted. */
  has(slice: EndpointSlice): boolean {
    return this.#of(slice)?.has(slice.metadata.uid) ?? false;
  }

  /** Someone else made or changed the slice. */
  isForeign(slice: EndpointSlice): boolean {
    const known = this.#of(slice)?.get(slice.metadata.uid);
    return known === undefined || generationOf(slice) > known.generation;
  }

  /** The controller has deleted the slice. */
  expectsDeletion(slice: EndpointSlice): boolean {
    return this.#of(slice)?.get(slice.metadata.uid) === DELETED;
  }

  /** The cache, which shows `slices` for the Service, does not show all that was written. */
  isStale(service: ObjectKey, slices: readonly EndpointSlice[]): boolean {
    const stale = this.#behind(service, slices);
    if (stale) this.#stale.add(service);
    else this.#stale.delete(service);
    return stale;
  }

  /** True once for a Service that was stale: it may be looked at now. */
  caughtUp(service: ObjectKey, slices: () => readonly EndpointSlice[]): boolean {
    return this.#stale.has(service) && !this.isStale(service, slices());
  }

  #behind(service: ObjectKey, slices: readonly EndpointSlice[]): boolean {
    const known = this.#known.get(service);
    if (!known) return false;
    const shown = new Map(slices.map((slice) => [slice.metadata.uid, generationOf(slice)]));
    for (const [uid, written] of known) {
      const there = shown.get(uid);
      if (this.#isAwaited(written, there)) return true;
      // Deleted by others, and the cache has seen that.
      if (there === undefined && written !== DELETED) known.delete(uid);
    }
    return false;
  }

  #isAwaited(written: Known, there: number | undefined): boolean {
    if (written === DELETED) return there !== undefined;
    if (this.#informer) return !this.#informer.hasReached(written.resourceVersion);
    return there === undefined || there < written.generation;
  }

  /** The slice was written, and came out like this; its metadata is enough. */
  written(slice: Pick<EndpointSlice, 'metadata'>): void {
    const { uid, resourceVersion } = slice.metadata;
    this.#ensure(slice).set(uid, { generation: generationOf(slice), resourceVersion });
  }

  /** The slice was deleted by the controller. */
  expectDeletion(slice: EndpointSlice): void {
    this.#ensure(slice).set(slice.metadata.uid, DELETED);
  }

  /** The cache shows that the slice is gone. True where that is the controller's own doing. */
  deletionSeen(slice: EndpointSlice): boolean {
    const known = this.#of(slice);
    const written = known?.get(slice.metadata.uid);
    known?.delete(slice.metadata.uid);
    if (known?.size === 0) this.#known.delete(serviceKey(slice));
    return written === DELETED;
  }

  /** The Service is gone. */
  forget(service: ObjectKey): void {
    this.#known.delete(service);
    this.#stale.delete(service);
  }

  #of(slice: Pick<EndpointSlice, 'metadata'>): Map<string, Known> | undefined {
    return this.#known.get(serviceKey(slice));
  }

  #ensure(slice: Pick<EndpointSlice, 'metadata'>): Map<string, Known> {
    const key = serviceKey(slice);
    let known = this.#known.get(key);
    if (!known) this.#known.set(key, (known = new Map()));
    return known;
  }
}

const serviceKey = (slice: Pick<EndpointSlice, 'metadata'>): ObjectKey =>
  makeKey(slice.metadata.namespace, serviceNameOf(slice));
const generationOf = ({ metadata }: Pick<EndpointSlice, 'metadata'>): number => metadata.generation ?? 0;
