import { type LabelSelector, type ReplicationController, resources } from '#pkg/api';
import { defineController } from '#pkg/controller';

import { type ReplicaKind, createReplicaController } from '../internal/replicas/index.ts';
import { replicationControllerDescription } from './controller.ts';

/** A plain map of labels as the selector that it means. Missing selects nothing; the API server never stores that. */
function selectorOf({ spec }: ReplicationController): LabelSelector | undefined {
  return spec?.selector && { matchLabels: spec.selector };
}

/**
 * ReplicationControllers for the replica engine. Terminating Pods are not counted: their API has no field for that
 * (`NewReplicationManager` in `pkg/controller/replication`). The engine's metrics carry the ReplicaSet's prefix, as
 * upstream, where both run the same code.
 */
export const replicationControllerKind: ReplicaKind<ReplicationController> = {
  type: resources.replicationControllers,
  queue: 'replicationmanager',
  subsystem: 'replicaset_controller',
  consistencyGate: 'StaleControllerConsistencyReplicaSet',
  spec: (owner) => ({
    replicas: owner.spec?.replicas ?? 1,
    minReadySeconds: owner.spec?.minReadySeconds ?? 0,
    selector: selectorOf(owner),
    template: owner.spec?.template ?? {},
  }),
  selector: selectorOf,
  status: ({ status }) => status ?? {},
  withStatus: (owner, status) => ({ ...owner, status: { ...status, replicas: status.replicas ?? 0 } }),
};

export const replicationControllerController = defineController({
  ...replicationControllerDescription,
  create: (context) =>
    createReplicaController(context, {
      kind: replicationControllerKind,
      workers: context.options['concurrent-rc-syncs'],
    }),
});
