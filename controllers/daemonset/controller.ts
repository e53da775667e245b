import { resources } from '#pkg/api';
import { describeController, reads } from '#pkg/controller';

export const daemonSetDescription = describeController({
  name: 'daemonset-controller',
  aliases: ['daemonset'],
  serviceAccount: 'daemon-set-controller',
  eventSource: 'daemonset-controller',
  flags: [
    {
      name: 'concurrent-daemonset-syncs',
      type: 'int32',
      default: 2,
      minimum: 1,
      config: 'DaemonSetController.ConcurrentDaemonSetSyncs',
      help: 'DaemonSets synced at the same time; more react faster and load CPU and network more',
    },
  ],
  reads: [
    // Whole: the status is written with the object around it, and a revision's data is compared.
    reads(resources.daemonSets),
    reads(resources.controllerRevisions),
    reads(resources.nodes, 'spec.taints'),
    reads(resources.pods, 'spec.nodeName', 'spec.affinity.nodeAffinity', 'status.phase', 'status.conditions'),
  ],
  rbac: [
    { apiGroups: ['apps', 'extensions'], resources: ['daemonsets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps', 'extensions'], resources: ['daemonsets/status'], verbs: ['update'] },
    { apiGroups: ['apps', 'extensions'], resources: ['daemonsets/finalizers'], verbs: ['update'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['list', 'watch'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete', 'list', 'patch', 'watch'] },
    { apiGroups: [''], resources: ['pods/binding'], verbs: ['create'] },
    {
      apiGroups: ['apps'],
      resources: ['controllerrevisions'],
      verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
