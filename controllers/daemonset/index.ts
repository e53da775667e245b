import { resources } from '#pkg/api';
import { channelSource, createLoop, defineController, ownership, runAll } from '#pkg/controller';

import { daemonSetDescription } from './controller.ts';
import { Placement } from './placement.ts';
import { Reconciler } from './reconcile.ts';
import { affectedBy, indexByTargetNode, onNode, onNodeGone, onRevision } from './triggers.ts';

/** Keeps one Pod of each DaemonSet on every node that its template selects. */
export const daemonSetController = defineController({
  ...daemonSetDescription,
  create(context) {
    const { informers, featureGates } = context;
    const workers = context.options['concurrent-daemonset-syncs'];
    const daemonSets = ownership(context, resources.daemonSets, {
      subsystem: 'daemonset_controller',
      readYourWrites: featureGates.enabled('StaleControllerConsistencyDaemonSet'),
    });
    const pods = daemonSets.ownsPods();
    const revisions = daemonSets.owns(resources.controllerRevisions);
    const nodes = informers.informer(resources.nodes);
    indexByTargetNode(informers.informer(resources.pods));
    const placement = new Placement({ comparison: featureGates.enabled('TaintTolerationComparisonOperators') });
    const reconciler = new Reconciler({ context, daemonSets, pods, revisions, nodes: nodes.lister, placement });
    const readers = { daemonSets: daemonSets.lister, pods: pods.lister, placement };
    const affected = channelSource(resources.daemonSets);

    const syncs = createLoop(context, {
      queue: 'daemonset',
      resource: resources.daemonSets,
      workers,
      consistency: daemonSets.consistency,
      caches: [nodes],
      triggers: [
        daemonSets.trigger({ onDelete: (gone) => reconciler.forget(gone) }),
        pods.trigger(),
        onRevision(revisions.trigger()),
        onNodeGone(daemonSets.lister, placement),
        affected,
      ],
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
    });
    const nodeUpdates = createLoop(context, {
      queue: 'daemonset-node-updates',
      resource: resources.nodes,
      workers,
      caches: [informers.informer(resources.daemonSets), informers.informer(resources.pods)],
      triggers: [onNode],
      reconcile(name) {
        const node = nodes.lister.get(name);
        if (node) for (const key of affectedBy(node, readers)) affected.send(key);
        return Promise.resolve();
      },
    });
    return runAll(context, [syncs, nodeUpdates]);
  },
});
