import { parseTime } from '#pkg/base';

import { newCondition } from './conditions.ts';
import { type JobCondition, backoffLimitOf, conditionOf, isPodFailed, isSuspended, specOf, statusOf } from './facts.ts';
import { judgeFailure } from './failure-policy.ts';
import { countIndexes } from './intervals.ts';
import type { Snapshot } from './snapshot.ts';
import { metSuccessRule } from './success-policy.ts';
import type { Tally } from './tally.ts';

/**
 * Why the Job ends, before any look at whether its Pods have: the interim condition, or Failed where the interim one was
 * set by an earlier sync. Earlier verdicts stand; then failures go before successes (`syncJob` in
 * `pkg/controller/job/job_controller.go`). That all completions are reached is no verdict: no Pod has to be ended for it.
 */
export function verdictOn(snapshot: Snapshot, tally: Tally): JobCondition | undefined {
  const status = statusOf(snapshot.job);
  const met = conditionOf(status, 'SuccessCriteriaMet');
  if (met?.status === 'True') return met;
  const failing = conditionOf(status, 'FailureTarget');
  if (failing?.status === 'True')
    return newCondition('Failed', 'True', failing.reason ?? '', failing.message ?? '', snapshot.now);
  const failure = failureOf(snapshot, tally);
  if (failure) {
    // Of the failure policy's verdict there always was an interim one.
    const interim = snapshot.gates.interim || failure.reason === BY_POLICY;
    return newCondition(interim ? 'FailureTarget' : 'Failed', 'True', failure.reason, failure.message, snapshot.now);
  }
  const success =
    tally.indexes &&
    metSuccessRule(snapshot.job.spec?.successPolicy, tally.indexes.completions, tally.indexes.succeeded);
  return success === undefined
    ? undefined
    : newCondition('SuccessCriteriaMet', 'True', 'SuccessPolicy', success, snapshot.now);
}

const BY_POLICY = 'PodFailurePolicy';

interface Reason {
  readonly reason: string;
  readonly message: string;
}

function failureOf(snapshot: Snapshot, tally: Tally): Reason | undefined {
  const { job } = snapshot;
  const byPolicy = policyFailure(snapshot);
  if (byPolicy !== undefined) return { reason: BY_POLICY, message: byPolicy };
  if (tally.failed > backoffLimitOf(job) || tooManyRestarts(snapshot)) {
    return { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  }
  if ((deadlineIn(snapshot) ?? Infinity) <= 0) {
    return { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
  }
  return indexFailure(snapshot, tally);
}

function policyFailure({ job, pods }: Snapshot): string | undefined {
  const policy = job.spec?.podFailurePolicy;
  if (!policy) return undefined;
  for (const pod of pods) {
    const failure = isPodFailed(pod, job) ? judgeFailure(policy, pod).jobFailure : undefined;
    if (failure !== undefined) return failure;
  }
  return undefined;
}

/** Containers that restart in place count against the limit, too, while their Pods live. */
function tooManyRestarts({ job, pods }: Snapshot): boolean {
  if (specOf(job).template.spec?.restartPolicy !== 'OnFailure') return false;
  let restarts = 0;
  for (const { status } of pods) {
    if (status?.phase !== 'Running' && status?.phase !== 'Pending') continue;
    for (const { restartCount } of status.initContainerStatuses ?? []) restarts += restartCount;
    for (const { restartCount } of status.containerStatuses ?? []) restarts += restartCount;
  }
  return restarts >= Math.max(1, backoffLimitOf(job));
}

/** ms until the Job will have been active for too long; undefined where nothing sets a limit to it now. */
export function deadlineIn({ job, now }: Pick<Snapshot, 'job' | 'now'>): number | undefined {
  const seconds = job.spec?.activeDeadlineSeconds;
  if (seconds === undefined || isSuspended(job)) return undefined;
  const { startTime } = statusOf(job);
  // A Job that starts with this sync has all its time.
  return (startTime === undefined ? now : parseTime(startTime)) + seconds * 1000 - now;
}

function indexFailure({ job }: Snapshot, { indexes }: Tally): Reason | undefined {
  if (!indexes?.failed) return undefined;
  const failed = countIndexes(indexes.failed);
  const { maxFailedIndexes } = specOf(job);
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes) {
    return {
      reason: 'MaxFailedIndexesExceeded',
      message: 'Job has exceeded the specified maximal number of failed indexes',
    };
  }
  if (failed > 0 && failed + countIndexes(indexes.succeeded) >= indexes.completions) {
    return { reason: 'FailedIndexes', message: 'Job has failed indexes' };
  }
  return undefined;
}

/**
 * Whether the Job has done all it was asked for, with `active` Pods left. Without completions it is done when one Pod has
 * succeeded and the others have ended; with them, when so many have.
 */
export function isComplete({ job }: Snapshot, { succeeded }: Tally, active: number): boolean {
  const { completions } = specOf(job);
  return active === 0 && (completions === undefined ? succeeded > 0 : succeeded >= completions);
}

export function completionsReached({ gates, now }: Snapshot): JobCondition {
  return newCondition(
    gates.interim ? 'SuccessCriteriaMet' : 'Complete',
    'True',
    'CompletionsReached',
    'Reached expected number of succeeded pods',
    now,
  );
}
