import { type CronJob, type Job, type NewObject, resources } from '#pkg/api';
import { parseTime } from '#pkg/base';
import { controllerReference } from '#pkg/controller';

import { formatIn, zoneOf } from './zone.ts';

const SCHEDULED = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
const MINUTE = 60_000;

/** One name a scheduled minute, so that no time is served twice whoever forgot about it. */
export function jobName(cronJob: CronJob, scheduled: number): string {
  return `${cronJob.metadata.name}-${Math.floor(scheduled / MINUTE)}`;
}

/** The Job for a scheduled time (`getJobFromTemplate2` in `pkg/controller/cronjob/utils.go`). */
export function jobFor(cronJob: CronJob, scheduled: number): NewObject<Job> {
  const { metadata, spec } = cronJob.spec?.jobTemplate ?? {};
  const { labels = {}, annotations = {} } = (metadata ?? {}) as NewObject<Job>['metadata'];
  const zone = zoneOf(cronJob.spec?.timeZone ?? '');
  return {
    metadata: {
      name: jobName(cronJob, scheduled),
      namespace: cronJob.metadata.namespace,
      labels,
      annotations: { ...annotations, [SCHEDULED]: formatIn(zone, scheduled) },
      ownerReferences: [controllerReference(cronJob, resources.cronJobs)],
    },
    ...(spec === undefined ? {} : { spec }),
  };
}

export type Finished = 'Complete' | 'Failed';

/** How a Job ended; undefined while it has not. */
export function finishedAs(job: Job): Finished | undefined {
  const found = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  );
  return found?.type as Finished | undefined;
}

/** Those that started first; of the same second, by name; those that never started come last. */
export function byStart(a: Job, b: Job): number {
  const [left, right] = [a, b].map((job) => parseTime(job.status?.startTime));
  const difference = (Number.isNaN(left!) ? Infinity : left!) - (Number.isNaN(right!) ? Infinity : right!);
  if (difference !== 0 && !Number.isNaN(difference)) return difference;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
