import { type ObjectKey, resources } from '#pkg/api';
import {
  type Controller,
  Owners,
  ConsistencyStore,
  createLoop,
  defineController,
  indexDependents,
  runAll,
} from '#pkg/controller';
import { type RateLimiter, exponentialRateLimiter } from '#pkg/workqueue';

import { jobDescription } from './controller.ts';
import { GangScheduling } from './gang.ts';
import { jobGates } from './gates.ts';
import { JobMemory } from './memory.ts';
import { JobMetrics } from './metrics.ts';
import { createOrphanLoop } from './orphans.ts';
import { Reconciler } from './reconciler.ts';
import { jobChanges, podChanges } from './triggers.ts';

/** Of a failed sync, ms (`DefaultJobApiBackOff`, `MaxJobApiBackOff`). */
const FIRST_RETRY = 1000;
const LONGEST_RETRY = 60_000;

/** Runs Jobs: keeps their Pods at work until enough have succeeded or too many have failed, and counts how they ended. */
export const jobController = defineController({
  ...jobDescription,
  create(context): Controller {
    const { informers, clock, log, featureGates } = context;
    const workers = context.options['concurrent-job-syncs'];
    const jobInformer = informers.informer(resources.jobs);
    const podInformer = informers.informer(resources.pods);
    indexDependents(podInformer);
    const jobs = new Owners(jobInformer);
    const pods = podInformer.lister;
    const gates = jobGates(featureGates);
    const consistency = gates.waits
      ? new ConsistencyStore({
          informers: [podInformer, jobInformer],
          metrics: context.metrics,
          subsystem: 'job_controller',
        })
      : undefined;
    const memory = new JobMemory(context, consistency);
    const metrics = new JobMetrics(context.metrics);
    const gangs = gates.gangs ? new GangScheduling(context) : undefined;
    const reconciler = new Reconciler({ context, jobs, pods, memory, metrics, gates, gangs });
    const rateLimiter = (): RateLimiter<ObjectKey> => exponentialRateLimiter(FIRST_RETRY, LONGEST_RETRY);
    const parts = { jobs, memory, metrics, gates, clock, log };
    const syncs = createLoop(context, {
      queue: 'job',
      resource: resources.jobs,
      workers,
      rateLimiter: rateLimiter(),
      consistency,
      caches: gangs?.caches ?? [],
      triggers: [jobChanges(parts), podChanges(parts)],
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
    });
    const orphans = createOrphanLoop({ context, jobs, pods, memory, gates, workers, rateLimiter: rateLimiter() });
    return runAll(context, [syncs, orphans]);
  },
});
