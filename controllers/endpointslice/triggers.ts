import { type Node, type ObjectKey, resources } from '#pkg/api';
import { type Trigger, on } from '#pkg/controller';

import type { ZoneCapacity } from './zone-capacity.ts';

export interface OnNodeOptions {
  readonly zones: ZoneCapacity;
  /** Services whose topology hints no longer do, by what the zones have now. */
  readonly overloaded: () => readonly ObjectKey[];
  /** Services that wait for this node. */
  readonly awaiting: (name: string) => readonly ObjectKey[];
}

/**
 * A node that comes, goes, or changes in readiness, zone or CPU may leave zones with too few endpoints, and one that comes
 * lets Pods in that were left out. Heartbeats mean nothing.
 */
export function onNode({ zones, overloaded, awaiting }: OnNodeOptions): Trigger<Node> {
  return on(resources.nodes, {
    add: (node) => [...(zones.set(node) ? overloaded() : []), ...awaiting(node.metadata.name)],
    update: (_old, node) => (zones.set(node) ? overloaded() : []),
    delete: (node) => (zones.delete(node.metadata.name) ? overloaded() : []),
  });
}
