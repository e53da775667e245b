import { type Pod, isPodReady, podCondition } from '#pkg/api';
import { parseTime, ownValue, parseInt32 } from '#pkg/base';

/** Annotation by which users say which Pods to keep (`core.PodDeletionCost`). */
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

export interface RankingOptions {
  /** ms since the epoch. */
  readonly now: number;
  /** How many of the related active Pods stand on the Pod's node: the more, the sooner it goes. */
  readonly colocated: (pod: Pod) => number;
  /** Whether the deletion cost annotation counts (gate PodDeletionCost). */
  readonly deletionCost: boolean;
  /** Compare times as they are, not by powers of two (`ActivePods`): the younger always goes first. */
  readonly exactTimes?: boolean;
}

interface Candidate {
  readonly pod: Pod;
  readonly assigned: boolean;
  readonly phase: number;
  readonly ready: boolean;
  readonly cost: number;
  readonly colocated: number;
  readonly readySince: number;
  readonly restarts: number;
  readonly sidecarRestarts: number;
  readonly created: number;
}

/**
 * Pods in the order in which they should be deleted (`ActivePodsWithRanks` in `pkg/controller/controller_utils.go`):
 * unassigned before assigned; pending, unknown, running; not ready before ready; lower deletion cost; more companions on
 * the node; ready for a shorter time; more container restarts, then sidecar restarts; younger. Times are compared by
 * powers of two, so that deletions do not always hit the youngest; within a power the UID decides (KEP-2185).
 */
export function rankForDeletion(pods: readonly Pod[], options: RankingOptions): readonly Pod[] {
  const candidates = pods.map((pod) => candidateOf(pod, options));
  return candidates.sort((a, b) => compare(a, b, options)).map(({ pod }) => pod);
}

function candidateOf(pod: Pod, options: RankingOptions): Candidate {
  const ready = isPodReady(pod);
  const sidecars = new Set(pod.spec?.initContainers?.filter((c) => c.restartPolicy === 'Always').map((c) => c.name));
  const sidecarStatuses = pod.status?.initContainerStatuses?.filter((status) => sidecars.has(status.name));
  return {
    pod,
    assigned: Boolean(pod.spec?.nodeName),
    phase: ownValue(PHASES, pod.status?.phase ?? '') ?? 0,
    ready,
    cost: options.deletionCost ? podDeletionCost(pod) : 0,
    colocated: options.colocated(pod),
    readySince: ready ? parseTime(podCondition(pod, 'Ready')?.lastTransitionTime) : Number.NaN,
    restarts: mostRestarts(pod.status?.containerStatuses),
    sidecarRestarts: mostRestarts(sidecarStatuses),
    created: parseTime(pod.metadata.creationTimestamp),
  };
}

function mostRestarts(statuses: readonly { readonly restartCount: number }[] | undefined): number {
  return (statuses ?? []).reduce((most, { restartCount }) => Math.max(most, restartCount), 0);
}

function compare(a: Candidate, b: Candidate, options: RankingOptions): number {
  if (a.assigned !== b.assigned) return a.assigned ? 1 : -1;
  if (a.phase !== b.phase) return a.phase - b.phase;
  if (a.ready !== b.ready) return a.ready ? 1 : -1;
  if (a.cost !== b.cost) return a.cost - b.cost;
  if (a.colocated !== b.colocated) return b.colocated - a.colocated;
  if (a.ready && differ(a.readySince, b.readySince)) return compareTimes(a.readySince, b.readySince, a, b, options);
  if (a.restarts !== b.restarts) return b.restarts - a.restarts;
  if (a.sidecarRestarts !== b.sidecarRestarts) return b.sidecarRestarts - a.sidecarRestarts;
  if (differ(a.created, b.created)) return compareTimes(a.created, b.created, a, b, options);
  return 0;
}

const differ = (a: number, b: number): boolean => a !== b && !(Number.isNaN(a) && Number.isNaN(b));

/** No time before any; then by age or its magnitude, younger first; then by UID. */
function compareTimes(
  timeA: number,
  timeB: number,
  a: Candidate,
  b: Candidate,
  { now, exactTimes = false }: RankingOptions,
): number {
  if (Number.isNaN(timeA) || Number.isNaN(timeB)) return Number.isNaN(timeA) ? -1 : 1;
  if (exactTimes) return timeB - timeA;
  const difference = magnitude(now - timeA) - magnitude(now - timeB);
  if (difference !== 0) return difference;
  return a.pod.metadata.uid < b.pod.metadata.uid ? -1 : 1;
}

/** Base-2 logarithm of an age, in nanoseconds as upstream counts it; -1 for none. */
function magnitude(age: number): number {
  return age > 0 ? Math.trunc(Math.log2(age * 1e6)) : -1;
}

/** 0 where missing or not a decimal int32 in its shortest form (`GetDeletionCostFromPodAnnotations`). */
export function podDeletionCost(pod: Pod): number {
  const text = pod.metadata.annotations?.[DELETION_COST];
  // A minus may be followed by zeros, a plus is no number: upstream looks at the first character only.
  return text !== undefined && /^(?:0$|[1-9-])/.test(text) ? (parseInt32(text) ?? 0) : 0;
}

/** For each of `pods` how many of them are active on its node, as a look-up for {@link RankingOptions.colocated}. */
export function colocation(relatedActivePods: Iterable<Pod>): (pod: Pod) => number {
  const onNode = new Map<string, number>();
  const nodeOf = (pod: Pod): string => pod.spec?.nodeName ?? '';
  for (const pod of relatedActivePods) onNode.set(nodeOf(pod), (onNode.get(nodeOf(pod)) ?? 0) + 1);
  return (pod) => onNode.get(nodeOf(pod)) ?? 0;
}
