import { type Job, keyOf, resources } from '#pkg/api';
import { ignoreNotFound } from '#pkg/client';
import { type Enqueue, createLoop, defineController, on } from '#pkg/controller';

import { ttlAfterFinishedDescription } from './controller.ts';
import { expiresAt, needsCleanup } from './expiry.ts';

/** From a tenth of a second to 14 minutes. */
const BUCKETS = Array.from({ length: 14 }, (_, i) => 0.1 * 2 ** i);

/** Deletes Jobs, and with them their Pods, some time after they have finished. */
export const ttlAfterFinishedController = defineController({
  ...ttlAfterFinishedDescription,
  create(context) {
    const { client, clock, informers, log, metrics } = context;
    const jobs = informers.informer(resources.jobs).lister;
    const took = metrics.histogram({
      name: 'ttl_after_finished_controller_job_deletion_duration_seconds',
      help: 'Time between when a Job was due to be deleted and when it was.',
      stability: 'ALPHA',
      buckets: BUCKETS,
    });
    const due = (job: Job): readonly Enqueue[] => (needsCleanup(job) ? [keyOf(job)] : []);
    return createLoop(context, {
      queue: 'ttl_jobs_to_delete',
      resource: resources.jobs,
      workers: context.options['concurrent-ttl-after-finished-syncs'],
      triggers: [on(resources.jobs, { add: due, update: (_old, current) => due(current) }, { resync: true })],
      async reconcile(key, signal) {
        const job = jobs.get(key);
        const at = job && expiresAt(job);
        if (!job || at === undefined) return undefined;
        const left = at - clock.now();
        if (left > 0) return { requeueAfter: left };
        log.v(4)?.info('Cleaning up Job', { job: key });
        const { uid, resourceVersion } = job.metadata;
        // One that changed after the cache saw it is left alone, and looked at again: it may live longer now.
        const preconditions = { uid, resourceVersion };
        const deletion = client
          .resource(resources.jobs)
          .delete(job.metadata, { propagationPolicy: 'Foreground', preconditions, signal })
          .then(() => true);
        if (await ignoreNotFound(deletion)) took.observe((clock.now() - at) / 1000);
        return undefined;
      },
    });
  },
});
