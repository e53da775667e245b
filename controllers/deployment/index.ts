import { type ObjectKey, keyOf, resources } from '#pkg/api';
import { type ReconcileResult, createLoop, defineController, ownership, selectsAll } from '#pkg/controller';

import { Writer, type Writing } from './write.ts';
import { decide, decideNewReplicaSet, draftWith, type Mode, modeOf, rolloutOf } from './decide.ts';
import { deploymentDescription } from './controller.ts';
import { gather } from './read.ts';
import { rollback } from './rollback.ts';
import { draftOf, type Rollout, type Snapshot } from './snapshot.ts';
import { onLastPodGone } from './triggers.ts';

/** Rolls out Deployments: keeps one ReplicaSet a Pod template, and moves Pods from the old ones to the new. */
export const deploymentController = defineController({
  ...deploymentDescription,
  create(context) {
    const deployments = ownership(context, resources.deployments, { subsystem: 'deployment_controller' });
    const replicaSets = deployments.owns(resources.replicaSets);
    const podOwners = ownership(context, resources.replicaSets, { readYourWrites: false });
    const pods = podOwners.owns(resources.pods);
    const owned = { context, deployments, replicaSets, pods };
    return createLoop(context, {
      queue: 'deployment',
      resource: resources.deployments,
      workers: context.options['concurrent-deployment-syncs'],
      consistency: deployments.consistency,
      triggers: [
        deployments.trigger(),
        replicaSets.trigger(),
        onLastPodGone(deployments, replicaSets, podOwners, pods),
      ],
      async reconcile(key: ObjectKey, signal: AbortSignal): Promise<ReconcileResult | void> {
        const snapshot = await gather(key, owned, signal);
        return snapshot && reconcile(snapshot, owned, signal);
      },
    });
  },
});

async function reconcile(snapshot: Snapshot, writing: Writing, signal: AbortSignal): Promise<ReconcileResult | void> {
  const { context } = writing;
  const writer = new Writer(writing, snapshot, signal);
  const { deployment } = snapshot;
  if (selectsAll(deployment.spec?.selector)) {
    const message = 'This deployment is selecting all pods. A non-empty selector is required.';
    context.recorder.event(deployment, 'Warning', 'SelectingAll', message);
    const draft = draftOf(deployment);
    await writer.writeStatus({
      ...draft,
      status: { ...draft.status, observedGeneration: deployment.metadata.generation ?? 0 },
    });
    return undefined;
  }
  const found = rolloutOf(snapshot);
  const mode = modeOf(snapshot, found);
  const { rollout, created } = await syncNewReplicaSet(snapshot, found, mode, writer);
  const draft = draftWith(snapshot, rollout.newReplicaSet, created, mode);
  context.log.v(5)?.info('Decided what the sync is about', { deployment: keyOf(deployment), mode, created });

  if (mode === 'rollback') {
    const { deployment: rolledBack, event } = rollback(deployment, rollout, draft);
    if (event.type === 'Warning') context.recorder.event(deployment, event.type, event.reason, event.message);
    await writer.writeDeployment(rolledBack);
    if (event.type === 'Normal') context.recorder.event(deployment, event.type, event.reason, event.message);
    return undefined;
  }
  const plan = decide(snapshot, rollout, mode, draft);
  try {
    await writer.carryOut(plan.steps);
  } catch (error) {
    // What was found out so far is true all the same: a new revision must not go untold because a later step failed.
    await writer.writeStatus(plan.draft).catch(() => {});
    throw error;
  }
  const written = await writer.writeStatus(plan.draft);
  return written || plan.requeueAfter === undefined ? undefined : { requeueAfter: plan.requeueAfter };
}

/** Brings the new ReplicaSet up to date, or into being, and answers the rollout with it. */
async function syncNewReplicaSet(
  snapshot: Snapshot,
  rollout: Rollout,
  mode: Mode,
  writer: Writer,
): Promise<{ rollout: Rollout; created: boolean }> {
  const decision = decideNewReplicaSet(snapshot, rollout, mode);
  switch (decision.kind) {
    case 'keep':
      return { rollout, created: false };
    case 'update': {
      const newReplicaSet = await writer.update(rollout.newReplicaSet!, decision.after);
      return { rollout: { ...rollout, newReplicaSet }, created: false };
    }
    case 'create': {
      const { replicaSet, created } = await writer.create(decision.object);
      return { rollout: { ...rollout, newReplicaSet: replicaSet }, created };
    }
  }
}
