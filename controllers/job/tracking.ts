import type { Pod } from '#pkg/api';

import { newCondition, setCondition } from './conditions.ts';
import {
  type JobCondition,
  type JobStatus,
  holds,
  isIndexed,
  isPodFailed,
  isPodSucceeded,
  isTracked,
} from './facts.ts';
import { type FailureAction, judgeFailure } from './failure-policy.ts';
import { countIndexes, formatIntervals, hasIndex, intervalsOf, union } from './intervals.ts';
import { byIndex, indexOf } from './pod-index.ts';
import type { Snapshot } from './snapshot.ts';
import { type Tally, validIndexOf } from './tally.ts';

/** Most UIDs noted in a status, which keeps them below 20 KB; the rest is left for the next sync. */
const MOST_NOTED = 500;

export interface Tracking {
  readonly status: JobStatus;
  /** The status has to be written before anything else is done. */
  readonly changed: boolean;
  /** Pods whose end the status now tells, or that need not be counted: their finalizers may go once it is written. */
  readonly release: readonly Pod[];
  /** UIDs of Pods that hold the finalizer until then. */
  readonly held: ReadonlySet<string>;
  /** The final condition, for when all is counted. */
  readonly ending?: JobCondition;
  /** Failures by the action of the policy's rule that they matched. */
  readonly actions: ReadonlyMap<FailureAction, number>;
}

/**
 * Notes the ended Pods in the status, so that none is counted twice or lost whatever fails in between: first the status
 * says who has ended, then their finalizers are removed, then they are counted ({@link countReleased}). Completion indexes
 * need no note, a set can't count twice. `verdict` becomes the interim condition (KEP-2307, `trackJobStatusAndRemoveFinalizers`
 * in `pkg/controller/job/job_controller.go`).
 */
export function decideTracking(
  snapshot: Snapshot,
  tally: Tally,
  draft: JobStatus,
  verdict: JobCondition | undefined,
): Tracking {
  const { job, released } = snapshot;
  const pods = isIndexed(job) ? snapshot.pods.toSorted(byIndex) : snapshot.pods;
  const tracked = pods.filter((pod) => isTracked(pod) && !released.has(pod.metadata.uid));
  const held = new Set(tracked.map((pod) => pod.metadata.uid));
  const counted = countReleased(draft, held);
  const noted = note(tracked, snapshot, tally, counted, verdict);
  const indexed = withIndexes(noted.status, noted.indexes, tally);
  const { status, ending } = withVerdict(indexed, verdict, snapshot.now);
  return {
    status,
    changed: status !== draft,
    release: noted.release,
    held,
    actions: noted.actions,
    // What is left over must be counted before the Job may end.
    ...(ending && !noted.full ? { ending } : {}),
  };
}

interface Notes {
  readonly status: JobStatus;
  readonly indexes: readonly number[];
  readonly release: readonly Pod[];
  readonly actions: ReadonlyMap<FailureAction, number>;
  readonly full: boolean;
}

function note(
  tracked: readonly Pod[],
  snapshot: Snapshot,
  tally: Tally,
  status: JobStatus,
  verdict: JobCondition | undefined,
): Notes {
  const { job } = snapshot;
  const known = status.uncountedTerminatedPods ?? {};
  const [succeeded, failed] = [[...(known.succeeded ?? [])], [...(known.failed ?? [])]];
  const before = succeeded.length + failed.length;
  const [indexes, release]: [number[], Pod[]] = [[], []];
  const actions = new Map<FailureAction, number>();
  const endsAsFailure = verdict !== undefined && !isSuccess(verdict.type);
  let full = false;
  for (const pod of tracked) {
    if (!mayRelease(pod, snapshot, tally, verdict)) continue;
    release.push(pod);
    const { uid } = pod.metadata;
    const valid = !isIndexed(job) || validIndexOf(pod, job) !== undefined;
    if (isPodSucceeded(pod) && !tally.noted.failed.has(uid)) {
      if (!tally.indexes) {
        if (!tally.noted.succeeded.has(uid)) succeeded.push(uid);
      } else if (valid && !hasIndex(tally.indexes.before, indexOf(pod)!)) indexes.push(indexOf(pod)!);
    } else if ((isPodFailed(pod, job) || endsAsFailure) && valid && !tally.noted.failed.has(uid)) {
      const { action, counts } = judgeFailure(job.spec?.podFailurePolicy, pod);
      if (action !== undefined) actions.set(action, (actions.get(action) ?? 0) + 1);
      if (counts) failed.push(uid);
    }
    full = indexes.length + succeeded.length + failed.length >= MOST_NOTED;
    if (full) break;
  }
  const changed = succeeded.length + failed.length > before;
  return { status: changed ? withNoted(status, succeeded, failed) : status, indexes, release, actions, full };
}

