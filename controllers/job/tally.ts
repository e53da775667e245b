import { type Job, type Pod, isPodActive, isPodReady, isPodTerminating } from '#pkg/api';

import { type BackoffRecord, finishedAt, nextRecord } from './backoff.ts';
import { hasLimitPerIndex, isIndexed, isPodFailed, isPodSucceeded, isTracked, specOf, statusOf } from './facts.ts';
import { judgeFailure } from './failure-policy.ts';
import { type Intervals, countIndexes, hasIndex, intervalsOf, parseIntervals, union } from './intervals.ts';
import { allFailuresBefore, failuresBefore, indexOf, indexesOf } from './pod-index.ts';
import type { Snapshot } from './snapshot.ts';

/** What an Indexed Job's Pods say about its indexes. */
export interface IndexTally {
  readonly completions: number;
  /** As the status has them. */
  readonly before: Intervals;
  /** Those, and what has succeeded since. */
  readonly succeeded: Intervals;
  /** With a limit for each index: those that will not be tried again. */
  readonly failed?: Intervals;
  /**
   * With a limit for each index: the last failed Pod of an index that waits for its next one, which takes over the count
   * of failures. Until then it stays.
   */
  readonly replaced: ReadonlyMap<number, Pod>;
}

export interface Tally {
  readonly active: readonly Pod[];
  readonly terminating: number;
  /** UIDs that the status has noted as ended and not yet counted. */
  readonly noted: { readonly succeeded: ReadonlySet<string>; readonly failed: ReadonlySet<string> };
  /** Counted, noted and newly found. */
  readonly succeeded: number;
  readonly failed: number;
  readonly backoff: BackoffRecord;
  readonly indexes?: IndexTally;
}

export function tallyOf(snapshot: Snapshot): Tally {
  const { job, pods, backoff } = snapshot;
  const status = statusOf(job);
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const noted = { succeeded: new Set(succeeded), failed: new Set(failed) };
  const uncounted = pods.filter((pod) => isUncounted(pod, snapshot));
  // One that was deleted, counts as failed since, and has succeeded all the same, is no completion.
  const isNoted = ({ metadata: { uid } }: Pod): boolean => noted.succeeded.has(uid) || noted.failed.has(uid);
  const newSucceeded = uncounted.filter((pod) => isPodSucceeded(pod) && !isNoted(pod));
  const newFailed = uncounted.filter((pod) => isPodFailed(pod, job) && !noted.failed.has(pod.metadata.uid));
  const counting = newFailed.filter((pod) => judgeFailure(job.spec?.podFailurePolicy, pod).counts);
  const active = pods.filter(isPodActive);
  const indexes = isIndexed(job) ? tallyIndexes(snapshot, uncounted, active) : undefined;
  return {
    active,
    terminating: pods.filter(isPodTerminating).length,
    noted,
    succeeded: indexes
      ? countIndexes(indexes.succeeded)
      : (status.succeeded ?? 0) + newSucceeded.length + noted.succeeded.size,
    failed: (status.failed ?? 0) + counting.length + noted.failed.size,
    backoff: nextRecord(backoff, newSucceeded, newFailed),
    ...(indexes ? { indexes } : {}),
  };
}

export const countReady = (pods: readonly Pod[]): number => pods.filter(isPodReady).length;

/** Its end is still to be counted: it holds the finalizer and, in an Indexed Job, an index that the Job has. */
function isUncounted(pod: Pod, { job, released }: Snapshot): boolean {
  return isTracked(pod) && !released.has(pod.metadata.uid) && (!isIndexed(job) || validIndexOf(pod, job) !== undefined);
}

/** The Pod's index if the Job has it: completions may have been lowered since the Pod was made. */
export function validIndexOf(pod: Pod, job: Job): number | undefined {
  const index = indexOf(pod);
  return index !== undefined && index < (specOf(job).completions ?? 0) ? index : undefined;
}

function tallyIndexes(snapshot: Snapshot, uncounted: readonly Pod[], active: readonly Pod[]): IndexTally {
  const { job, pods } = snapshot;
  const { completedIndexes, failedIndexes } = statusOf(job);
  const completions = specOf(job).completions ?? 0;
  const withIndexesOf = (known: Intervals, ended: (pod: Pod) => boolean): Intervals => {
    const found = pods.filter((pod) => isTracked(pod) && validIndexOf(pod, job) !== undefined && ended(pod));
    return union(known, intervalsOf(indexesOf(found)));
  };
  const before = parseIntervals(completedIndexes, completions);
  const succeeded = withIndexesOf(before, isPodSucceeded);
  if (!hasLimitPerIndex(job)) return { completions, before, succeeded, replaced: new Map() };
  const failed = withIndexesOf(parseIntervals(failedIndexes, completions), (pod) => failsIndex(pod, job));
  const settled = union(succeeded, failed, intervalsOf(indexesOf(active)));
  return { completions, before, succeeded, failed, replaced: lastFailures(uncounted, job, settled) };
}

/** The Pod was the last that its index had, by the limit or by a rule. */
function failsIndex(pod: Pod, job: Job): boolean {
  if (!isPodFailed(pod, job)) return false;
  const { action, counts } = judgeFailure(job.spec?.podFailurePolicy, pod);
  return action === 'FailIndex' || (counts && failuresBefore(pod) >= (specOf(job).backoffLimitPerIndex ?? 0));
}

/** By index, the failed Pod that came last, of indexes that have neither an end nor an active Pod, whose annotations would do. */
function lastFailures(uncounted: readonly Pod[], job: Job, settled: Intervals): ReadonlyMap<number, Pod> {
  const last = new Map<number, Pod>();
  for (const pod of uncounted) {
    const index = indexOf(pod);
    if (index === undefined || !isPodFailed(pod, job) || hasIndex(settled, index)) continue;
    const known = last.get(index);
    if (!known || (allFailuresBefore(known) <= allFailuresBefore(pod) && finishedAt(known) <= finishedAt(pod)))
      last.set(index, pod);
  }
  return last;
}
