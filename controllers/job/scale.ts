import { type NewObject, type Pod, isPodTerminating } from '#pkg/api';
import { rankForDeletion } from '#pkg/controller';

import { backoffLeft, backoffLeftOfIndex } from './backoff.ts';
import { hasLimitPerIndex, isSuspended, parallelismOf, replacesOnlyFailed, specOf } from './facts.ts';
import { firstMissing, intervalsOf, union } from './intervals.ts';
import { newPod } from './new-pod.ts';
import { byIndex, indexOf, indexesOf } from './pod-index.ts';
import type { Snapshot } from './snapshot.ts';
import type { IndexTally, Tally } from './tally.ts';

/** Most Pods created or deleted in one sync, so that a large Job lets others have their turn. */
const LARGEST_CHANGE = 500;
/** Pods that fail together are not replaced one by one. */
const SHORTEST_WAIT = 1000;

/** What is to be done about the number of a Job's Pods: one thing a sync, deletion before creation. */
export type Change =
  | { readonly kind: 'keep' }
  | { readonly kind: 'delete'; readonly pods: readonly Pod[] }
  | { readonly kind: 'create'; readonly pods: readonly NewObject<Pod>[] }
  /** Pods have failed and are not to be replaced before so many ms. */
  | { readonly kind: 'wait'; readonly for: number };

/** `manageJob` in `pkg/controller/job/job_controller.go`. */
export function decideChange(snapshot: Snapshot, tally: Tally): Change {
  const { job } = snapshot;
  const active = tally.active.length;
  if (isSuspended(job)) return { kind: 'delete', pods: podsToDelete(snapshot, tally, active) };
  const wanted = wantedActive(snapshot, tally);
  const surplus = podsToDelete(snapshot, tally, Math.max(0, active - wanted)).slice(0, LARGEST_CHANGE);
  if (surplus.length > 0) return { kind: 'delete', pods: surplus };
  const missing = wanted - active - (replacesOnlyFailed(job) ? tally.terminating : 0);
  return missing > 0 ? decideCreation(snapshot, tally, missing) : { kind: 'keep' };
}

/** As many as may run at a time, and no more than there are completions left. */
function wantedActive({ job }: Snapshot, { active, succeeded }: Tally): number {
  const { completions } = specOf(job);
  if (completions !== undefined) return Math.max(0, Math.min(parallelismOf(job), completions - succeeded));
  // A work queue: once a Pod has found it empty, whoever still works goes on, and nobody new begins.
  return succeeded > 0 ? active.length : parallelismOf(job);
}

/**
 * At least `count` active Pods, those first that have come least far. Of an Indexed Job all that have no index, one that it
 * has not, or one that another Pod has.
 */
function podsToDelete({ now }: Snapshot, { active, indexes }: Tally, count: number): readonly Pod[] {
  const ranked = (pods: readonly Pod[]): readonly Pod[] =>
    rankForDeletion(pods, { now, colocated: () => 0, deletionCost: false, exactTimes: true });
  const { surplus, kept } = indexes ? repeated(active, indexes.completions, ranked) : { surplus: [], kept: active };
  const more = count - surplus.length;
  return more > 0 ? [...surplus, ...ranked(kept).slice(0, more)] : surplus;
}

function repeated(
  active: readonly Pod[],
  completions: number,
  ranked: (pods: readonly Pod[]) => readonly Pod[],
): { readonly surplus: Pod[]; readonly kept: Pod[] } {
  const [surplus, kept]: [Pod[], Pod[]] = [[], []];
  const groups = Map.groupBy(active.toSorted(byIndex), (pod) => indexOf(pod) ?? -1);
  for (const [index, pods] of groups) {
    const order = pods.length > 1 ? ranked(pods) : pods;
    const valid = index >= 0 && index < completions;
    surplus.push(...(valid ? order.slice(0, -1) : order));
    if (valid) kept.push(order.at(-1)!);
  }
  return { surplus, kept };
}

function decideCreation(snapshot: Snapshot, { indexes, active, backoff }: Tally, missing: number): Change {
  const { job, now, podGroup } = snapshot;
  if (!hasLimitPerIndex(job)) {
    const left = backoffLeft(backoff, now);
    if (left > 0) return { kind: 'wait', for: Math.max(left, SHORTEST_WAIT) };
  }
  const count = Math.min(missing, LARGEST_CHANGE);
  if (!indexes) {
    const pod = newPod(job, { podGroup });
    return { kind: 'create', pods: Array.from({ length: count }, () => pod) };
  }
  const free = freeIndexes(snapshot, indexes, active, count);
  const waits = free.map((index) => backoffLeftOfIndex(indexes.replaced.get(index), now));
  const ready = free.filter((_, i) => waits[i] === 0);
  if (free.length > 0 && ready.length === 0) return { kind: 'wait', for: Math.max(Math.min(...waits), SHORTEST_WAIT) };
  return {
    kind: 'create',
    pods: ready.map((index) => newPod(job, { podGroup, indexed: { index, replaced: indexes.replaced.get(index) } })),
  };
}

/** The lowest indexes that have not ended and have no Pod at work, nor one that may still count where only failed ones are replaced. */
function freeIndexes(
  { job, pods }: Snapshot,
  { completions, succeeded, failed = [] }: IndexTally,
  active: readonly Pod[],
  count: number,
): number[] {
  const ending = replacesOnlyFailed(job) ? pods.filter(isPodTerminating) : [];
  const taken = union(succeeded, failed, intervalsOf(indexesOf([...active, ...ending])));
  return firstMissing(taken, count, completions);
}
