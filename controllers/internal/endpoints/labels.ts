import type { EndpointSlice, Endpoints } from '#pkg/api';

/** Name of the Service that a slice belongs to. */
export const SERVICE_NAME = 'kubernetes.io/service-name';
/** Who keeps the slice; everyone else leaves it alone. */
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
/** On slices, and Endpoints, of headless Services; empty. */
export const HEADLESS = 'service.kubernetes.io/headless';

/** Empty where the slice belongs to none. */
export function serviceNameOf({ metadata }: Pick<EndpointSlice, 'metadata'>): string {
  return metadata.labels?.[SERVICE_NAME] ?? '';
}

export function isManagedBy({ metadata }: Pick<EndpointSlice, 'metadata'>, manager: string): boolean {
  return metadata.labels?.[MANAGED_BY] === manager;
}

/** What the server makes slice names from: `web-`; without the dash where the name would be too long (`getEndpointSlicePrefix`). */
export function slicePrefix(name: string): string {
  // Names ending in a dash are no names, but prefixes are checked without their last sign; 253 is the longest name.
  const prefix = `${name}-`;
  return prefix.length <= 253 ? prefix : name;
}

/** Annotation of the Endpoints, ConfigMaps and Leases by which candidates choose a leader. */
const LEADER_RECORD = 'control-plane.alpha.kubernetes.io/leader';

/** Such Endpoints lead nowhere: candidates of old kept their record in them. */
export function isLeaderRecord({ metadata }: Pick<Endpoints, 'metadata'>): boolean {
  return metadata.annotations?.[LEADER_RECORD] !== undefined;
}
