import type { Deployment, ReplicaSet } from '#pkg/api';

import { resize } from './scale.ts';
import { active, allReplicaSets, byAge, type Rollout, sizeOf, type Step, sumOf } from './snapshot.ts';
import { fenceposts, newReplicaSetSize } from './strategy.ts';
import { resized } from './template.ts';

/**
 * The next writes of a rolling update: grow the new ReplicaSet as far as surge allows; if there is nothing to grow,
 * shrink the old ones as far as availability allows.
 */
export function rollingUpdate(deployment: Deployment, rollout: Rollout): Step[] {
  const { newReplicaSet } = rollout;
  if (!newReplicaSet) return [];
  const grow = resizeNew(deployment, rollout, newReplicaSet);
  return grow.length > 0 ? grow : shrinkOld(deployment, rollout, newReplicaSet);
}

function resizeNew(deployment: Deployment, rollout: Rollout, newReplicaSet: ReplicaSet): Step[] {
  const wanted = sizeOf(deployment);
  const size = sizeOf(newReplicaSet) > wanted ? wanted : newReplicaSetSize(deployment, rollout, newReplicaSet);
  return resize(newReplicaSet, size, deployment);
}

function shrinkOld(deployment: Deployment, rollout: Rollout, newReplicaSet: ReplicaSet): Step[] {
  const old = active(rollout.oldReplicaSets).sort(byAge);
  if (old.length === 0) return [];
  const minAvailable = sizeOf(deployment) - fenceposts(deployment).maxUnavailable;
  // Pods of the new ReplicaSet that are not available yet may not be counted on.
  const newUnavailable = sizeOf(newReplicaSet) - availableOf(newReplicaSet);
  const room = sumOf(allReplicaSets(rollout), sizeOf) - minAvailable - newUnavailable;
  if (room <= 0) return [];

  // Unhealthy Pods first: they would hold up the rollout, and going without them costs no availability.
  const cleaned = removeUnhealthy(deployment, old, room);
  const left = shrinkHealthy(deployment, cleaned.replicaSets, newReplicaSet, minAvailable);
  return [...cleaned.steps, ...left];
}

function removeUnhealthy(
  deployment: Deployment,
  old: readonly ReplicaSet[],
  room: number,
): { steps: Step[]; replicaSets: ReplicaSet[] } {
  const steps: Step[] = [];
  let left = room;
  const replicaSets = old.map((replicaSet) => {
    const unhealthy = sizeOf(replicaSet) - availableOf(replicaSet);
    if (left <= 0 || unhealthy <= 0) return replicaSet;
    const count = Math.min(left, unhealthy);
    left -= count;
    const after = resized(replicaSet, sizeOf(replicaSet) - count, deployment);
    steps.push({ kind: 'update', before: replicaSet, after });
    return after;
  });
  return { steps, replicaSets };
}

function shrinkHealthy(
  deployment: Deployment,
  old: readonly ReplicaSet[],
  newReplicaSet: ReplicaSet,
  minAvailable: number,
): Step[] {
  let left = sumOf([...old, newReplicaSet], availableOf) - minAvailable;
  const steps: Step[] = [];
  for (const replicaSet of old) {
    if (left <= 0) break;
    const count = Math.min(sizeOf(replicaSet), left);
    steps.push(...resize(replicaSet, sizeOf(replicaSet) - count, deployment));
    left -= count;
  }
  return steps;
}

/** Never more than its size: Pods beyond it are about to go, though the status counts them still. */
function availableOf(replicaSet: ReplicaSet): number {
  return Math.min(replicaSet.status?.availableReplicas ?? 0, sizeOf(replicaSet));
}
