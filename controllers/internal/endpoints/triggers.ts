import { type EndpointSlice, type ObjectKey, type Pod, type Service, keyOf, makeKey, resources } from '#pkg/api';
import type { Lister } from '#pkg/cache';
import { type Enqueue, type Trigger, on } from '#pkg/controller';

import { isManagedBy, serviceNameOf } from './labels.ts';
import { podChange } from './pods.ts';
import { selectingOne, servicesSelecting } from './services.ts';
import type { SliceTracker } from './slice-tracker.ts';

/**
 * A Pod that comes, goes, or changes in what endpoints say of it enqueues the Services that select it, `batchPeriod` ms
 * later. Where its labels alone have changed, only the Services that it has joined or left
 * (`GetPodUpdateProjectionKey` and `GetServicesToUpdate` in `staging/src/k8s.io/endpointslice/util`).
 *
 * `services`: of an informer that `indexServices` was called with.
 */
export function onPod(services: Pick<Lister<Service>, 'byIndex'>, batchPeriod: number): Trigger<Pod> {
  const selecting = ({ metadata }: Pod): Service[] => servicesSelecting(services, metadata.namespace, metadata.labels);
  const later = (keys: readonly ObjectKey[]): readonly Enqueue[] =>
    batchPeriod > 0 ? keys.map((key) => ({ key, after: batchPeriod })) : keys;
  const all = (pod: Pod): readonly Enqueue[] => later(selecting(pod).map(keyOf));
  return on(resources.pods, {
    add: all,
    update(old, current) {
      const { endpoint, membership } = podChange(old, current);
      if (!membership) return endpoint ? all(current) : [];
      const [before, after] = [selecting(old), selecting(current)];
      if (endpoint) return later([...new Set([...before, ...after].map(keyOf))]);
      return later(selectingOne(before, after));
    },
    delete: all,
  });
}

export interface OnSliceOptions {
  /** Value of the managed-by label of the slices that the controller keeps. */
  readonly manager: string;
  readonly tracker: SliceTracker;
  /** Of an informer that `indexSlices` was called with. */
  readonly slices: Pick<Lister<EndpointSlice>, 'byIndex'>;
  /** ms by which a change of someone else is left to grow before it is looked at. */
  readonly delay: number;
  /** Slices that are there at the start are no news, since all that they can be of is looked at anyway. */
  readonly onlyNews?: boolean;
}

const SERVICE_INDEX = 'service-name';

/** The key of the Service (or Endpoints) that the slice names, whether there is one or not. */
export function serviceKeyOf(slice: EndpointSlice): ObjectKey {
  return makeKey(slice.metadata.namespace, serviceNameOf(slice));
}

function byService(slice: EndpointSlice): readonly string[] {
  return serviceNameOf(slice) === '' ? [] : [serviceKeyOf(slice)];
}

/** To be called in `create` by whoever looks for the slices of a Service. */
export function indexSlices(slices: {
  addIndex(name: string, index: (slice: EndpointSlice) => readonly string[]): void;
}): void {
  slices.addIndex(SERVICE_INDEX, byService);
}

/** Slices of the Service that `manager` keeps, without those being deleted. */
export function slicesOf(
  slices: Pick<Lister<EndpointSlice>, 'byIndex'>,
  service: ObjectKey,
  manager: string,
): readonly EndpointSlice[] {
  return slices
    .byIndex(SERVICE_INDEX, service)
    .filter((slice) => slice.metadata.deletionTimestamp === undefined && isManagedBy(slice, manager));
}

/**
 * A slice that someone else has made, changed, deleted, or given to or taken from a Service or the controller, enqueues
 * its Service after `delay`. What the controller wrote itself is no news, except where a Service had to wait until the
 * cache shows it: that one is enqueued at once.
 */
export function onSlice({ manager, tracker, slices, delay, onlyNews = false }: OnSliceOptions): Trigger<EndpointSlice> {
  const later = (slice: EndpointSlice): Enqueue[] =>
    serviceNameOf(slice) === '' ? [] : [{ key: serviceKeyOf(slice), after: delay }];
  const foreign = (slice: EndpointSlice): Enqueue[] =>
    isManagedBy(slice, manager) && tracker.isForeign(slice) ? later(slice) : [];
  const isKept = (slice: EndpointSlice): boolean =>
    isManagedBy(slice, manager) && slice.metadata.deletionTimestamp === undefined;
  function caughtUp(slice: EndpointSlice): Enqueue[] {
    const key = serviceKeyOf(slice);
    return tracker.caughtUp(key, () => slicesOf(slices, key, manager)) ? [key] : [];
  }
  return on(resources.endpointSlices, {
    add: (slice, isInInitialList) =>
      onlyNews && isInInitialList === true ? [] : [...foreign(slice), ...caughtUp(slice)],
    update(old, current) {
      if (serviceNameOf(old) !== serviceNameOf(current)) {
        tracker.deletionSeen(old);
        return [...later(old), ...later(current)];
      }
      const [was, is] = [isKept(old), isKept(current)];
      // Given away, or being deleted while a finalizer holds it: the cache never shows it as ours again.
      if (was && !is) return [...(tracker.deletionSeen(current) ? [] : later(current)), ...caughtUp(current)];
      return [...(was === is ? foreign(current) : later(current)), ...caughtUp(current)];
    },
    delete(slice) {
      const expected = !isManagedBy(slice, manager) || tracker.deletionSeen(slice);
      return [...(expected ? [] : later(slice)), ...caughtUp(slice)];
    },
  });
}
