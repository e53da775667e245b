import { type ReplicaSet, resources } from '#pkg/api';
import { defineController, specSelector } from '#pkg/controller';

import { type ReplicaKind, createReplicaController } from '../internal/replicas/index.ts';
import { replicaSetDescription } from './controller.ts';

/** ReplicaSets for the replica engine: spec and status have its shape already. */
export const replicaSetKind: ReplicaKind<ReplicaSet> = {
  type: resources.replicaSets,
  queue: 'replicaset',
  subsystem: 'replicaset_controller',
  consistencyGate: 'StaleControllerConsistencyReplicaSet',
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
  ...replicaSetDescription,
  create: (context) =>
    createReplicaController(context, { kind: replicaSetKind, workers: context.options['concurrent-replicaset-syncs'] }),
});
