import { resources } from '#pkg/api';
import { describeController } from '#pkg/controller';

import { replicaReads } from '../internal/replicas/reads.ts';

export const replicationControllerDescription = describeController({
  name: 'replicationcontroller-controller',
  aliases: ['replicationcontroller'],
  serviceAccount: 'replication-controller',
  flags: [
    {
      name: 'concurrent-rc-syncs',
      type: 'int32',
      default: 5,
      config: 'ReplicationController.ConcurrentRCSyncs',
      help: 'How many ReplicationControllers are synced at a time. More makes replica management quicker and takes more CPU and network.',
    },
  ],
  reads: replicaReads(resources.replicationControllers),
  rbac: [
    { apiGroups: [''], resources: ['replicationcontrollers'], verbs: ['get', 'list', 'update', 'watch'] },
    { apiGroups: [''], resources: ['replicationcontrollers/status'], verbs: ['update'] },
    { apiGroups: [''], resources: ['replicationcontrollers/finalizers'], verbs: ['update'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete', 'list', 'patch', 'watch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
