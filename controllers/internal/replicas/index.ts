/**
 * The engine that keeps a number of Pods alive for an owner, ReplicaSet or ReplicationController as its
 * {@link ReplicaKind} says. Gathers from the caches, claims Pods, creates or deletes the difference, writes the status.
 *
 *     create: (context) => createReplicaController(context, { kind, workers: context.options['concurrent-replicaset-syncs'] })
 */
import { type KubeObject, isPodActive } from '#pkg/api';
import { type Controller, type ControllerContext, createLoop, indexDependents, ownership } from '#pkg/controller';

import type { ReplicaKind } from './kind.ts';
import { Reconciler } from './reconcile.ts';

export type { ReplicaKind, ReplicaSpec, ReplicaStatus } from './kind.ts';
export { replicaReads } from './reads.ts';

export interface ReplicaControllerOptions<Owner extends KubeObject> {
  readonly kind: ReplicaKind<Owner>;
  /** Owners reconciled at a time. */
  readonly workers: number;
}

export function createReplicaController<Owner extends KubeObject>(
  context: ControllerContext,
  { kind, workers }: ReplicaControllerOptions<Owner>,
): Controller {
  const { type, queue, subsystem, selector, consistencyGate } = kind;
  const readYourWrites = consistencyGate !== undefined && context.featureGates.enabled(consistencyGate);
  const owners = ownership(context, type, { subsystem, selector, readYourWrites });
  const pods = owners.ownsPods({
    ignores: (pod) => !isPodActive(pod),
    minReadySeconds: (owner) => kind.spec(owner).minReadySeconds,
  });
  // Siblings are found by the controller that they share.
  indexDependents(context.informers.informer(type));
  const reconciler = new Reconciler({ context, kind, owners, pods });

  return createLoop(context, {
    queue,
    resource: type,
    workers,
    consistency: owners.consistency,
    triggers: [owners.trigger(), pods.trigger()],
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}
