import { resources } from '#pkg/api';
import { createLoop, defineController, indexByLabel, ownership, runAll } from '#pkg/controller';

import { disruptionDescription } from './controller.ts';
import { LiveScales } from './live-scales.ts';
import { Reconciler } from './reconcile.ts';
import { Sightings } from './sightings.ts';
import { onDisruptionTarget, staleIn, takeBack } from './stale-condition.ts';
import { onPod, onScales } from './triggers.ts';

/** Budgets looked at at a time: one that has to ask for the scale of a custom controller does not hold up the others. */
const WORKERS = 4;

/** Says how many Pods of each PodDisruptionBudget may be evicted, and takes back announcements of disruptions that did not come. */
export const disruptionController = defineController({
  ...disruptionDescription,
  create(context) {
    const { informers, client, recorder, clock } = context;
    const budgets = ownership(context, resources.podDisruptionBudgets, {
      subsystem: 'disruption_controller',
      emptySelectsAll: true,
    });
    const pods = informers.informer(resources.pods);
    indexByLabel(pods);
    const caches = {
      replicationControllers: informers.informer(resources.replicationControllers).lister,
      replicaSets: informers.informer(resources.replicaSets).lister,
      deployments: informers.informer(resources.deployments).lister,
      statefulSets: informers.informer(resources.statefulSets).lister,
    };
    const gathering = { budgets, pods, caches, live: new LiveScales(client, clock), sightings: new Sightings(), clock };
    const reconciler = new Reconciler({ context, gathering });
    const counting = createLoop(context, {
      queue: 'disruption',
      resource: resources.podDisruptionBudgets,
      workers: WORKERS,
      consistency: budgets.consistency,
      triggers: [
        budgets.trigger({ onDelete: (gone) => reconciler.forget(gone) }),
        onPod(budgets, (pod, chosen) => {
          const { namespace, name } = pod.metadata;
          const message = `Pod "${namespace}"/"${name}" matches multiple PodDisruptionBudgets.  Chose "${chosen.metadata.name}" arbitrarily.`;
          recorder.event(pod, 'Warning', 'MultiplePodDisruptionBudgets', message);
        }),
        ...onScales(budgets),
      ],
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
    });
    const takingBack = createLoop(context, {
      queue: 'stale_pod_disruption',
      resource: resources.pods,
      workers: 1,
      triggers: [onDisruptionTarget(clock)],
      async reconcile(key, signal) {
        const pod = pods.lister.get(key);
        const wait = pod && staleIn(pod, clock.now());
        if (pod && wait === 0) await takeBack(pod, client, clock.now(), signal);
        return wait ? { requeueAfter: wait } : undefined;
      },
    });
    return runAll(context, [counting, takingBack]);
  },
});
