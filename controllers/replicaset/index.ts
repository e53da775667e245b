import { type ReplicaSet, resources } from '#pkg/api';
import { defineController, specSelector } from '#pkg/controller';

import { type ReplicaKind, createReplicaController, replicaReads } from '../internal/replicas/index.ts';

/** ReplicaSets for the replica engine: spec and status have its shape already. */
export const replicaSetKind: ReplicaKind<ReplicaSet> = {
  type: resources.replicaSets,
  queue: 'replicaset',
  subsystem: 'replicaset_controller',
  barrierGate: 'StaleControllerConsistencyReplicaSet',
  terminatingGate: 'DeploymentReplicaSetTerminatingReplicas',
  spec: ({ spec }) => ({
    replicas: spec?.replicas ?? 1,
    minReadySeconds: spec?.minReadySeconds ?? 0,
    selector: spec?.selector,
    template: spec?.template ?? {},
  }),
  selector: specSelector,
  status: ({ status }) => status ?? {},
  withStatus: (replicaSet, status) => ({ ...replicaSet, status: { ...status, replicas: status.replicas ?? 0 } }),
};

export const replicaSetController = defineController({
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
  create: (context) =>
    createReplicaController(context, { kind: replicaSetKind, workers: context.options['concurrent-replicaset-syncs'] }),
});
