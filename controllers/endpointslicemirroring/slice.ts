import type { EndpointSlice, Endpoints, NewObject, OwnerReference, StringMap } from '#pkg/api';
import { semanticEqual } from '#pkg/base';

import {
  type Endpoint,
  LAST_CHANGE_TRIGGER_TIME,
  MANAGED_BY,
  SERVICE_NAME,
  slicePrefix,
} from '../internal/endpoints/index.ts';
import type { Group } from './desired.ts';

/** Value of the managed-by label of slices that are this controller's. */
export const MANAGER = 'endpointslicemirroring-controller.k8s.io';
/** What `kubectl apply` keeps its last manifest in; it is of the Endpoints, not of the slice. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** A slice as it is to be, made from nothing or out of another. */
export interface Draft {
  readonly group: Pick<Group, 'type' | 'ports'>;
  readonly endpoints: readonly Endpoint[];
}

/** As the Endpoints', and whose slice it is. */
function labelsFor({ metadata }: Endpoints): StringMap {
  return { ...metadata.labels, [SERVICE_NAME]: metadata.name, [MANAGED_BY]: MANAGER };
}

/** As the Endpoints', without what is true of these alone. */
function annotationsFor({ metadata }: Endpoints): StringMap {
  const { [LAST_CHANGE_TRIGGER_TIME]: _time, [LAST_APPLIED]: _applied, ...annotations } = metadata.annotations ?? {};
  return annotations;
}

/** The slice has the labels and annotations that it should, and is not of former Endpoints of the same name. */
export function isFor({ metadata }: EndpointSlice, endpoints: Endpoints): boolean {
  const former = metadata.ownerReferences?.some(
    ({ kind, name, uid }) => kind === 'Endpoints' && name === endpoints.metadata.name && uid !== endpoints.metadata.uid,
  );
  return (
    !former &&
    semanticEqual(metadata.labels ?? {}, labelsFor(endpoints)) &&
    semanticEqual(metadata.annotations ?? {}, annotationsFor(endpoints))
  );
}

function ownerReference({ metadata: { name, uid } }: Endpoints): OwnerReference {
  return { apiVersion: 'v1', kind: 'Endpoints', name, uid, controller: true, blockOwnerDeletion: true };
}

type Parts = Pick<EndpointSlice, 'addressType' | 'endpoints' | 'ports'>;

/** A slice without ports has no `ports`: the server keeps no empty list, and serves null for one. */
const partsOf = ({ group: { type, ports }, endpoints }: Draft): Parts => ({
  addressType: type,
  endpoints,
  ...(ports.length > 0 ? { ports } : {}),
});

/** The object to be created. */
export function newSlice(draft: Draft, endpoints: Endpoints): NewObject<EndpointSlice> {
  const { name, namespace } = endpoints.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: slicePrefix(name),
      namespace: namespace!,
      labels: labelsFor(endpoints),
      annotations: annotationsFor(endpoints),
      ownerReferences: [ownerReference(endpoints)],
    },
    ...partsOf(draft),
  };
}

/** The slice of the cache with what the draft says. */
export function changedSlice(existing: EndpointSlice, draft: Draft, endpoints: Endpoints): EndpointSlice {
  const metadata = {
    ...existing.metadata,
    labels: labelsFor(endpoints),
    annotations: annotationsFor(endpoints),
    ownerReferences: [ownerReference(endpoints)],
  };
  const { ports: _former, ...rest } = existing;
  return { ...rest, metadata, ...partsOf(draft) };
}
