import { type Node, type ObjectKey, resources } from '#pkg/api';
import { type Trigger, on } from '#pkg/controller';

import { ZONE } from './desired.ts';
import type { ZoneCapacity } from './zone-capacity.ts';

export interface OnNodeOptions {
  readonly zones: ZoneCapacity;
  /** Services whose topology hints no longer do, by what the zones have now. */
  readonly overloaded: () => readonly ObjectKey[];
  /** Services that wait for this node. */
  readonly awaiting: (name: string) => readonly ObjectKey[];
  /** Services with Pods on this node. */
  readonly served: (name: string) => readonly ObjectKey[];
}

/**
 * A node that comes, goes, or changes in readiness, zone or CPU may leave zones with too few endpoints. One that comes lets
 * Pods in that were left out; one that moves to another zone, as where a cloud tells the zone only later, takes its
 * endpoints along. Heartbeats mean nothing, and a node that goes leaves its endpoints to the end of its Pods.
 */
export function onNode({ zones, overloaded, awaiting, served }: OnNodeOptions): Trigger<Node> {
  const zoneOf = ({ metadata }: Node): string => metadata.labels?.[ZONE] ?? '';
  return on(resources.nodes, {
    add: (node) => [...(zones.set(node) ? overloaded() : []), ...awaiting(node.metadata.name)],
    update: (old, node) => [
      ...(zones.set(node) ? overloaded() : []),
      ...(zoneOf(old) === zoneOf(node) ? [] : served(node.metadata.name)),
    ],
    delete: (node) => (zones.delete(node.metadata.name) ? overloaded() : []),
  });
}
