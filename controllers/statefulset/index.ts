import { type Pod, resources } from '#pkg/api';
import { type Enqueue, createLoop, defineController, on, ownership } from '#pkg/controller';

import { History } from '../internal/history/index.ts';
import { Departures } from './departures.ts';
import { statefulSetDescription } from './controller.ts';
import { isMemberOf } from './identity.ts';
import type { Readers } from './read.ts';
import { UnavailabilityMetrics } from './metrics.ts';
import { reconcile } from './reconcile.ts';
import { minReadySeconds } from './snapshot.ts';
import { onClaimChange, onRevisionFree } from './triggers.ts';

/** Runs StatefulSets: Pods with names, volumes and an order. */
export const statefulSetController = defineController({
  ...statefulSetDescription,
  create(context) {
    const { metrics, featureGates } = context;
    const sets = ownership(context, resources.statefulSets, {
      subsystem: 'statefulset_controller',
      readYourWrites: featureGates.enabled('StaleControllerConsistencyStatefulSet'),
    });
    const pods = sets.ownsPods({ matches: isMemberOf, minReadySeconds });
    const claims = sets.writes(resources.persistentVolumeClaims);
    const revisions = sets.owns(resources.controllerRevisions, { releases: false });
    const departures = new Departures();
    const readers: Readers = { context, sets, pods, revisions, claims, history: new History(revisions), departures };
    const gauges = new UnavailabilityMetrics(metrics);
    const unavailability = featureGates.enabled('MaxUnavailableStatefulSet') ? gauges : undefined;

    const rules = { semantic: featureGates.enabled('StatefulSetSemanticRevisionComparison') };

    function seen(pod: Pod): readonly Enqueue[] {
      departures.seen(pod);
      return [];
    }

    return createLoop(context, {
      queue: 'statefulset',
      resource: resources.statefulSets,
      workers: context.options['concurrent-statefulset-syncs'],
      consistency: sets.consistency,
      triggers: [
        sets.trigger({ onDelete: (set) => gauges.forget(set) }),
        on(resources.pods, {
          update: (_old, pod) => (pod.metadata.deletionTimestamp === undefined ? [] : seen(pod)),
          delete: seen,
        }),
        pods.trigger(),
        onClaimChange(sets),
        onRevisionFree(sets),
      ],
      reconcile: (key, signal) => reconcile(key, { readers, rules, unavailability }, signal),
    });
  },
});
