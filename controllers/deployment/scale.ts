import type { Deployment, ReplicaSet } from '#pkg/api';

import { countFrom, DESIRED_REPLICAS, MAX_REPLICAS } from './annotations.ts';
import { active, allReplicaSets, byAge, type Rollout, sizeOf, type Step, sumOf } from './snapshot.ts';
import { fenceposts, isRollingUpdate, maxReplicas } from './strategy.ts';
import { needsResize, resized } from './template.ts';

/** Sets a size; nothing to do where it has it already. */
export function resize(replicaSet: ReplicaSet, replicas: number, deployment: Deployment): Step[] {
  if (sizeOf(replicaSet) === replicas) return [];
  return [{ kind: 'update', before: replicaSet, after: resized(replicaSet, replicas, deployment) }];
}

/** Someone changed `spec.replicas`: the active ReplicaSets still carry the count they were sized for. */
export function isScalingEvent(deployment: Deployment, rollout: Rollout): boolean {
  return active(allReplicaSets(rollout)).some((replicaSet) => isSizedForOther(replicaSet, deployment));
}

function isSizedForOther(replicaSet: ReplicaSet, deployment: Deployment): boolean {
  const desired = countFrom(replicaSet, DESIRED_REPLICAS);
  return desired !== undefined && desired !== sizeOf(deployment);
}

/**
 * The writes that bring a Deployment to a new size outside a rollout: all to the only active (or newest) ReplicaSet, or,
 * amidst a rollout, spread over the active ones in proportion, so that scaling neither hastens nor undoes the rollout.
 */
export function scale(deployment: Deployment, rollout: Rollout): Step[] {
  const wanted = sizeOf(deployment);
  const single = activeOrLatest(rollout);
  if (single) return sizeOf(single) === wanted ? acknowledge([single], deployment) : resize(single, wanted, deployment);
  if (isSaturated(deployment, rollout.newReplicaSet)) {
    return active(rollout.oldReplicaSets).flatMap((replicaSet) => resize(replicaSet, 0, deployment));
  }
  return isRollingUpdate(deployment)
    ? scaleInProportion(deployment, rollout)
    : acknowledge(active(allReplicaSets(rollout)), deployment);
}

/**
 * Notes the Deployment's size where the ReplicaSets may stay as they are. Upstream leaves the annotation as it is, so that
 * a rollout for which the last of several writes failed is taken for a scaling event ever after, and stands still.
 */
function acknowledge(replicaSets: readonly ReplicaSet[], deployment: Deployment): Step[] {
  return replicaSets
    .filter((replicaSet) => sizeOf(replicaSet) > 0 && isSizedForOther(replicaSet, deployment))
    .map((replicaSet) => ({
      kind: 'update',
      before: replicaSet,
      after: resized(replicaSet, sizeOf(replicaSet), deployment),
    }));
}

/** The one ReplicaSet to scale, unless several are active. */
function activeOrLatest(rollout: Rollout): ReplicaSet | undefined {
  const some = active(allReplicaSets(rollout));
  if (some.length > 1) return undefined;
  return some[0] ?? rollout.newReplicaSet ?? rollout.oldReplicaSets.toSorted(byAge).at(-1);
}

/** The new ReplicaSet has, by its size, its annotation and its available Pods, taken over all. */
function isSaturated(deployment: Deployment, replicaSet: ReplicaSet | undefined): boolean {
  if (!replicaSet) return false;
  const wanted = sizeOf(deployment);
  return (
    sizeOf(replicaSet) === wanted &&
    countFrom(replicaSet, DESIRED_REPLICAS) === wanted &&
    (replicaSet.status?.availableReplicas ?? 0) === wanted
  );
}

function scaleInProportion(deployment: Deployment, rollout: Rollout): Step[] {
  const replicaSets = active(allReplicaSets(rollout));
  const allowed = sizeOf(deployment) > 0 ? sizeOf(deployment) + fenceposts(deployment).maxSurge : 0;
  const toAdd = allowed - sumOf(replicaSets, sizeOf);
  // Of one size, growth goes to the newer first and loss to the older first.
  if (toAdd > 0) replicaSets.sort((a, b) => sizeOf(b) - sizeOf(a) || byAge(b, a));
  if (toAdd < 0) replicaSets.sort((a, b) => sizeOf(b) - sizeOf(a) || byAge(a, b));

  let added = 0;
  const sizes = replicaSets.map((replicaSet) => {
    const share = toAdd === 0 ? 0 : proportion(deployment, replicaSet, toAdd, added);
    added += share;
    return sizeOf(replicaSet) + share;
  });
  // What rounding left over goes to the largest.
  if (toAdd !== 0 && sizes.length > 0) sizes[0] = Math.max(0, sizes[0]! + toAdd - added);

  return replicaSets.flatMap((replicaSet, i): Step[] =>
    needsResize(replicaSet, sizes[i]!, deployment)
      ? [{ kind: 'update', before: replicaSet, after: resized(replicaSet, sizes[i]!, deployment) }]
      : [],
  );
}

/** How many of `toAdd` (negative to remove) fall to this ReplicaSet, when `added` are given out already. */
function proportion(deployment: Deployment, replicaSet: ReplicaSet, toAdd: number, added: number): number {
  if (toAdd === added) return 0;
  const share = fraction(deployment, replicaSet);
  const left = toAdd - added;
  return toAdd > 0 ? Math.min(share, left) : Math.max(share, left);
}

function fraction(deployment: Deployment, replicaSet: ReplicaSet): number {
  const size = sizeOf(replicaSet);
  if (sizeOf(deployment) === 0) return -size;
  // Where the annotation was tampered with, the Deployment's present size is the next best base.
  const before = countFrom(replicaSet, MAX_REPLICAS) || (deployment.status?.replicas ?? 0);
  if (before === 0) return 0;
  return Math.round((size * maxReplicas(deployment)) / before) - size;
}
