import { type Pod, type Service, isPodReady, isPodTerminal } from '#pkg/api';
import { semanticEqual } from '#pkg/base';

/**
 * Whether a Pod can be an endpoint at all: it has an address and has not ended; one being deleted counts only where
 * `includeTerminating` (`ShouldPodBeInEndpoints` in `staging/src/k8s.io/endpointslice/util`).
 */
export function canBeEndpoint(pod: Pod, includeTerminating: boolean): boolean {
  if (isPodTerminal(pod)) return false;
  if (!pod.status?.podIP && !pod.status?.podIPs?.length) return false;
  return includeTerminating || pod.metadata.deletionTimestamp === undefined;
}

/** Whether the Service gives the Pod a name in DNS: the Pod asks for one under the Service's. */
export function hasHostnameIn(pod: Pod, service: Service): boolean {
  const { name, namespace } = service.metadata;
  return !!pod.spec?.hostname && (pod.spec.subdomain ?? '') === name && pod.metadata.namespace === namespace;
}

export interface PodChange {
  /** What its endpoints say is different. */
  readonly endpoint: boolean;
  /** It may be selected by other Services. */
  readonly membership: boolean;
}

/** What a change of a Pod means for endpoints (`podEndpointsChanged` in `staging/src/k8s.io/endpointslice/util`). */
export function podChange(old: Pod, current: Pod): PodChange {
  const name = ({ spec }: Pod): string => `${spec?.hostname ?? ''}.${spec?.subdomain ?? ''}`;
  const membership = !semanticEqual(old.metadata.labels ?? {}, current.metadata.labels ?? {});
  const endpoint =
    name(old) !== name(current) ||
    old.metadata.deletionTimestamp !== current.metadata.deletionTimestamp ||
    isPodTerminal(old) !== isPodTerminal(current) ||
    isPodReady(old) !== isPodReady(current) ||
    !semanticEqual(old.status?.podIPs, current.status?.podIPs);
  return { endpoint, membership };
}
