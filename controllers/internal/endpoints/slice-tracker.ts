import { type EndpointSlice, type ObjectKey, makeKey } from '#pkg/api';

import { serviceNameOf } from './labels.ts';

/** In place of a generation: the slice was deleted, and the cache has yet to show it. */
const DELETED = -1;

/**
 * What slices the controller itself wrote, and at which generation, for each Service (or Endpoints): so that it neither
 * decides on a cache that is behind its own writes nor is woken by them
 * (`staging/src/k8s.io/endpointslice/util/endpointslice_tracker.go`).
 *
 * A Service found {@link isStale} is remembered until {@link caughtUp} says that the cache has come round.
 */
export class SliceTracker {
  readonly #generations = new Map<ObjectKey, Map<string, number>>();
  readonly #stale = new Set<ObjectKey>();

  /** Whether the slice is known, as it is or as deleted. */
  has(slice: EndpointSlice): boolean {
    return this.#of(slice)?.has(slice.metadata.uid) ?? false;
  }

  /** Someone else made or changed the slice. */
  isForeign(slice: EndpointSlice): boolean {
    const known = this.#of(slice)?.get(slice.metadata.uid);
    return known === undefined || generationOf(slice) > known;
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
    const known = this.#generations.get(service);
    if (!known) return false;
    const shown = new Map(slices.map((slice) => [slice.metadata.uid, generationOf(slice)]));
    for (const [uid, generation] of known) {
      const there = shown.get(uid);
      if (generation === DELETED ? there !== undefined : there === undefined || there < generation) return true;
    }
    return false;
  }

  /** The slice was written, and came out like this; its metadata is enough. */
  written(slice: Pick<EndpointSlice, 'metadata'>): void {
    this.#ensure(slice).set(slice.metadata.uid, generationOf(slice));
  }

  /** The slice was deleted by the controller. */
  expectDeletion(slice: EndpointSlice): void {
    this.#ensure(slice).set(slice.metadata.uid, DELETED);
  }

  /** The cache shows that the slice is gone. False when the controller knew it and did not expect that. */
  deletionSeen(slice: EndpointSlice): boolean {
    const known = this.#of(slice);
    const generation = known?.get(slice.metadata.uid);
    known?.delete(slice.metadata.uid);
    return generation === undefined || generation === DELETED;
  }

  /** The Service is gone. */
  forget(service: ObjectKey): void {
    this.#generations.delete(service);
    this.#stale.delete(service);
  }

  #of(slice: Pick<EndpointSlice, 'metadata'>): Map<string, number> | undefined {
    return this.#generations.get(serviceKey(slice));
  }

  #ensure(slice: Pick<EndpointSlice, 'metadata'>): Map<string, number> {
    const key = serviceKey(slice);
    let known = this.#generations.get(key);
    if (!known) this.#generations.set(key, (known = new Map()));
    return known;
  }
}

const serviceKey = (slice: Pick<EndpointSlice, 'metadata'>): ObjectKey => makeKey(slice.metadata.namespace, serviceNameOf(slice));
const generationOf = ({ metadata }: Pick<EndpointSlice, 'metadata'>): number => metadata.generation ?? 0;
