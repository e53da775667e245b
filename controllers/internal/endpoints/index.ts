/**
 * What the controllers of Endpoints and EndpointSlices share: which Pods a Service selects and which Services a Pod, by
 * index; what of a Pod makes an endpoint; sets of ports and endpoints; when the change happened that a write makes
 * known; which slices were written, and whether the cache shows them; and the writes themselves.
 *
 *     indexServices(informers.informer(resources.services));
 *     indexPodsByLabel(informers.informer(resources.pods));
 *     const triggers = [forObject(resources.services), onPod(services.lister, batchPeriod)];
 *     const members = podsOf(pods.lister, service).filter((pod) => canBeEndpoint(pod, true));
 */
export { addressTypesOf, isHeadless, podAddresses } from './address-types.ts';
export { Efficiency, type Group } from './efficiency.ts';
export { EndpointSet, sameEndpoint } from './endpoint-set.ts';
export { EndpointsError, type EndpointsErrorCode } from './errors.ts';
export { type Ip, parseIp } from './ip.ts';
export {
  HEADLESS,
  MANAGED_BY,
  SERVICE_NAME,
  isLeaderRecord,
  isManagedBy,
  serviceNameOf,
  slicePrefix,
} from './labels.ts';
export { type PodChange, canBeEndpoint, hasHostnameIn, podChange } from './pods.ts';
export { type PortsKey, findPort, inUpstreamOrder, portsKey } from './ports.ts';
export { hasEndpoints, indexPodsByLabel, indexServices, podsOf, selectingOne, servicesSelecting } from './services.ts';
export { SliceTracker } from './slice-tracker.ts';
export { type Served, packSubsets, repackSubsets } from './subsets.ts';
export { LAST_CHANGE_TRIGGER_TIME, TriggerTimes } from './trigger-times.ts';
export { type OnSliceOptions, indexSlices, onPod, onSlice, serviceKeyOf, slicesOf } from './triggers.ts';
export type { AddressType, Endpoint, EndpointAddress, EndpointPort, ServicePort, Subset, SubsetPort } from './types.ts';
export { type SliceChanges, type SliceWriting, writeSlices } from './write-slices.ts';
