import { type Pod, isPodActive, isPodReady } from '#pkg/api';
import { parseTime } from '#pkg/base';
import { colocation, rankForDeletion } from '#pkg/controller';

/** Pods created or deleted at most before the cache must show them (`BurstReplicas` upstream). */
export const BURST_REPLICAS = 500;

/** How many Pods to create (above zero) or to delete (below). */
export function decideChange(wanted: number, active: number): number {
  return Math.max(-BURST_REPLICAS, Math.min(BURST_REPLICAS, wanted - active));
}

export interface DeletionInput {
  readonly active: readonly Pod[];
  readonly count: number;
  /** Pods of all owners under the same controller, this one's included: on a crowded node the first one goes. */
  readonly related: readonly Pod[];
  readonly deletionCost: boolean;
  /** ms since the epoch. */
  readonly now: number;
}

export interface Deletion {
  readonly pods: readonly Pod[];
  /** Observations of `sorting_deletion_age_ratio`. */
  readonly ageRatios: readonly number[];
}

/** Which Pods to delete. Only a choice needs an order. */
export function decideDeletion(input: DeletionInput): Deletion {
  const { active, count, related, deletionCost, now } = input;
  if (count >= active.length) return { pods: active, ageRatios: [] };
  const ranked = rankForDeletion(active, { now, deletionCost, colocated: colocation(related.filter(isPodActive)) });
  const pods = ranked.slice(0, count);
  return { pods, ageRatios: ageRatios(active, pods, now) };
}

/**
 * Age of each chosen ready Pod over that of the youngest ready one, in whole numbers as upstream divides them
 * (`reportSortingDeletionAgeRatioMetric` in `pkg/controller/replicaset/replica_set.go`).
 */
function ageRatios(active: readonly Pod[], chosen: readonly Pod[], now: number): readonly number[] {
  const age = (pod: Pod): number => now - parseTime(pod.metadata.creationTimestamp);
  const youngest = Math.min(...active.filter(isPodReady).map(age));
  if (!(youngest > 0)) return [];
  return chosen.filter(isPodReady).map((pod) => Math.trunc(age(pod) / youngest));
}
