import { resources } from '#pkg/api';
import {
  Owners,
  channelSource,
  ConsistencyStore,
  createLoop,
  defineController,
  forObject,
  indexDependents,
  ownedBy,
  runAll,
} from '#pkg/controller';

import { daemonSetDescription } from './controller.ts';
import { Placement } from './placement.ts';
import { Reconciler } from './reconciler.ts';
import { affectedBy, indexByTargetNode, onNode, onNodeGone, onRevision } from './triggers.ts';

/** Keeps one Pod of each DaemonSet on every node that its template selects. */
export const daemonSetController = defineController({
  ...daemonSetDescription,
  create(context) {
    const { informers, featureGates, metrics, log } = context;
    const workers = context.options['concurrent-daemonset-syncs'];
    const daemonSetInformer = informers.informer(resources.daemonSets);
    const podInformer = informers.informer(resources.pods);
    const revisionInformer = informers.informer(resources.controllerRevisions);
    const nodeInformer = informers.informer(resources.nodes);
    indexDependents(podInformer);
    indexByTargetNode(podInformer);
    indexDependents(revisionInformer);
    const placement = new Placement({ comparison: featureGates.enabled('TaintTolerationComparisonOperators') });
    const caches = [daemonSetInformer, podInformer, revisionInformer];
    const waits = featureGates.enabled('StaleControllerConsistencyDaemonSet');
    const consistency = waits
      ? new ConsistencyStore({ informers: caches, metrics, subsystem: 'daemonset_controller' })
      : undefined;
    const owners = new Owners(daemonSetInformer);
    const daemonSets = daemonSetInformer.lister;
    const pods = podInformer.lister;
    const nodes = nodeInformer.lister;
    const reconciler = new Reconciler({
      context,
      daemonSets: owners,
      nodes,
      pods,
      revisions: revisionInformer.lister,
      placement,
      consistency,
    });
    const affected = channelSource(resources.daemonSets);

    const syncs = createLoop(context, {
      queue: 'daemonset',
      resource: resources.daemonSets,
      workers,
      consistency,
      caches: [nodeInformer],
      triggers: [
        forObject(resources.daemonSets, { onDelete: (gone) => reconciler.forget(gone) }),
        ownedBy(resources.pods, owners, { expectations: reconciler.expectations, log }),
        onRevision(owners),
        onNodeGone(daemonSets, placement),
        affected,
      ],
      reconcile: (key, signal) => reconciler.reconcile(key, signal),
    });
    const nodeUpdates = createLoop(context, {
      queue: 'daemonset-node-updates',
      resource: resources.nodes,
      workers,
      caches: [daemonSetInformer, podInformer],
      triggers: [onNode],
      reconcile(name) {
        const node = nodes.get(name);
        if (node) for (const key of affectedBy(node, { daemonSets, pods, placement })) affected.send(key);
        return Promise.resolve();
      },
    });
    return runAll(context, [syncs, nodeUpdates]);
  },
});
