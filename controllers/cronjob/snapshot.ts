import type { CronJob, Job } from '#pkg/api';
import type { EventType, ObjectReference } from '#pkg/events';

export type CronJobStatus = NonNullable<CronJob['status']>;

/** All that a decision looks at. */
export interface Snapshot {
  readonly cronJob: CronJob;
  /** The Jobs that the CronJob controls. */
  readonly jobs: readonly Job[];
  /** UIDs of active Jobs that are neither in the cache nor on the server. */
  readonly gone: ReadonlySet<string>;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** An event to be told about the CronJob. */
export interface Report {
  readonly type: EventType;
  readonly reason: string;
  readonly message: string;
}

export function activeOf(status: CronJobStatus): readonly ObjectReference[] {
  return status.active ?? [];
}

export function isActive(status: CronJobStatus, uid: string): boolean {
  return activeOf(status).some((reference) => reference.uid === uid);
}

export function withoutActive(status: CronJobStatus, uids: ReadonlySet<string>): CronJobStatus {
  const { active = [], ...rest } = status;
  const left = active.filter(({ uid }) => uid === undefined || !uids.has(uid));
  return left.length > 0 ? { ...rest, active: left } : rest;
}
