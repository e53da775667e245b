/**
 * The engine that keeps a number of Pods alive for an owner, ReplicaSet or ReplicationController as its
 * {@link ReplicaKind} says. Gathers from the caches, claims Pods, creates or deletes the difference, writes the status.
 *
 *     create: (context) => createReplicaController(context, { kind, workers: context.options['concurrent-replicaset-syncs'] })
 */
import { type KubeObject, type Pod, isPodReady, keyOf, resources } from '#pkg/api';
import {
  type Controller,
  type ControllerContext,
  type Enqueue,
  Owners,
  ConsistencyStore,
  createLoop,
  forObject,
  indexDependents,
  ownedBy,
} from '#pkg/controller';

import type { Readers } from './read.ts';
import type { ReplicaKind } from './kind.ts';
import { Reconciler } from './reconciler.ts';

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
  const { informers, metrics, log, featureGates } = context;
  const podInformer = informers.informer(resources.pods);
  const ownerInformer = informers.informer(kind.type);
  indexDependents(podInformer);
  indexDependents(ownerInformer);
  const owners = new Owners(ownerInformer, kind.selector);
  const readers: Readers<Owner> = { kind, owners, pods: podInformer.lister };
  const waits = kind.consistencyGate !== undefined && featureGates.enabled(kind.consistencyGate);
  const consistency = waits
    ? new ConsistencyStore({ informers: [podInformer, ownerInformer], metrics, subsystem: kind.subsystem })
    : undefined;
  const reconciler = new Reconciler({ context, readers, consistency });

  /** Nothing happens when a ready Pod becomes available, so a look at that moment is put in the queue. */
  function whenAvailable(owner: Owner, old: Pod, current: Pod): readonly Enqueue[] {
    const after = kind.spec(owner).minReadySeconds * 1000;
    return after > 0 && !isPodReady(old) && isPodReady(current) ? [{ key: keyOf(owner), after }] : [];
  }

  return createLoop(context, {
    queue: kind.queue,
    resource: kind.type,
    workers,
    consistency,
    triggers: [
      forObject(kind.type, { onDelete: (owner) => reconciler.forget(keyOf(owner), owner.metadata.uid) }),
      ownedBy(resources.pods, owners, { expectations: reconciler.expectations, log, onUpdate: whenAvailable }),
    ],
    reconcile: (key, signal) => reconciler.reconcile(key, signal),
  });
}
