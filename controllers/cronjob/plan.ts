import type { CronJob } from '#pkg/api';

import { type Schedule, parseSchedule } from './schedule.ts';
import { zoneOf } from './zone.ts';

/** The CronJob's schedule, read by the zone it names. Throws a CronError. */
export function scheduleOf(cronJob: CronJob): Schedule {
  const schedule = cronJob.spec?.schedule ?? '';
  const timeZone = cronJob.spec?.timeZone;
  // A zone in the schedule itself is not supported, and still works, as upstream.
  if (namesZone(cronJob) || timeZone === undefined) return parseSchedule(schedule);
  return parseSchedule(schedule, { local: isZone(timeZone) ? timeZone || 'UTC' : 'Local' });
}

export function namesZone(cronJob: CronJob): boolean {
  return cronJob.spec?.schedule.includes('TZ') ?? false;
}

/** Why `name` is no time zone; undefined where it is one. */
export function zoneError(name: string): string | undefined {
  try {
    zoneOf(name);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

const isZone = (name: string): boolean => zoneError(name) === undefined;
