import { type ObjectKey, resources } from '#pkg/api';
import { createLoop, defineController } from '#pkg/controller';
import { bucketRateLimiter, exponentialRateLimiter, maxOfRateLimiters } from '#pkg/workqueue';

import { indexSlices, onSlice } from '../internal/endpoints/index.ts';
import { endpointSliceMirroringDescription } from './controller.ts';
import { Reconciler } from './reconcile.ts';
import { MANAGER } from './slice.ts';
import { onEndpoints, onService } from './triggers.ts';

/** Waits after failures, ms, far longer than other controllers': a retry of many addresses is a large write. */
const RETRY_BASE = 1000;
const RETRY_MAX = 100_000;
const MAX_RETRIES = 15;

/** Mirrors Endpoints that users keep, those of Services without selector, to EndpointSlices. */
export const endpointSliceMirroringController = defineController({
  ...endpointSliceMirroringDescription,
  create(context) {
    const { informers, options, clock } = context;
    const endpoints = informers.informer(resources.endpoints);
    const services = informers.informer(resources.services);
    const slices = informers.informer(resources.endpointSlices);
    indexSlices(slices);
    const limit = options['mirroring-max-endpoints-per-subset'];
    const reconciler = new Reconciler({
      context,
      endpoints: endpoints.lister,
      services: services.lister,
      slices,
      limit,
    });
    const delay = options['mirroring-endpointslice-updates-batch-period'];

    return createLoop(context, {
      queue: 'endpoint_slice_mirroring',
      resource: resources.endpoints,
      workers: options['mirroring-concurrent-service-endpoint-syncs'],
      maxRetries: MAX_RETRIES,
      rateLimiter: maxOfRateLimiters(
        exponentialRateLimiter<ObjectKey>(RETRY_BASE, RETRY_MAX),
        bucketRateLimiter<ObjectKey>(10, 100, clock),
      ),
      triggers: [
        onEndpoints(),
        onService(),
        onSlice({ manager: MANAGER, tracker: reconciler.tracker, slices: slices.lister, delay }),
      ],
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
    });
  },
});
