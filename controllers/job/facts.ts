import type { Job, Pod, Wire } from '#pkg/api';
import { hasFinalizer } from '#pkg/controller';

export type JobSpec = NonNullable<Job['spec']>;
export type JobStatus = NonNullable<Job['status']>;
export type JobCondition = NonNullable<JobStatus['conditions']>[number];

/** Keeps a Pod until its end is counted in its Job's status. */
export const TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking';

/** `spec.managedBy` of a Job that is ours; so is one without. */
const OWN_NAME = 'kubernetes.io/job-controller';

/** What this version of the API server always fills in (`pkg/apis/batch/v1/defaults.go`). */
const DEFAULT_BACKOFF_LIMIT = 6;

export function specOf(job: Job): JobSpec {
  if (!job.spec) throw new TypeError(`the Job ${job.metadata.name} has no spec`);
  return job.spec;
}

export const statusOf = (job: Job): JobStatus => job.status ?? {};

export const isIndexed = (job: Job): boolean => job.spec?.completionMode === 'Indexed';

/** Label of the metrics. */
export const completionModeOf = (job: Job): 'Indexed' | 'NonIndexed' => (isIndexed(job) ? 'Indexed' : 'NonIndexed');

export const isSuspended = (job: Job): boolean => job.spec?.suspend === true;

export const parallelismOf = (job: Job): number => job.spec?.parallelism ?? 1;

export const backoffLimitOf = (job: Job): number => job.spec?.backoffLimit ?? DEFAULT_BACKOFF_LIMIT;

/** Failures are counted for each index and not for the whole Job (KEP-3850). */
export const hasLimitPerIndex = (job: Job): boolean => job.spec?.backoffLimitPerIndex !== undefined;

/** A Pod is replaced only once it has ended, not as soon as it is told to go (KEP-3939). */
export const replacesOnlyFailed = (job: Job): boolean =>
  job.spec?.podReplacementPolicy === 'Failed' || job.spec?.podFailurePolicy !== undefined;

/** The other controller that looks after the Job (KEP-4368). */
export function managedByOther(job: Job): string | undefined {
  const name = job.spec?.managedBy;
  return name === undefined || name === OWN_NAME ? undefined : name;
}

export function conditionOf(status: JobStatus | undefined, type: string): JobCondition | undefined {
  return status?.conditions?.find((condition) => condition.type === type);
}

export const holds = (status: JobStatus | undefined, type: string): boolean =>
  conditionOf(status, type)?.status === 'True';

/** Complete or Failed: nothing more will happen to it (`IsJobFinished` in `pkg/controller/job/util`). */
export const isFinished = (job: Job): boolean => holds(job.status, 'Complete') || holds(job.status, 'Failed');

export const isTracked = (pod: Pod): boolean => hasFinalizer(pod, TRACKING_FINALIZER);

/** Ended without success, or bound to: a Pod that was deleted may never get to the Failed phase. */
export function isPodFailed(pod: Pod, job: Job): boolean {
  const phase = pod.status?.phase;
  if (phase === 'Failed') return true;
  return !replacesOnlyFailed(job) && pod.metadata.deletionTimestamp !== undefined && phase !== 'Succeeded';
}

export const isPodSucceeded = (pod: Pod): boolean => pod.status?.phase === 'Succeeded';

export type ContainerStatus = Wire<NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]>;
