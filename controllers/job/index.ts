import { type ObjectKey, resources } from '#pkg/api';
import { type Controller, createLoop, defineController, ownership, runAll } from '#pkg/controller';
import { type RateLimiter, exponentialRateLimiter } from '#pkg/workqueue';

import { jobDescription } from './controller.ts';
import { TRACKING_FINALIZER } from './facts.ts';
import { GangScheduling } from './gang.ts';
import { jobGates } from './gates.ts';
import { JobMemory } from './memory.ts';
import { JobMetrics } from './metrics.ts';
import { createOrphanLoop } from './orphans.ts';
import { Reconciler } from './reconcile.ts';
import { jobChanges, podChanges } from './triggers.ts';

/** Initial and maximum back-off after a failed sync, in milliseconds (`DefaultJobApiBackOff`, `MaxJobApiBackOff`). */
const FIRST_RETRY = 1000;
const LONGEST_RETRY = 60_000;

/** Runs Jobs: keeps their Pods at work until enough have succeeded or too many have failed, and counts how they ended. */
export const jobController = defineController({
  ...jobDescription,
  create(context): Controller {
    const { clock, log, featureGates } = context;
    const workers = context.options['concurrent-job-syncs'];
    const gates = jobGates(featureGates);
    const jobs = ownership(context, resources.jobs, { subsystem: 'job_controller', readYourWrites: gates.waits });
    const pods = jobs.ownsPods({ finalizers: [TRACKING_FINALIZER] });
    const memory = new JobMemory(jobs);
    const metrics = new JobMetrics(context.metrics);
    const gangs = gates.gangs ? new GangScheduling(context) : undefined;
    const reconciler = new Reconciler({ context, jobs, pods, memory, metrics, gates, gangs });
    const rateLimiter = (): RateLimiter<ObjectKey> => exponentialRateLimiter(FIRST_RETRY, LONGEST_RETRY);
    const parts = { jobs, pods, memory, metrics, gates, clock, log };
    const syncs = createLoop(context, {
      queue: 'job',
      resource: resources.jobs,
      workers,
      rateLimiter: rateLimiter(),
      consistency: jobs.consistency,
      caches: gangs?.caches ?? [],
      triggers: [jobChanges(parts), podChanges(parts)],
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
    });
    const orphans = createOrphanLoop({ context, jobs, pods, gates, workers, rateLimiter: rateLimiter() });
    return runAll(context, [syncs, orphans]);
  },
});
