import { resources } from '#pkg/api';
import { isAbort, sleep } from '#pkg/base';
import { type Controller, type ControllerContext, defineController } from '#pkg/controller';

import { Collector } from './reconcile.ts';
import { podGarbageCollectorDescription } from './controller.ts';

/** From the end of one look at everything to the next, ms (`gcCheckPeriod`). */
const CHECK_PERIOD = 20_000;
/** How often the handlers are asked whether they have been told of everything, once the caches are filled, ms. */
const SYNC_POLL = 20;

/** Deletes Pods that nobody else clears away: too many that have ended, and those whose node will not say that they have. */
export const podGarbageCollectorController = defineController({
  ...podGarbageCollectorDescription,
  create(context) {
    const pods = context.informers.informer(resources.pods);
    const nodes = context.informers.informer(resources.nodes);
    const collector = new Collector({
      context,
      pods,
      nodes,
      threshold: context.options['terminated-pod-gc-threshold'],
    });
    return periodically(context, collector, (signal) =>
      Promise.all([pods.whenSynced(signal), nodes.whenSynced(signal)]),
    );
  },
});

function periodically(
  { name, clock, log }: Pick<ControllerContext, 'name' | 'clock' | 'log'>,
  collector: Collector,
  filled: (signal: AbortSignal) => Promise<unknown>,
): Controller {
  return {
    name,
    async run(signal) {
      log.info('Starting controller', { name });
      try {
        await filled(signal);
        while (!collector.hasSynced()) await sleep(clock, SYNC_POLL, signal);
        for (;;) {
          await collector.collect(signal);
          await sleep(clock, CHECK_PERIOD, signal);
        }
      } catch (error) {
        if (!isAbort(error, signal)) throw error;
      } finally {
        collector.close();
        log.info('Controller stopped', { name });
      }
    },
  };
}
