import { resources } from '#pkg/api';
import { describeController, reads } from '#pkg/controller';

export const statefulSetDescription = describeController({
  name: 'statefulset-controller',
  aliases: ['statefulset'],
  flags: [
    {
      name: 'concurrent-statefulset-syncs',
      type: 'int32',
      default: 5,
      config: 'StatefulSetController.ConcurrentStatefulSetSyncs',
      help: 'How many StatefulSets are synced at a time. More react faster and take more CPU and network.',
    },
  ],
  reads: [
    // Whole: they are written back, or compared as a whole.
    reads(resources.statefulSets),
    reads(resources.persistentVolumeClaims),
    reads(resources.controllerRevisions),
    reads(
      resources.pods,
      'spec.volumes.name',
      'spec.volumes.persistentVolumeClaim',
      'status.phase',
      'status.conditions',
    ),
  ],
  rbac: [
    { apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] },
    { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps'], resources: ['statefulsets/status'], verbs: ['update'] },
    { apiGroups: ['apps'], resources: ['statefulsets/finalizers'], verbs: ['update'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    {
      apiGroups: ['apps'],
      resources: ['controllerrevisions'],
      verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    },
    { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['create', 'get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['delete', 'update'] },
    { apiGroups: [''], resources: ['pods/finalizers'], verbs: ['update'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
