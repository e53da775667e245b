import { type Pod, type StatefulSet, isPodReady, keyOf, resources } from '#pkg/api';
import {
  type Enqueue,
  Owners,
  ConsistencyStore,
  createLoop,
  defineController,
  forObject,
  indexDependents,
  on,
  ownedBy,
} from '#pkg/controller';

import { History } from '../internal/history/index.ts';
import { Departures } from './departures.ts';
import { statefulSetDescription } from './controller.ts';
import type { Readers } from './read.ts';
import { UnavailabilityMetrics } from './metrics.ts';
import { reconcile } from './reconcile.ts';
import { minReadySeconds } from './snapshot.ts';
import { onClaimChange, onRevisionFree } from './triggers.ts';

/** Runs StatefulSets: Pods with names, volumes and an order. */
export const statefulSetController = defineController({
  ...statefulSetDescription,
  create(context) {
    const { informers, metrics, log, featureGates, client } = context;
    const sets = informers.informer(resources.statefulSets);
    const pods = informers.informer(resources.pods);
    const claims = informers.informer(resources.persistentVolumeClaims);
    const revisions = informers.informer(resources.controllerRevisions);
    indexDependents(pods);
    indexDependents(revisions);
    const owners = new Owners(sets);
    const departures = new Departures();
    const consistency = featureGates.enabled('StaleControllerConsistencyStatefulSet')
      ? new ConsistencyStore({
          informers: [pods, sets, claims, revisions],
          metrics,
          subsystem: 'statefulset_controller',
        })
      : undefined;
    const history = new History<StatefulSet>({
      ownerType: resources.statefulSets,
      revisions: revisions.lister,
      client,
      consistency,
      log,
    });
    const readers: Readers = {
      context,
      sets: owners,
      pods: pods.lister,
      claims: claims.lister,
      history,
      departures,
      consistency,
    };
    const gauges = new UnavailabilityMetrics(metrics);
    const unavailability = featureGates.enabled('MaxUnavailableStatefulSet') ? gauges : undefined;

    const rules = { semantic: featureGates.enabled('StatefulSetSemanticRevisionComparison') };

    /** Nothing happens when a ready Pod becomes available, so a look at that moment is put in the queue. */
    function whenAvailable(set: StatefulSet, old: Pod, current: Pod): readonly Enqueue[] {
      const after = minReadySeconds(set) * 1000;
      return after > 0 && !isPodReady(old) && isPodReady(current) ? [{ key: keyOf(set), after }] : [];
    }

    function seen(pod: Pod): readonly Enqueue[] {
      departures.seen(pod);
      return [];
    }

    function forget(set: StatefulSet): void {
      consistency?.clear(keyOf(set), set.metadata.uid);
      gauges.forget(set);
    }

    return createLoop(context, {
      queue: 'statefulset',
      resource: resources.statefulSets,
      workers: context.options['concurrent-statefulset-syncs'],
      ...(consistency ? { consistency } : {}),
      triggers: [
        forObject(resources.statefulSets, { onDelete: forget }),
        on(resources.pods, {
          update: (_old, pod) => (pod.metadata.deletionTimestamp === undefined ? [] : seen(pod)),
          delete: seen,
        }),
        ownedBy(resources.pods, owners, { log, onUpdate: whenAvailable }),
        onClaimChange(owners),
        onRevisionFree(owners),
      ],
      reconcile: (key, signal) => reconcile(key, { readers, rules, unavailability }, signal),
    });
  },
});
