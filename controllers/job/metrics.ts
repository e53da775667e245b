import type { Job, Pod } from '#pkg/api';
import type { Metrics } from '#pkg/metrics';

import { completionModeOf, hasLimitPerIndex, isIndexed, isTracked, specOf, statusOf } from './facts.ts';
import type { FailureAction } from './failure-policy.ts';
import { countIndexes, parseIntervals } from './intervals.ts';

/** What a sync did about the number of Pods. */
export type SyncAction = 'reconciling' | 'tracking' | 'pods_created' | 'pods_deleted';
type Result = 'succeeded' | 'failed';

const SUBSYSTEM = 'job_controller';
const DURATION_BUCKETS = Array.from({ length: 15 }, (_, i) => (4 * 2 ** i) / 1000);

/** The controller's own metrics (`pkg/controller/job/metrics`). */
export class JobMetrics {
  readonly #syncDuration;
  readonly #syncs;
  readonly #finished;
  readonly #podsFinished;
  readonly #indexesFinished;
  readonly #podsCreated;
  readonly #policyActions;
  readonly #tracked;
  readonly #external;

  constructor(metrics: Metrics) {
    const syncLabels = ['action', 'completion_mode', 'result'] as const;
    this.#syncDuration = metrics.histogram({
      name: `${SUBSYSTEM}_job_sync_duration_seconds`,
      help: 'Time that syncing a Job took.',
      stability: 'STABLE',
      labels: syncLabels,
      buckets: DURATION_BUCKETS,
    });
    this.#syncs = metrics.counter({
      name: `${SUBSYSTEM}_job_syncs_total`,
      help: 'Syncs of Jobs.',
      stability: 'STABLE',
      labels: syncLabels,
    });
    this.#finished = metrics.counter({
      name: `${SUBSYSTEM}_jobs_finished_total`,
      help: 'Jobs that finished.',
      stability: 'STABLE',
      labels: ['completion_mode', 'reason', 'result'],
    });
    this.#podsFinished = metrics.counter({
      name: `${SUBSYSTEM}_job_pods_finished_total`,
      help: 'Pods that finished and are counted.',
      stability: 'STABLE',
      labels: ['completion_mode', 'result'],
    });
    this.#indexesFinished = metrics.counter({
      name: `${SUBSYSTEM}_job_finished_indexes_total`,
      help: 'Completion indexes that finished, by whether failures have a limit for each index (perIndex) or the whole Job (global).',
      stability: 'ALPHA',
      labels: ['backoffLimit', 'status'],
    });
    this.#podsCreated = metrics.counter({
      name: `${SUBSYSTEM}_job_pods_creation_total`,
      help: 'Pods created, by why (new, recreate_terminating_or_failed, recreate_failed) and whether that succeeded or failed.',
      stability: 'ALPHA',
      labels: ['reason', 'status'],
    });
    this.#policyActions = metrics.counter({
      name: `${SUBSYSTEM}_pod_failures_handled_by_failure_policy_total`,
      help: 'Failed Pods that matched a rule of the failure policy, by its action.',
      stability: 'ALPHA',
      labels: ['action'],
    });
    this.#tracked = metrics.counter({
      name: `${SUBSYSTEM}_terminated_pods_tracking_finalizer_total`,
      help: 'Ended Pods that came to hold the tracking finalizer (add), or held it no more (delete).',
      stability: 'ALPHA',
      labels: ['event'],
    });
    this.#external = metrics.counter({
      name: `${SUBSYSTEM}_jobs_by_external_controller_total`,
      help: 'Jobs that another controller manages, by its name.',
      stability: 'ALPHA',
      labels: ['controller_name'],
    });
  }

  synced(job: Job, action: SyncAction, succeeded: boolean, seconds: number): void {
    const labels = { action, completion_mode: completionModeOf(job), result: succeeded ? 'success' : 'error' };
    this.#syncDuration.observe(labels, seconds);
    this.#syncs.inc(labels);
  }

  finished(job: Job, result: Result, reason: string): void {
    this.#finished.inc({ completion_mode: completionModeOf(job), reason, result });
  }

  /** What `after`, as it was written, counts more than `before`. */
  counted(before: Job, after: Job): void {
    const [old, now] = [statusOf(before), statusOf(after)];
    const mode = completionModeOf(after);
    let succeeded = (now.succeeded ?? 0) - (old.succeeded ?? 0);
    if (isIndexed(after)) {
      const completions = specOf(after).completions ?? 0;
      // Both by what the Job has now: indexes may have been taken from it.
      const count = (text: string | undefined): number => countIndexes(parseIntervals(text, completions));
      succeeded = count(now.completedIndexes) - count(old.completedIndexes);
      const backoffLimit = hasLimitPerIndex(after) ? 'perIndex' : 'global';
      increase(succeeded, (by) => this.#indexesFinished.inc({ backoffLimit, status: 'succeeded' }, by));
      increase(count(now.failedIndexes) - count(old.failedIndexes), (by) =>
        this.#indexesFinished.inc({ backoffLimit, status: 'failed' }, by),
      );
    }
    increase(succeeded, (by) => this.#podsFinished.inc({ completion_mode: mode, result: 'succeeded' }, by));
    increase((now.failed ?? 0) - (old.failed ?? 0), (by) =>
      this.#podsFinished.inc({ completion_mode: mode, result: 'failed' }, by),
    );
  }

  /** `failures`: whether Pods of the Job have failed; `terminating`: whether some are on their way out. */
  created(
    job: Job,
    why: { readonly failures: boolean; readonly terminating: boolean },
    successes: number,
    errors: number,
  ): void {
    const onlyFailed = job.spec?.podReplacementPolicy === 'Failed' && why.failures;
    const reason = onlyFailed
      ? 'recreate_failed'
      : why.failures || why.terminating
        ? 'recreate_terminating_or_failed'
        : 'new';
    increase(successes, (by) => this.#podsCreated.inc({ reason, status: 'succeeded' }, by));
    increase(errors, (by) => this.#podsCreated.inc({ reason, status: 'failed' }, by));
  }

  policyActions(actions: ReadonlyMap<FailureAction, number>): void {
    for (const [action, count] of actions) this.#policyActions.inc({ action }, count);
  }

  /** A Pod changed from `before`, came (without it) or went (without `after`). */
  podChanged(before: Pod | undefined, after: Pod | undefined): void {
    const [was, is] = [isEndedAndTracked(before), isEndedAndTracked(after)];
    if (was !== is) this.#tracked.inc({ event: is ? 'add' : 'delete' });
  }

  managedByOther(name: string): void {
    this.#external.inc({ controller_name: name });
  }
}

function increase(by: number, inc: (by: number) => void): void {
  if (by > 0) inc(by);
}

function isEndedAndTracked(pod: Pod | undefined): boolean {
  return pod !== undefined && (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') && isTracked(pod);
}
