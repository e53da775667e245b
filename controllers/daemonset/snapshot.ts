import type { DaemonSet, Pod } from '#pkg/api';
import type { EventType } from '#pkg/events';

import type { Verdict } from './placement.ts';
import { targetNode } from './template.ts';

/** All that decisions about Pods look at. */
export interface Snapshot {
  readonly daemonSet: DaemonSet;
  /** Of the newest template's revision. */
  readonly hash: string;
  /** Nodes with what the DaemonSet's template says about each. */
  readonly nodes: readonly PlacedNode[];
  /** Pods that the DaemonSet manages, by the node they are on or meant for; see {@link groupByNode}. */
  readonly podsByNode: ReadonlyMap<string, readonly Pod[]>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface PlacedNode extends Verdict {
  readonly name: string;
}

export interface Report {
  readonly type: EventType;
  readonly reason: string;
  readonly message: string;
}

/** The Pods to delete and the nodes to make one on. */
export interface Changes {
  readonly remove: readonly Pod[];
  readonly create: readonly string[];
}

/** Those that are over and being deleted are nobody's business any more; nor are those of no node. */
export function groupByNode(pods: readonly Pod[]): Map<string, Pod[]> {
  const groups = new Map<string, Pod[]>();
  for (const pod of pods) {
    const over = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (over && isGoing(pod)) continue;
    const node = targetNode(pod);
    if (node === undefined) continue;
    const group = groups.get(node);
    if (group) group.push(pod);
    else groups.set(node, [pod]);
  }
  return groups;
}

export const isGoing = (pod: Pod): boolean => pod.metadata.deletionTimestamp !== undefined;

export function minReadySeconds({ spec }: DaemonSet): number {
  return spec?.minReadySeconds ?? 0;
}

/** Those on a node first, then the older, then by name. */
export function bySchedulingAndAge(a: Pod, b: Pod): number {
  const placed = Number(Boolean(b.spec?.nodeName)) - Number(Boolean(a.spec?.nodeName));
  if (placed !== 0) return placed;
  const [left, right] = [a.metadata.creationTimestamp, b.metadata.creationTimestamp];
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
