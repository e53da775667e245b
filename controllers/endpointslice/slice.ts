import type { EndpointSlice, NewObject, OwnerReference, Service, StringMap } from '#pkg/api';
import { semanticEqual } from '#pkg/base';

import {
  type AddressType,
  type Endpoint,
  type EndpointPort,
  HEADLESS,
  LAST_CHANGE_TRIGGER_TIME,
  MANAGED_BY,
  SERVICE_NAME,
  isHeadless,
  slicePrefix,
} from '../internal/endpoints/index.ts';

/** Value of the managed-by label of slices that are this controller's. */
export const MANAGER = 'endpointslice-controller.k8s.io';

const RESERVED = new Set([SERVICE_NAME, MANAGED_BY, HEADLESS]);

/** A slice as it is to be. */
export interface Draft {
  /** What it is made from: the slice in the cache, or nothing for a new one. */
  readonly existing?: EndpointSlice;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/** The labels that each slice of the Service has: the Service's own, and those that say whose slice it is. */
export function labelsFor(service: Service): StringMap {
  return {
    ...unreserved(service.metadata.labels),
    ...(isHeadless(service) ? { [HEADLESS]: '' } : {}),
    [SERVICE_NAME]: service.metadata.name,
    [MANAGED_BY]: MANAGER,
  };
}

/** The Service's labels are not those of the slice. What the reserved ones say is no reason for a write. */
export function hasOtherLabels(slice: EndpointSlice, service: Service): boolean {
  return !semanticEqual(unreserved(slice.metadata.labels), unreserved(service.metadata.labels));
}

function unreserved(labels: StringMap = {}): StringMap {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !RESERVED.has(key)));
}

/** The Service, and not a former one of its name, is among the slice's owners. */
export function isOwnedBy({ metadata }: EndpointSlice, service: Service): boolean {
  return (metadata.ownerReferences ?? []).some(
    ({ uid, kind, apiVersion }) => uid === service.metadata.uid && kind === 'Service' && apiVersion === 'v1',
  );
}

function ownerReference({ metadata: { name, uid } }: Service): OwnerReference {
  return { apiVersion: 'v1', kind: 'Service', name, uid, controller: true, blockOwnerDeletion: true };
}

export interface SliceParts {
  readonly service: Service;
  readonly type: AddressType;
  /** Of the annotation; left out where nothing new is to be said. */
  readonly triggerTime: string | undefined;
}

const annotationsOf = (triggerTime: string | undefined): StringMap =>
  triggerTime === undefined ? {} : { [LAST_CHANGE_TRIGGER_TIME]: triggerTime };

/** The object to be created for a draft without a past. */
export function newSlice(
  { ports, endpoints }: Draft,
  { service, type, triggerTime }: SliceParts,
): NewObject<EndpointSlice> {
  const { name, namespace } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: slicePrefix(name),
      namespace,
      labels: labelsFor(service),
      annotations: annotationsOf(triggerTime),
      ownerReferences: [ownerReference(service)],
    },
    addressType: type,
    endpoints,
    // The server keeps no empty list, and serves null for one.
    ...(ports.length > 0 ? { ports } : {}),
  };
}

/** The slice of the cache with what the draft says. */
export function changedSlice(
  existing: EndpointSlice,
  { endpoints }: Draft,
  { service, triggerTime }: SliceParts,
): EndpointSlice {
  const { [LAST_CHANGE_TRIGGER_TIME]: _former, ...others } = existing.metadata.annotations ?? {};
  const annotations = { ...others, ...annotationsOf(triggerTime) };
  return { ...existing, metadata: { ...existing.metadata, labels: labelsFor(service), annotations }, endpoints };
}

/** A slice that was to go, turned into one that was to be made: one request instead of two. */
export function recycledSlice(spent: EndpointSlice, draft: Draft, parts: SliceParts): EndpointSlice {
  const fresh = newSlice(draft, parts);
  const { name, namespace, uid, resourceVersion, creationTimestamp, generateName } = spent.metadata;
  return {
    ...fresh,
    metadata: { ...fresh.metadata, name, namespace, uid, resourceVersion, creationTimestamp, generateName },
  };
}
