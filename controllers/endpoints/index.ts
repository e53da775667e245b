import { resources } from '#pkg/api';
import { createLoop, defineController, noSelector, ownership } from '#pkg/controller';

import { indexPodsByLabel, indexServices, onPod } from '../internal/endpoints/index.ts';
import { endpointsDescription } from './controller.ts';
import { Reconciler } from './reconcile.ts';
import { onEndpoints, onService } from './triggers.ts';

const MAX_RETRIES = 15;
/** Changes of Pods mostly come several at a time: those within this time, ms, are one write. */
const GATHERING = 20;

/** Keeps the Endpoints of every Service with a selector. */
export const endpointsController = defineController({
  ...endpointsDescription,
  create(context) {
    const { informers, options } = context;
    const services = ownership(context, resources.services, { selector: noSelector });
    const pods = informers.informer(resources.pods);
    const endpoints = services.writes(resources.endpoints);
    indexServices(informers.informer(resources.services));
    indexPodsByLabel(pods);
    const reconciler = new Reconciler({ context, services, endpoints, pods: pods.lister });

    return createLoop(context, {
      queue: 'endpoint',
      resource: resources.services,
      workers: options['concurrent-endpoint-syncs'],
      maxRetries: MAX_RETRIES,
      consistency: services.consistency,
      triggers: [
        onService(),
        onPod(services.lister, Math.max(GATHERING, options['endpoint-updates-batch-period'])),
        onEndpoints(),
      ],
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
    });
  },
});
