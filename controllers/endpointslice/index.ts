import { type ObjectKey, keyOf, resources } from '#pkg/api';
import { createLoop, defineController, forObject, indexPodsByNode, podsOnNode } from '#pkg/controller';
import { bucketRateLimiter, exponentialRateLimiter, maxOfRateLimiters } from '#pkg/workqueue';

import {
  indexPodsByLabel,
  indexServices,
  indexSlices,
  onPod,
  onSlice,
  servicesSelecting,
} from '../internal/endpoints/index.ts';
import { endpointSliceDescription } from './controller.ts';
import { Reconciler } from './reconcile.ts';
import { MANAGER } from './slice.ts';
import { onNode } from './triggers.ts';
import { ZoneCapacity } from './zone-capacity.ts';

/** A change of a slice by someone else is looked at after this long, ms: they mostly come several at a time. */
const SLICE_CHANGE_DELAY = 1000;
/** Waits after failures, ms, far longer than other controllers': a retry of a large Service is many writes. */
const RETRY_BASE = 1000;
const RETRY_MAX = 1_000_000;
const MAX_RETRIES = 15;

/** Keeps the EndpointSlices of every Service with a selector. */
export const endpointSliceController = defineController({
  ...endpointSliceDescription,
  create(context) {
    const { informers, options, clock } = context;
    const services = informers.informer(resources.services);
    const pods = informers.informer(resources.pods);
    const nodes = informers.informer(resources.nodes);
    const slices = informers.informer(resources.endpointSlices);
    indexServices(services);
    indexPodsByLabel(pods);
    indexPodsByNode(pods);
    indexSlices(slices);
    const zones = new ZoneCapacity();
    const reconciler = new Reconciler({
      context,
      services: services.lister,
      pods: pods.lister,
      nodes: nodes.lister,
      slices,
      zones,
      limit: options['max-endpoints-per-slice'],
    });
    const batchPeriod = options['endpointslice-updates-batch-period'];

    return createLoop(context, {
      queue: 'endpoint_slice',
      resource: resources.services,
      workers: options['concurrent-service-endpoint-syncs'],
      maxRetries: MAX_RETRIES,
      rateLimiter: maxOfRateLimiters(
        exponentialRateLimiter<ObjectKey>(RETRY_BASE, RETRY_MAX),
        bucketRateLimiter<ObjectKey>(10, 100, clock),
      ),
      triggers: [
        forObject(resources.services),
        onPod(services.lister, batchPeriod),
        onSlice({
          manager: MANAGER,
          tracker: reconciler.tracker,
          slices: slices.lister,
          delay: Math.max(SLICE_CHANGE_DELAY, batchPeriod),
          onlyNews: true,
        }),
        onNode({
          zones,
          overloaded: () => reconciler.hints.overloaded(zones.ratios),
          awaiting: (name) => reconciler.awaiting(name),
          served: (name) =>
            podsOnNode(pods.lister, name).flatMap(({ metadata }) =>
              servicesSelecting(services.lister, metadata.namespace, metadata.labels).map(keyOf),
            ),
        }),
      ],
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
    });
  },
});
