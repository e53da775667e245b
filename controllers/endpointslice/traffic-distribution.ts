import type { Service } from '#pkg/api';

import type { Endpoint } from '../internal/endpoints/index.ts';
import { type Slices, hinted, isReady, mapEndpoints, updateWrong } from './hints.ts';
import { usesTopologyAnnotation } from './topology-annotation.ts';

const CLOSE = 'PreferClose';
const SAME_ZONE = 'PreferSameZone';
const SAME_NODE = 'PreferSameNode';

/**
 * How the Service asks for its traffic to be distributed, where that counts: the annotation of topology hints goes first,
 * and `PreferSameZone` and `PreferSameNode` have their gate, `PreferSameTrafficDistribution` (KEP-4444, KEP-3015).
 */
export function trafficDistributionOf({ metadata, spec }: Service, preferSame: boolean): string | undefined {
  const wanted = spec?.trafficDistribution;
  if (usesTopologyAnnotation(metadata.annotations)) return undefined;
  if (wanted === CLOSE || (preferSame && (wanted === SAME_ZONE || wanted === SAME_NODE))) return wanted;
  return undefined;
}

/**
 * Hints that send traffic to endpoints of its own zone, and of its own node where that is asked for: each ready endpoint
 * is for where it is (`staging/src/k8s.io/endpointslice/trafficdist`). Others keep what they have.
 */
export function withCloseHints(slices: Slices, distribution: string): Slices {
  const byNode = distribution === SAME_NODE;
  const { create, update, unchanged } = updateWrong(slices, (slice) =>
    (slice.endpoints ?? []).some((endpoint) => isReady(endpoint) && isWrong(endpoint, byNode)),
  );
  const hint = (endpoint: Endpoint): Endpoint =>
    isReady(endpoint) ? hinted(endpoint, closeHints(endpoint, byNode)) : endpoint;
  return {
    create: create.map((draft) => mapEndpoints(draft, hint)),
    update: update.map((draft) => mapEndpoints(draft, hint)),
    unchanged,
  };
}

function closeHints({ zone, nodeName }: Endpoint, byNode: boolean): Endpoint['hints'] {
  const hints = {
    ...(zone === undefined ? {} : { forZones: [{ name: zone }] }),
    ...(byNode && nodeName !== undefined ? { forNodes: [{ name: nodeName }] } : {}),
  };
  return Object.keys(hints).length === 0 ? undefined : hints;
}

function isWrong(endpoint: Endpoint, byNode: boolean): boolean {
  const wanted = closeHints(endpoint, byNode);
  const are = (list: readonly { readonly name: string }[] | undefined): string =>
    (list ?? []).map(({ name }) => name).join(',');
  return (
    are(endpoint.hints?.forZones) !== are(wanted?.forZones) || are(endpoint.hints?.forNodes) !== are(wanted?.forNodes)
  );
}
