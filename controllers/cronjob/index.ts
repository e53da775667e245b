import { keyOf, resources } from '#pkg/api';
import {
  type ControllerContext,
  type ReconcileResult,
  createLoop,
  defineController,
  noSelector,
  ownership,
} from '#pkg/controller';

import { Writer, type Writing } from './write.ts';
import { decideCleanup, decideStart, decideStatus } from './decide.ts';
import { cronJobDescription } from './controller.ts';
import { CronError } from './errors.ts';
import { gather } from './read.ts';
import { untilNext } from './missed.ts';
import { scheduleOf } from './plan.ts';
import type { Snapshot } from './snapshot.ts';
import { onCronJob } from './triggers.ts';

/** Makes Jobs when their CronJobs' schedules say so, and clears finished ones away. */
export const cronJobController = defineController({
  ...cronJobDescription,
  create(context) {
    const { clock, recorder, log, metrics } = context;
    // Nobody adopts Jobs.
    const cronJobs = ownership(context, resources.cronJobs, { subsystem: 'cronjob_controller', selector: noSelector });
    const jobs = cronJobs.owns(resources.jobs);
    const skew = metrics.histogram({
      name: 'cronjob_controller_job_creation_skew_duration_seconds',
      help: 'Time between when a Job was scheduled to be created and when it was.',
      stability: 'STABLE',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    });
    const writing: Writing = { context, cronJobs, jobs, observeSkew: (seconds) => skew.observe(seconds) };
    return createLoop(context, {
      queue: 'cronjob',
      resource: resources.cronJobs,
      workers: context.options['concurrent-cron-job-syncs'],
      consistency: cronJobs.consistency,
      triggers: [
        onCronJob({
          onDelete: (gone) => cronJobs.forget(keyOf(gone), gone.metadata.uid),
          untilNext(cronJob) {
            try {
              return untilNext(cronJob, clock.now(), scheduleOf(cronJob));
            } catch (error) {
              if (!(error instanceof CronError)) throw error;
              const schedule = cronJob.spec?.schedule;
              log.v(2)?.info('Unparseable schedule', { cronJob: keyOf(cronJob), schedule, problem: error.message });
              recorder.event(
                cronJob,
                'Warning',
                'UnParseableCronJobSchedule',
                `unparseable schedule for cronjob: ${schedule}`,
              );
              return undefined;
            }
          },
        }),
        jobs.trigger(),
      ],
      async reconcile(key, signal) {
        const snapshot = await gather(key, writing, signal);
        return snapshot && reconcile(snapshot, writing, context, signal);
      },
    });
  },
});

async function reconcile(
  snapshot: Snapshot,
  writing: Writing,
  { clock }: Pick<ControllerContext, 'clock'>,
  signal: AbortSignal,
): Promise<ReconcileResult | void> {
  const { cronJob, now } = snapshot;
  const writer = new Writer(writing, cronJob, signal);
  const deleted = await writer.deleteFinished(decideCleanup(snapshot));
  const noted = decideStatus(snapshot, deleted);
  writer.report(noted.reports);
  const { start, reports } = decideStart({ ...cronJob, status: noted.status }, now);
  writer.report(reports);
  if (start.kind !== 'start') {
    await writer.writeStatus(noted.status);
    return start.kind === 'wait' ? { requeueAfter: start.after } : undefined;
  }

  let { status, failure } = await writer.replace(start.replace, noted.status);
  if (failure === undefined) {
    try {
      status = await writer.start(start.scheduled, status);
    } catch (error) {
      failure = error;
    }
  }
  signal.throwIfAborted();
  // What was found out is true all the same, and replaced Jobs are gone.
  await writer.writeStatus(status);
  if (failure !== undefined) throw failure;
  const after = untilNext({ ...cronJob, status }, now, start.schedule);
  return { requeueAfter: Math.max(0, after - (clock.now() - now)) };
}
