import { type Node, type Pod, isPodTerminal } from '#pkg/api';
import { parseTime } from '#pkg/base';

/** Why a Pod is deleted by force; the label of the metrics. */
export type Reason = 'terminated' | 'out-of-service' | 'orphaned' | 'unscheduled';

export interface Victim {
  readonly pod: Pod;
  readonly reason: Reason;
}

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';
const ALIVE: ReadonlySet<string | undefined> = new Set(['Pending', 'Running', 'Unknown']);

export function isTerminated({ status }: Pod): boolean {
  return !ALIVE.has(status?.phase);
}

export function isTerminating({ metadata }: Pod): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/**
 * Nothing is left to do for the collector: the Pod has ended and was deleted without grace, and only finalizers, which
 * are for others to take off, keep it.
 */
export function isHeldByFinalizers(pod: Pod): boolean {
  const { deletionGracePeriodSeconds, finalizers = [] } = pod.metadata;
  return isTerminating(pod) && deletionGracePeriodSeconds === 0 && finalizers.length > 0 && isPodTerminal(pod);
}

/** The terminated Pods beyond the threshold: evicted ones first, since no controller counts on them, then the oldest. */
function surplus(terminated: readonly Pod[], threshold: number): readonly Pod[] {
  const kept = terminated.filter((pod) => !isHeldByFinalizers(pod));
  const count = kept.length - threshold;
  return threshold <= 0 || count <= 0 ? [] : kept.toSorted(byWorth).slice(0, count);
}

function byWorth(a: Pod, b: Pod): number {
  const evicted = Number(isEvicted(b)) - Number(isEvicted(a));
  const age = parseTime(a.metadata.creationTimestamp) - parseTime(b.metadata.creationTimestamp);
  return evicted || age || (a.metadata.name < b.metadata.name ? -1 : 1);
}

/** By the kubelet, for want of resources. */
function isEvicted({ status }: Pod): boolean {
  return status?.phase === 'Failed' && status.reason === 'Evicted';
}

/** Somebody vouches that the node is down: it is tainted so, and is not ready (KEP-2268). */
export function isOutOfService({ spec, status }: Node): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
  return !ready && (spec?.taints ?? []).some(({ key }) => key === OUT_OF_SERVICE);
}

export interface Found {
  readonly terminated: readonly Pod[];
  readonly terminating: readonly Pod[];
  /** Pods on nodes that are gone for certain. */
  readonly orphaned: readonly Pod[];
}

/** Each Pod once, for the first reason that holds, in the order in which `gc` of `pkg/controller/podgc` goes through them. */
export function victimsOf(
  { terminated, terminating, orphaned }: Found,
  threshold: number,
  nodeOf: (name: string) => Node | undefined,
): readonly Victim[] {
  const victims = new Map<string, Victim>();
  const take = (reason: Reason, pods: readonly Pod[]): void => {
    for (const pod of pods) {
      const { uid } = pod.metadata;
      if (!victims.has(uid) && !isHeldByFinalizers(pod)) victims.set(uid, { pod, reason });
    }
  };
  const isDown = ({ spec }: Pod): boolean => {
    const node = spec?.nodeName ? nodeOf(spec.nodeName) : undefined;
    return node !== undefined && isOutOfService(node);
  };
  take('terminated', surplus(terminated, threshold));
  take('out-of-service', terminating.filter(isDown).toSorted(byWorth));
  take('orphaned', orphaned);
  take(
    'unscheduled',
    terminating.filter(({ spec }) => !spec?.nodeName),
  );
  return [...victims.values()];
}
