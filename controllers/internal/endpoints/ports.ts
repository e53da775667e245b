import type { Pod } from '#pkg/api';
import { fnv128a } from '#pkg/base';

import type { EndpointPort, ServicePort } from './types.ts';

/**
 * The port of the Pod that a port of a Service leads to: a number as it is, a name as some container declares it with
 * the same protocol, side-cars included. Undefined where the Pod has none of that name (`FindPort` in
 * `staging/src/k8s.io/endpointslice/utils.go`).
 */
export function findPort(pod: Pod, port: ServicePort): number | undefined {
  const target = port.targetPort;
  if (typeof target !== 'string') return target ?? 0;
  const { containers = [], initContainers = [] } = pod.spec ?? {};
  for (const container of [
    ...containers,
    ...initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ]) {
    const found = container.ports?.find(
      ({ name, protocol }) => name === target && (protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    );
    if (found) return found.containerPort;
  }
  return undefined;
}

/** Stands for a set of ports, whatever their order: slices of one key hold endpoints alike. */
export type PortsKey = string;

export function portsKey(ports: readonly EndpointPort[] | undefined): PortsKey {
  const texts = (ports ?? []).map(textOf);
  return texts.length < 2 ? (texts[0] ?? '') : texts.toSorted().join('\n');
}

/** In the order in which upstream writes them, which is that of their hashes (`NewPortMapKey`). */
export function inUpstreamOrder(ports: readonly EndpointPort[]): readonly EndpointPort[] {
  if (ports.length < 2) return ports;
  return ports
    .map((port) => ({ port, hash: hashOf(textOf(port)) }))
    .toSorted((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0))
    .map(({ port }) => port);
}

/** A port as `k8s.io/utils/dump` prints it for hashing. */
function textOf({ name, protocol, port, appProtocol }: EndpointPort): string {
  const value = (of: string | number | undefined): string | number => of ?? '<nil>';
  return `(v1.EndpointPort){Name:(*string)${value(name)} Protocol:(*v1.Protocol)${value(protocol)} Port:(*int32)${value(port)} AppProtocol:(*string)${value(appProtocol)}}`;
}

/** Services of a cluster have few ports between them, and each is hashed for every Pod. */
const hashes = new Map<string, bigint>();
const MOST_HASHES = 10_000;

function hashOf(text: string): bigint {
  let hash = hashes.get(text);
  if (hash === undefined) {
    hash = fnv128a(text);
    if (hashes.size >= MOST_HASHES) hashes.clear();
    hashes.set(text, hash);
  }
  return hash;
}
