import type { CronJob, Job } from '#pkg/api';
import { parseTime } from '#pkg/base';
import type { ObjectReference } from '#pkg/events';

import { CronError } from './errors.ts';
import { type Finished, byStart, finishedAs, jobName } from './job.ts';
import { isMany, lookBack, untilNext } from './missed.ts';
import { namesZone, scheduleOf, zoneError } from './plan.ts';
import type { Schedule } from './schedule.ts';
import { type CronJobStatus, type Report, type Snapshot, activeOf, isActive, withoutActive } from './snapshot.ts';

/** Finished Jobs beyond the history limits, the oldest of each kind (`cleanupFinishedJobs`). */
export function decideCleanup({ cronJob, jobs }: Snapshot): readonly Job[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec ?? {};
  const surplus = (ended: Finished, limit: number | undefined): readonly Job[] => {
    if (limit === undefined) return [];
    const all = jobs.filter((job) => finishedAs(job) === ended);
    return all.length > limit ? all.toSorted(byStart).slice(0, all.length - limit) : [];
  };
  return [...surplus('Complete', successfulJobsHistoryLimit), ...surplus('Failed', failedJobsHistoryLimit)];
}

/** The status after a look at the Jobs: which still run, and when one last succeeded. `deleted` are UIDs of this sync. */
export function decideStatus(
  snapshot: Snapshot,
  deleted: ReadonlySet<string>,
): { status: CronJobStatus; reports: Report[] } {
  const { cronJob, jobs, gone } = snapshot;
  const reports: Report[] = [];
  const ended = new Set<string>();
  const before = withoutActive(cronJob.status ?? {}, deleted);
  let { lastSuccessfulTime } = before;
  for (const job of jobs) {
    const { name, uid } = job.metadata;
    const finished = finishedAs(job);
    if (!finished) {
      if (!isActive(before, uid))
        reports.push(warning('UnexpectedJob', `Saw a job that the controller did not create or forgot: ${name}`));
      continue;
    }
    if (isActive(before, uid)) {
      ended.add(uid);
      reports.push(normal('SawCompletedJob', `Saw completed job: ${name}, condition: ${finished}`));
    }
    const completed = job.status?.completionTime;
    if (
      finished === 'Complete' &&
      completed !== undefined &&
      !(parseTime(completed) <= parseTime(lastSuccessfulTime))
    ) {
      lastSuccessfulTime = completed;
    }
  }
  for (const { name, uid = '' } of activeOf(before)) {
    if (gone.has(uid)) reports.push(normal('MissingJob', `Active job went missing: ${name}`));
  }
  const status = withoutActive(before, new Set([...ended, ...gone]));
  return { status: lastSuccessfulTime === undefined ? status : { ...status, lastSuccessfulTime }, reports };
}

/** What is to be done about the schedule now. */
export type Start =
  /** Nothing until the CronJob changes. */
  | { readonly kind: 'rest' }
  /** Look again after so many ms. */
  | { readonly kind: 'wait'; readonly after: number }
  /** Make the Job of this time, after `replace` are deleted; `scheduled` is ms since the epoch. */
  | {
      readonly kind: 'start';
      readonly scheduled: number;
      readonly replace: readonly ObjectReference[];
      readonly schedule: Schedule;
    };

/** Whether a Job is due (`syncCronJob` in `pkg/controller/cronjob/cronjob_controllerv2.go`), for the status decided on. */
export function decideStart(cronJob: CronJob, now: number): { start: Start; reports: Report[] } {
  const { timeZone, suspend, startingDeadlineSeconds, concurrencyPolicy } = cronJob.spec ?? {};
  const text = cronJob.spec?.schedule ?? '';
  const rest = (...reports: Report[]): { start: Start; reports: Report[] } => ({ start: { kind: 'rest' }, reports });
  if (cronJob.metadata.deletionTimestamp !== undefined) return rest();
  const badZone = timeZone === undefined ? undefined : zoneError(timeZone);
  if (badZone !== undefined)
    return rest(warning('UnknownTimeZone', `invalid timeZone: ${JSON.stringify(timeZone)}: ${badZone}`));
  if (suspend) return rest();

  const reports = namesZone(cronJob) ? [unsupported(text)] : [];
  let schedule: Schedule;
  try {
    schedule = scheduleOf(cronJob);
  } catch (error) {
    if (!(error instanceof CronError)) throw error;
    return rest(
      ...reports,
      warning('UnparseableSchedule', `unparseable schedule: ${JSON.stringify(text)} : ${error.message}`),
    );
  }
  const due = dueTime(cronJob, now, schedule);
  if (due instanceof CronError)
    return rest(...reports, warning('InvalidSchedule', `invalid schedule: ${text} : ${due.message}`));
  if (due?.many) {
    const advice = 'Set or decrease .spec.startingDeadlineSeconds or check clock skew';
    reports.push(warning('TooManyMissedTimes', `too many missed start times. ${advice}`));
  }
  const wait = (...more: Report[]): { start: Start; reports: Report[] } => ({
    start: { kind: 'wait', after: untilNext(cronJob, now, schedule) },
    reports: [...reports, ...more],
  });
  if (!due) return wait();

  const { scheduled } = due;
  const status = cronJob.status ?? {};
  if (startingDeadlineSeconds !== undefined && scheduled + startingDeadlineSeconds * 1000 < now) {
    return wait(warning('MissSchedule', `Missed scheduled time to start a job: ${formatRfc1123(scheduled)}`));
  }
  const name = jobName(cronJob, scheduled);
  const listed = activeOf(status).some(
    (active) => active.name === name && active.namespace === cronJob.metadata.namespace,
  );
  if (listed || parseTime(status.lastScheduleTime) === scheduled) return wait();
  if (concurrencyPolicy === 'Forbid' && activeOf(status).length > 0) {
    return wait(
      normal(
        'JobAlreadyActive',
        'Not starting job because prior execution is running and concurrency policy is Forbid',
      ),
    );
  }
  const replace = concurrencyPolicy === 'Replace' ? activeOf(status) : [];
  return { start: { kind: 'start', scheduled, replace, schedule }, reports };
}

/** The newest time that is due, if any, and whether very many have been missed; an error for a schedule without times. */
function dueTime(
  cronJob: CronJob,
  now: number,
  schedule: Schedule,
): { scheduled: number; many: boolean } | CronError | undefined {
  try {
    const { latest, missed } = lookBack(cronJob, now, schedule, { withDeadline: true });
    return latest === undefined ? undefined : { scheduled: latest, many: isMany(missed) };
  } catch (error) {
    if (error instanceof CronError) return error;
    throw error;
  }
}

function normal(reason: string, message: string): Report {
  return { type: 'Normal', reason, message };
}

export function warning(reason: string, message: string): Report {
  return { type: 'Warning', reason, message };
}

function unsupported(schedule: string): Report {
  const see = 'see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details';
  return warning(
    'UnsupportedSchedule',
    `CRON_TZ or TZ used in schedule ${JSON.stringify(schedule)} is not officially supported, ${see}`,
  );
}

/** `Thu, 01 Jan 2026 00:00:00 +0000`. */
function formatRfc1123(time: number): string {
  return new Date(time).toUTCString().replace(/GMT$/, '+0000');
}
