import { type CronJob, keyOf, resources } from '#pkg/api';
import { type Enqueue, type Trigger, on } from '#pkg/controller';

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
