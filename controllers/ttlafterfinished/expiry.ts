import { type Job, keyOf } from '#pkg/api';
import { CodedError, parseTime } from '#pkg/base';

/** `NoFinishTime`: the Job says that it has finished, but not when. */
export class ExpiryError extends CodedError<'NoFinishTime', { readonly job: string }> {}

/** Ended one way or the other, with a time to live, and not being deleted yet. */
export function needsCleanup(job: Job): boolean {
  return (
    job.metadata.deletionTimestamp === undefined &&
    typeof job.spec?.ttlSecondsAfterFinished === 'number' &&
    finished(job) !== undefined
  );
}

/**
 * When the Job's time to live ends, ms since the epoch; undefined for one that {@link needsCleanup} does not hold for.
 * Throws an ExpiryError (`processTTL` in `pkg/controller/ttlafterfinished`, KEP-592).
 */
export function expiresAt(job: Job): number | undefined {
  if (!needsCleanup(job)) return undefined;
  const finishedAt = parseTime(finished(job)?.lastTransitionTime);
  if (Number.isNaN(finishedAt)) {
    throw new ExpiryError('NoFinishTime', `unable to find the time when the Job ${keyOf(job)} finished`, {
      job: keyOf(job),
    });
  }
  return finishedAt + job.spec!.ttlSecondsAfterFinished! * 1000;
}

function finished({ status }: Job): NonNullable<NonNullable<Job['status']>['conditions']>[number] | undefined {
  return status?.conditions?.find(
    ({ type, status: holds }) => (type === 'Complete' || type === 'Failed') && holds === 'True',
  );
}
