/**
 * The engine that keeps a number of Pods alive for an owner: ReplicaSet now, ReplicationController by another
 * {@link ReplicaKind}. Gathers from the caches, claims Pods, creates or deletes the difference, writes the status.
 *
 *     create: (context) => createReplicaController(context, { kind, workers: context.options['concurrent-replicaset-syncs'] })
 */
import { type KubeObject, type ObjectKey, SelectorError, isPodReady, keyOf, resources } from '#pkg/api';
import {
  type Controller,
  type ControllerContext,
  Expectations,
  Owners,
  PodControl,
  type ReconcileResult,
  WriteBarrier,
  claim,
  createLoop,
  forObject,
  indexDependents,
  logName,
  ownedBy,
} from '#pkg/controller';

import { type Readers, gather } from './gather.ts';
import type { ReplicaKind } from './kind.ts';
import { type ScaleTools, scale } from './scale.ts';
import { decideRequeue, decideStatus } from './status.ts';
import { writeStatus } from './write-status.ts';

export type { ReplicaKind, ReplicaSpec, ReplicaStatus } from './kind.ts';

export interface ReplicaControllerOptions<Owner extends KubeObject> {
  readonly kind: ReplicaKind<Owner>;
  /** Owners reconciled at a time. */
  readonly workers: number;
}

export function createReplicaController<Owner extends KubeObject>(
  context: ControllerContext,
  { kind, workers }: ReplicaControllerOptions<Owner>,
): Controller {
  const { client, informers, clock, metrics, log, featureGates } = context;
  const podInformer = informers.informer(resources.pods);
  const ownerInformer = informers.informer(kind.type);
  indexDependents(podInformer);
  indexDependents(ownerInformer);
  const owners = new Owners(ownerInformer, kind.selector);
  const readers: Readers<Owner> = { kind, owners, pods: podInformer.lister };
  const expectations = new Expectations({ resource: kind.type, clock, log });
  const barrier =
    kind.barrierGate !== undefined && featureGates.enabled(kind.barrierGate)
      ? new WriteBarrier({ informers: [podInformer, ownerInformer], metrics, subsystem: kind.subsystem })
      : undefined;
  const podControl = new PodControl<Owner>(context, {
    ownerType: kind.type,
    wrote: (owner, pod) => barrier?.wrote(keyOf(owner), owner.metadata.uid, resources.pods, pod.metadata.resourceVersion),
  });
  const ageRatio = metrics.histogram({
    name: `${kind.subsystem}_sorting_deletion_age_ratio`,
    help: 'Age of ready Pods chosen for deletion over the age of the youngest ready one at that time. Should be below 2.',
    stability: 'ALPHA',
    buckets: [0.25, 0.5, 1, 2, 4, 8],
  });
  const tools: ScaleTools<Owner> = {
    context,
    readers,
    expectations,
    podControl,
    deletionCost: featureGates.enabled('PodDeletionCost'),
    observeAgeRatio: (ratio) => ageRatio.observe(ratio),
  };
  const countTerminating = kind.terminatingGate !== undefined && featureGates.enabled(kind.terminatingGate);
  const ownerClient = client.resource(kind.type);
  const podClient = client.resource(resources.pods);

  function forget(key: ObjectKey, uid?: string): void {
    barrier?.forget(key, uid);
    // So that another owner of this name starts clean.
    expectations.forget(key);
  }

  async function reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | void> {
    const scalable = expectations.satisfied(key);
    const snapshot = gather(readers, key);
    if (snapshot === undefined) return forget(key);
    if (snapshot instanceof SelectorError) return log.error('Invalid selector', snapshot, { [logName(kind.type)]: key });

    const { owner, spec, selector } = snapshot;
    const { uid, deletionTimestamp } = owner.metadata;
    const active = await claim({
      owner,
      ownerType: kind.type,
      type: resources.pods,
      selector,
      candidates: snapshot.candidates,
      ownerClient,
      client: podClient,
      wrote: (pod) => barrier?.wrote(key, uid, resources.pods, pod.metadata.resourceVersion),
      log,
      signal,
    });
    const mayScale = scalable && deletionTimestamp === undefined;
    const { failure } = mayScale ? await scale(tools, snapshot, active, signal) : {};
    signal.throwIfAborted();

    const now = clock.now();
    const terminating = countTerminating ? snapshot.terminating : undefined;
    const status = decideStatus({ owner, spec, status: kind.status(owner), active, terminating, failure, now });
    if (status !== undefined) {
      const written = await writeStatus(owner, status, { kind, client: ownerClient, log, signal });
      if (written) barrier?.wrote(key, uid, kind.type, written.metadata.resourceVersion);
    }
    if (failure !== undefined) throw failure;
    const wait = Math.min(
      decideRequeue(spec, status ?? kind.status(owner), active, now) ?? Infinity,
      // What was expected may never come (it happened between two lists): nothing else would wake the key then.
      (scalable ? undefined : expectations.expiresIn(key)) ?? Infinity,
    );
    if (wait !== Infinity) return { requeueAfter: Math.max(0, wait - (clock.now() - now)) };
  }

  return createLoop(context, {
    queue: kind.queue,
    resource: kind.type,
    workers,
    barrier,
    triggers: [
      forObject(kind.type, { onDelete: (owner) => forget(keyOf(owner), owner.metadata.uid) }),
      ownedBy(resources.pods, owners, {
        expectations,
        log,
        // Nothing happens when a ready Pod becomes available, so a look at that moment is put in the queue.
        onUpdate: (owner, old, current) => {
          const after = kind.spec(owner).minReadySeconds * 1000;
          return after > 0 && !isPodReady(old) && isPodReady(current) ? [{ key: keyOf(owner), after }] : [];
        },
      }),
    ],
    reconcile,
  });
}
