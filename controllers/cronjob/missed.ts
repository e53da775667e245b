import type { CronJob } from '#pkg/api';
import { parseTime } from '#pkg/base';

import { CronError } from './errors.ts';
import type { Schedule } from './schedule.ts';

const SECOND = 1000;
/** Looked at again this much after the scheduled time, so that a clock that runs a little ahead does not look too soon. */
const PADDING = 100;
/** More times missed than this are worth a warning. */
const MANY = 100;

/** How a CronJob stands to its schedule. Times are ms since the epoch. */
export interface Lookback {
  /** From when on times count: the last one served, or the CronJob's creation. */
  readonly from: number;
  /** The newest time that has come; missing where none has. */
  readonly latest?: number;
  /** Roughly, from the distance of the first two. */
  readonly missed: number;
}

/**
 * The newest time of the schedule that has come and not been served (`mostRecentScheduleTime` in
 * `pkg/controller/cronjob/utils.go`). Where many have been missed they are not enumerated: the search starts near the
 * end, at a distance of whole steps from the first time, which also keeps `@every` on its beat. Throws `Unsatisfiable`.
 */
export function lookBack(
  cronJob: CronJob,
  now: number,
  schedule: Schedule,
  { withDeadline }: { readonly withDeadline: boolean },
): Lookback {
  const { lastScheduleTime } = cronJob.status ?? {};
  const deadline = withDeadline ? cronJob.spec?.startingDeadlineSeconds : undefined;
  let from = parseTime(lastScheduleTime ?? cronJob.metadata.creationTimestamp);
  if (deadline !== undefined) from = Math.max(from, now - deadline * SECOND);

  const first = schedule.next(from);
  const second = first === undefined ? undefined : schedule.next(first);
  if (first === undefined) throw unsatisfiable(cronJob);
  if (now < first) return { from, missed: 0 };
  if (second === undefined) throw unsatisfiable(cronJob);
  if (now < second) return { from, latest: first, missed: 0 };

  const step = Math.round((second - first) / SECOND);
  if (step < 1) throw unsatisfiable(cronJob);
  const missed = Math.floor(Math.floor((now - first) / SECOND) / step) + 1;
  // One step further back than the count says, for schedules whose steps are not all alike.
  let latest: number | undefined;
  let time = schedule.next(first + (missed - 2) * step * SECOND);
  while (time !== undefined && time <= now) {
    latest = time;
    time = schedule.next(time);
  }
  return { from, missed, ...(latest === undefined ? {} : { latest }) };
}

function unsatisfiable(cronJob: CronJob): CronError {
  const subject = cronJob.spec?.schedule ?? '';
  return new CronError('Unsatisfiable', 'time difference between two schedules is less than 1 second', { subject });
}

export function isMany(missed: number): boolean {
  return missed > MANY;
}

/** Milliseconds until the next time, counted from the last that has come (`nextScheduleTimeDuration`). */
export function untilNext(cronJob: CronJob, now: number, schedule: Schedule): number {
  const next = schedule.next(lastCome(cronJob, now, schedule));
  return next === undefined ? 0 : Math.max(0, next + PADDING - now);
}

function lastCome(cronJob: CronJob, now: number, schedule: Schedule): number {
  try {
    const { from, latest, missed } = lookBack(cronJob, now, schedule, { withDeadline: false });
    return latest ?? (missed > 0 ? now : from);
  } catch (error) {
    if (error instanceof CronError) return now;
    throw error;
  }
}
