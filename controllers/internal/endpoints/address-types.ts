import type { Pod, Service } from '#pkg/api';

import { parseIp } from './ip.ts';
import type { AddressType } from './types.ts';

/** A Service without an address of its own (`clusterIP: None`, or none at all). */
export function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === undefined || spec.clusterIP === '' || spec.clusterIP === 'None';
}

/**
 * Address types that a Service is served on, in the order of its families. A Service that no API server has defaulted
 * counts as of the family of its address, and a headless one as of both (`getAddressTypesForService` in
 * `staging/src/k8s.io/endpointslice/utils.go`).
 */
export function addressTypesOf(service: Service): readonly AddressType[] {
  const families = (service.spec?.ipFamilies ?? []).filter((family) => family === 'IPv4' || family === 'IPv6');
  if (families.length > 0) return [...new Set(families)];
  if (isHeadless(service)) return ['IPv4', 'IPv6'];
  return [parseIp(service.spec?.clusterIP ?? '')?.family ?? 'IPv4'];
}

/** The Pod's addresses of one type, in canonical form. */
export function podAddresses(pod: Pod, type: AddressType): string[] {
  const addresses: string[] = [];
  for (const { ip } of pod.status?.podIPs ?? []) {
    const parsed = parseIp(ip ?? '');
    if (parsed?.family === type) addresses.push(parsed.text);
  }
  return addresses;
}
