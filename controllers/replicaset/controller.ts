import { resources } from '#pkg/api';
import { describeController } from '#pkg/controller';

import { replicaReads } from '../internal/replicas/reads.ts';

export const replicaSetDescription = describeController({
  name: 'replicaset-controller',
  aliases: ['replicaset'],
  flags: [
    {
      name: 'concurrent-replicaset-syncs',
      type: 'int32',
      default: 5,
      config: 'ReplicaSetController.ConcurrentRSSyncs',
      help: 'How many ReplicaSets are synced at a time. More makes replica management quicker and takes more CPU and network.',
    },
  ],
  reads: replicaReads(resources.replicaSets),
  rbac: [
    { apiGroups: ['apps', 'extensions'], resources: ['replicasets'], verbs: ['get', 'list', 'update', 'watch'] },
    { apiGroups: ['apps', 'extensions'], resources: ['replicasets/status'], verbs: ['update'] },
    { apiGroups: ['apps', 'extensions'], resources: ['replicasets/finalizers'], verbs: ['update'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete', 'list', 'patch', 'watch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