/** A Pod may go when its end is known, or matters no more; a failed one that its index's next Pod follows waits for that one. */
function mayRelease(pod: Pod, { job }: Snapshot, { indexes }: Tally, verdict: JobCondition | undefined): boolean {
  if (job.metadata.deletionTimestamp !== undefined || verdict || isPodSucceeded(pod)) return true;
  if (!isPodFailed(pod, job)) return false;
  const index = indexOf(pod);
  return index === undefined || indexes?.replaced.get(index)?.metadata.uid !== pod.metadata.uid;
}

function withNoted(status: JobStatus, succeeded: readonly string[], failed: readonly string[]): JobStatus {
  const uncountedTerminatedPods = {
    ...(succeeded.length > 0 ? { succeeded } : {}),
    ...(failed.length > 0 ? { failed } : {}),
  };
  return { ...status, uncountedTerminatedPods };
}

function withIndexes(status: JobStatus, newIndexes: readonly number[], { indexes }: Tally): JobStatus {
  if (!indexes) return status;
  const all = union(indexes.succeeded, intervalsOf(newIndexes));
  const [succeeded, completed] = [countIndexes(all), formatIntervals(all)];
  const failedIndexes = indexes.failed && formatIntervals(indexes.failed);
  const same = completed === (status.completedIndexes ?? '') && failedIndexes === status.failedIndexes;
  // Indexes that were completed twice change nothing.
  if (same && newIndexes.length === 0 && succeeded === (status.succeeded ?? 0)) return status;
  const { succeeded: _, completedIndexes: __, failedIndexes: ___, ...rest } = status;
  return {
    ...rest,
    ...(succeeded > 0 ? { succeeded, completedIndexes: completed } : {}),
    ...(failedIndexes === undefined ? {} : { failedIndexes }),
  };
}

const isSuccess = (type: string): boolean => type === 'SuccessCriteriaMet' || type === 'Complete';

function withVerdict(
  status: JobStatus,
  verdict: JobCondition | undefined,
  now: number,
): { readonly status: JobStatus; readonly ending?: JobCondition } {
  if (!verdict) return { status };
  const { type, reason = '', message = '' } = verdict;
  const final = isSuccess(type) ? 'Complete' : 'Failed';
  const known = type === final || holds(status, type);
  return {
    status: known ? status : { ...status, conditions: [...(status.conditions ?? []), verdict] },
    ending: newCondition(final, 'True', reason, message, now),
  };
}

/**
 * Counts the noted Pods that no longer hold the finalizer: they were let go after the note was written, so that none of
 * them can come again. The same object where there is none.
 */
export function countReleased(status: JobStatus, held: ReadonlySet<string>): JobStatus {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  const keptSucceeded = succeeded.filter((uid) => held.has(uid));
  const keptFailed = failed.filter((uid) => held.has(uid));
  const [moreSucceeded, moreFailed] = [succeeded.length - keptSucceeded.length, failed.length - keptFailed.length];
  if (moreSucceeded + moreFailed === 0) return status;
  return {
    ...withNoted(status, keptSucceeded, keptFailed),
    ...(moreSucceeded > 0 ? { succeeded: (status.succeeded ?? 0) + moreSucceeded } : {}),
    ...(moreFailed > 0 ? { failed: (status.failed ?? 0) + moreFailed } : {}),
  };
}

/** The status of a Job that has ended; undefined while Pods are still to be counted, or `terminating` ones to end. */
export function endedWith(status: JobStatus, ending: JobCondition, terminating: number): JobStatus | undefined {
  const { succeeded = [], failed = [] } = status.uncountedTerminatedPods ?? {};
  if (succeeded.length + failed.length > 0 || terminating > 0) return undefined;
  const ended = setCondition(status, ending);
  return ending.type === 'Complete' ? { ...ended, completionTime: ending.lastTransitionTime! } : ended;
}
