import { type CronJob, type Job, controllerOf, keyOf, makeKey, resources } from '#pkg/api';
import type { Lister } from '#pkg/cache';
import { type Enqueue, type Trigger, on, ownedBy } from '#pkg/controller';

export interface CronJobTriggerOptions {
  /** ms until the CronJob's next time; undefined, once it is told, for a schedule that cannot be read. */
  readonly untilNext: (cronJob: CronJob) => number | undefined;
  readonly onDelete: (cronJob: CronJob) => void;
}

/**
 * A new schedule brings the CronJob back at its next time and not at once, so that times that only the new schedule
 * says were missed are not made up for; any other change at once.
 */
export function onCronJob({ untilNext, onDelete }: CronJobTriggerOptions): Trigger<CronJob> {
  return on(
    resources.cronJobs,
    {
      add: (cronJob) => [keyOf(cronJob)],
      update(old, current): readonly Enqueue[] {
        const same = old.spec?.schedule === current.spec?.schedule && old.spec?.timeZone === current.spec?.timeZone;
        if (same) return [keyOf(current)];
        const after = untilNext(current);
        return after === undefined ? [] : [{ key: keyOf(current), after }];
      },
      delete(cronJob) {
        onDelete(cronJob);
        return [keyOf(cronJob)];
      },
    },
    { resync: true },
  );
}

/** Changes of a Job concern the CronJob that it names as its controller; nobody adopts Jobs. */
export function onJob(cronJobs: Lister<CronJob>): Trigger<Job> {
  return ownedBy(resources.jobs, {
    controllerOf(job) {
      const reference = controllerOf(job);
      if (reference?.kind !== resources.cronJobs.kind) return undefined;
      const cronJob = cronJobs.get(makeKey(job.metadata.namespace, reference.name));
      return cronJob?.metadata.uid === reference.uid ? cronJob : undefined;
    },
    matching: () => [],
  });
}
