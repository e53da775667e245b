import type { Node, Pod, Service } from '#pkg/api';
import { isPodReady } from '#pkg/api';

import {
  type AddressType,
  type Endpoint,
  type EndpointPort,
  EndpointSet,
  type PortsKey,
  canBeEndpoint,
  findPort,
  hasHostnameIn,
  inUpstreamOrder,
  podAddresses,
  portsKey,
} from '../internal/endpoints/index.ts';

export const ZONE = 'topology.kubernetes.io/zone';

/** Endpoints with the same ports, which may share slices. */
export interface Group {
  readonly ports: readonly EndpointPort[];
  readonly endpoints: EndpointSet;
}

/** A Pod left out because nothing is known of its node. */
export interface Skipped {
  readonly pod: string;
  readonly node: string;
}

export interface Desired {
  /** By their ports; a group may be empty: Pods have these ports and no address of the type. */
  readonly groups: ReadonlyMap<PortsKey, Group>;
  readonly skipped: readonly Skipped[];
}

/**
 * The endpoints of one address type that a Service should have. A Pod whose node is not known is left out, for such Pods
 * are mostly about to be collected; but not where addresses are wanted whatever the state of the Pod.
 */
export function desiredEndpoints(
  service: Service,
  pods: readonly Pod[],
  type: AddressType,
  nodeOf: (name: string) => Node | undefined,
): Desired {
  const groups = new Map<PortsKey, Group>();
  const skipped: Skipped[] = [];
  // Pods mostly have the same ports: sets of them are told apart by their numbers before anything is made of them.
  const byNumbers = new Map<string, Group>();
  function groupFor(numbers: readonly (number | undefined)[]): Group {
    const text = numbers.join();
    let group = byNumbers.get(text);
    if (!group) {
      const ports = portsOf(service, numbers);
      const key = portsKey(ports);
      group = groups.get(key) ?? { ports: inUpstreamOrder(ports), endpoints: new EndpointSet() };
      groups.set(key, group);
      byNumbers.set(text, group);
    }
    return group;
  }
  const publishAll = service.spec?.publishNotReadyAddresses === true;
  for (const pod of pods) {
    if (!canBeEndpoint(pod, true)) continue;
    const group = groupFor(endpointPorts(service, pod));
    const nodeName = pod.spec?.nodeName ?? '';
    const node = nodeOf(nodeName);
    if (!node && !publishAll) {
      skipped.push({ pod: pod.metadata.name, node: nodeName });
      continue;
    }
    const endpoint = endpointOf(service, pod, node, type);
    if (endpoint.addresses.length > 0) group.endpoints.add(endpoint);
  }
  return { groups, skipped };
}

/** The numbers that the Service's ports have in this Pod; undefined for one that it does not have. */
function endpointPorts(service: Service, pod: Pod): (number | undefined)[] {
  return (service.spec?.ports ?? []).map((port) => findPort(pod, port));
}

/** The Service's ports with these numbers; those without are left out. */
function portsOf(service: Service, numbers: readonly (number | undefined)[]): EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap(({ name = '', protocol = 'TCP', appProtocol }, i) => {
    const port = numbers[i];
    return port === undefined ? [] : [{ name, port, protocol, ...(appProtocol === undefined ? {} : { appProtocol }) }];
  });
}

/** `podToEndpoint` in `staging/src/k8s.io/endpointslice/utils.go`. A Pod on its way out is never ready, but may still serve. */
function endpointOf(service: Service, pod: Pod, node: Node | undefined, type: AddressType): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const { name, namespace, uid } = pod.metadata;
  const zone = node?.metadata.labels?.[ZONE];
  return {
    addresses: podAddresses(pod, type).toSorted(),
    conditions: { ready, serving, terminating },
    ...(hasHostnameIn(pod, service) ? { hostname: pod.spec!.hostname! } : {}),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    ...(zone ? { zone } : {}),
  };
}
