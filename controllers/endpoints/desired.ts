import { type Pod, type Service, isPodReady } from '#pkg/api';

import {
  type AddressType,
  type EndpointAddress,
  type Served,
  type ServicePort,
  type Subset,
  type SubsetPort,
  canBeEndpoint,
  findPort,
  hasHostnameIn,
  packSubsets,
  parseIp,
  podAddresses,
} from '../internal/endpoints/index.ts';

/** What Endpoints of the Service say while these are the Pods that it selects (`syncService` in `pkg/controller/endpoint`). */
export function desiredSubsets(service: Service, pods: readonly Pod[]): readonly Subset[] {
  return packSubsets(pods.flatMap((pod) => servedBy(service, pod)));
}

/**
 * Each port of the Service that the Pod has. Nothing of a Pod that has ended or has no address of the Service's family;
 * one being deleted counts only where addresses are published whether ready or not.
 */
function servedBy(service: Service, pod: Pod): Served[] {
  const { ports = [], clusterIP, publishNotReadyAddresses = false } = service.spec ?? {};
  if (!canBeEndpoint(pod, publishNotReadyAddresses)) return [];
  const address = addressOf(service, pod);
  if (!address) return [];
  const ready = publishNotReadyAddresses || isPodReady(pod);
  if (ports.length === 0) return clusterIP === 'None' ? [{ address, ready }] : [];
  return ports.flatMap((port) => {
    const number = findPort(pod, port);
    return number === undefined ? [] : [{ address, ready, port: subsetPort(port, number) }];
  });
}

function subsetPort({ name, protocol, appProtocol }: ServicePort, port: number): SubsetPort {
  return {
    ...(name ? { name } : {}),
    port,
    ...(protocol === undefined ? {} : { protocol }),
    ...(appProtocol === undefined ? {} : { appProtocol }),
  };
}

function addressOf(service: Service, pod: Pod): EndpointAddress | undefined {
  const [ip] = podAddresses(pod, familyOf(service, pod));
  if (ip === undefined) return undefined;
  const { name, namespace, uid } = pod.metadata;
  const nodeName = pod.spec?.nodeName;
  return {
    ip,
    ...(hasHostnameIn(pod, service) ? { hostname: pod.spec!.hostname! } : {}),
    ...(nodeName ? { nodeName } : {}),
    targetRef: { kind: 'Pod', namespace: namespace!, name, uid },
  };
}

/**
 * Endpoints are of one family: the Service's first; that of its address, or of the Pod's, where no API server has said
 * (`podToEndpointAddressForService`).
 */
function familyOf({ spec }: Service, pod: Pod): AddressType {
  const first = spec?.ipFamilies?.[0];
  if (first) return first === 'IPv6' ? 'IPv6' : 'IPv4';
  const own = spec?.clusterIP;
  return parseIp(own && own !== 'None' ? own : (pod.status?.podIP ?? ''))?.family ?? 'IPv4';
}
