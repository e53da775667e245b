import type { Endpoints } from '#pkg/api';

import {
  type AddressType,
  type Endpoint,
  type EndpointAddress,
  type EndpointPort,
  EndpointSet,
  type Subset,
  type SubsetPort,
  parseIp,
  portsKey,
  repackSubsets,
} from '../internal/endpoints/index.ts';

/** Endpoints that one slice is to hold: those of one subset that have addresses of one type. */
export interface Group {
  readonly type: AddressType;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: EndpointSet;
}

export interface Desired {
  /** Both types of each subset, also where there is no address of a type. */
  readonly groups: ReadonlyMap<string, Group>;
  /** Addresses that are none. */
  readonly invalid: readonly string[];
  /** Addresses left out, as invalid or as too many. */
  readonly skipped: number;
}

const TYPES: readonly AddressType[] = ['IPv4', 'IPv6'];

/** What makes a slice hold the endpoints of a group. */
export function groupKey(type: string, ports: readonly EndpointPort[] | undefined): string {
  return `${type} ${portsKey(ports)}`;
}

/**
 * What slices are to say: of each subset its first `limit` valid addresses, ready ones first, by type of address
 * (`reconcile` in `pkg/controller/endpointslicemirroring/reconciler.go`).
 */
export function desiredGroups({ subsets = [] }: Endpoints, limit: number): Desired {
  const groups = new Map<string, Group>();
  const invalid: string[] = [];
  let skipped = 0;
  for (const subset of repackSubsets(subsets)) {
    const ports = (subset.ports ?? []).map(slicePort);
    const byType = new Map<string, Group>(TYPES.map((type) => [type, { type, ports, endpoints: new EndpointSet() }]));
    for (const group of byType.values()) groups.set(groupKey(group.type, ports), group);
    const added = fill(byType, subset, limit, invalid);
    skipped += (subset.addresses?.length ?? 0) + (subset.notReadyAddresses?.length ?? 0) - added;
  }
  return { groups, invalid, skipped };
}

function fill(byType: ReadonlyMap<string, Group>, subset: Subset, limit: number, invalid: string[]): number {
  let added = 0;
  for (const [addresses = [], ready] of [
    [subset.addresses, true],
    [subset.notReadyAddresses, false],
  ] as const) {
    for (const address of addresses) {
      if (added >= limit) return added;
      const ip = parseIp(address.ip);
      if (!ip) {
        invalid.push(address.ip);
        continue;
      }
      byType.get(ip.family)!.endpoints.add(endpointOf(address, ip.text, ready));
      added++;
    }
  }
  return added;
}

function endpointOf({ hostname, nodeName, targetRef }: EndpointAddress, ip: string, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(targetRef ? { targetRef } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
  };
}

function slicePort({ name = '', port, protocol, appProtocol }: SubsetPort): EndpointPort {
  return { name, port, protocol: protocol ?? 'TCP', ...(appProtocol === undefined ? {} : { appProtocol }) };
}
