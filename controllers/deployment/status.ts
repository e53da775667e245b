import { parseTime } from '#pkg/base';
import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '#pkg/api';

import { conditionOf, newCondition, removeCondition, setCondition } from './conditions.ts';
import { allReplicaSets, type Draft, type Rollout, type Snapshot, sizeOf, sumOf } from './snapshot.ts';
import { fenceposts } from './strategy.ts';

/** The largest int32 stands for "none" in limits and deadlines. */
const NO_LIMIT = 0x7fffffff;

export function hasProgressDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== null && seconds !== NO_LIMIT;
}

export function hasRevisionHistoryLimit(deployment: Deployment): boolean {
  const limit = deployment.spec?.revisionHistoryLimit;
  return limit !== undefined && limit !== null && limit !== NO_LIMIT;
}

/** All wanted Pods are updated and available, no old one is left, and the status is of this generation. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = sizeOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

/** Counts and availability as the ReplicaSets report them; conditions go on from the draft. */
export function countStatus(snapshot: Snapshot, rollout: Rollout, draft: Draft): DeploymentStatus {
  const { deployment, now } = snapshot;
  const replicaSets = allReplicaSets(rollout);
  const available = sumOf(replicaSets, (replicaSet) => replicaSet.status?.availableReplicas);
  const counted: DeploymentStatus = {
    ...positive('observedGeneration', deployment.metadata.generation),
    ...positive(
      'replicas',
      sumOf(replicaSets, (replicaSet) => replicaSet.status?.replicas),
    ),
    ...positive('updatedReplicas', rollout.newReplicaSet?.status?.replicas),
    ...positive(
      'readyReplicas',
      sumOf(replicaSets, (replicaSet) => replicaSet.status?.readyReplicas),
    ),
    ...positive('availableReplicas', available),
    ...positive('unavailableReplicas', sumOf(replicaSets, sizeOf) - available),
    ...present('terminatingReplicas', snapshot.countTerminating ? terminatingOf(replicaSets) : undefined),
    ...present('collisionCount', draft.status.collisionCount),
    ...(draft.status.conditions ? { conditions: draft.status.conditions } : {}),
  };
  const enough = available >= sizeOf(deployment) - fenceposts(deployment).maxUnavailable;
  return setCondition(
    counted,
    enough
      ? newCondition('Available', 'True', 'MinimumReplicasAvailable', 'Deployment has minimum availability.', now)
      : newCondition(
          'Available',
          'False',
          'MinimumReplicasUnavailable',
          'Deployment does not have minimum availability.',
          now,
        ),
  );
}

/** The server drops counts of zero, so they are not written either: what was written compares equal to what is read. */
function positive<Key extends string>(key: Key, count: number | undefined): { [K in Key]?: number } {
  return (count !== undefined && count > 0 ? { [key]: count } : {}) as { [K in Key]?: number };
}

function present<Key extends string>(key: Key, count: number | undefined): { [K in Key]?: number } {
  return (count === undefined || count === null ? {} : { [key]: count }) as { [K in Key]?: number };
}

/** Unknown while any ReplicaSet that was synced does not report it. */
function terminatingOf(replicaSets: readonly ReplicaSet[]): number | undefined {
  let sum = 0;
  for (const { status } of replicaSets) {
    if (status?.terminatingReplicas !== undefined) sum += status.terminatingReplicas;
    else if (status?.observedGeneration) return undefined;
  }
  return sum;
}

/** The status during a rollout: counts, and how it progresses. */
export function rolloutStatus(snapshot: Snapshot, rollout: Rollout, draft: Draft): DeploymentStatus {
  const counted = countStatus(snapshot, rollout, draft);
  const progressing = withProgress(snapshot, rollout, draft, counted);
  const failure = replicaFailure(rollout);
  return failure ? setCondition(progressing, failure) : removeCondition(progressing, 'ReplicaFailure');
}

function withProgress(snapshot: Snapshot, rollout: Rollout, draft: Draft, status: DeploymentStatus): DeploymentStatus {
  const { deployment, now } = snapshot;
  if (!hasProgressDeadline(deployment)) return removeCondition(status, 'Progressing');
  const current = conditionOf(draft.status, 'Progressing');
  // A finished rollout stays finished: Pods that come and go later are not progress.
  const finished =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === 'NewReplicaSetAvailable';
  if (finished) return status;

  const { newReplicaSet } = rollout;
  const subject = newReplicaSet
    ? `ReplicaSet "${newReplicaSet.metadata.name}"`
    : `Deployment "${deployment.metadata.name}"`;
  if (isComplete(deployment, status)) {
    return setCondition(
      status,
      newCondition('Progressing', 'True', 'NewReplicaSetAvailable', `${subject} has successfully progressed.`, now),
    );
  }
  if (hasProgressed(draft.status, status)) {
    const condition = newCondition('Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`, now);
    const transition = current?.status === 'True' ? current.lastTransitionTime : condition.lastTransitionTime;
    // Unlike others this one is renewed with the same reason: its update time is what the deadline runs from.
    return setCondition(removeCondition(status, 'Progressing'), {
      ...condition,
      ...(transition ? { lastTransitionTime: transition } : {}),
    });
  }
  if (hasTimedOut(deployment, status, now)) {
    return setCondition(
      status,
      newCondition('Progressing', 'False', 'ProgressDeadlineExceeded', `${subject} has timed out progressing.`, now),
    );
  }
  return status;
}

/** More new Pods, fewer old ones, or more that are ready or available. */
function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function hasTimedOut(deployment: Deployment, status: DeploymentStatus, now: number): boolean {
  const condition = conditionOf(status, 'Progressing');
  if (!condition || condition.reason === 'NewReplicaSetAvailable') return false;
  if (condition.reason === 'ProgressDeadlineExceeded') return true;
  return deadlineOf(deployment, condition) < now;
}

/** When the rollout counts as stuck, ms since the epoch. */
function deadlineOf(deployment: Deployment, progressing: DeploymentCondition): number {
  return parseTime(progressing.lastUpdateTime) + deployment.spec!.progressDeadlineSeconds! * 1000;
}

/** A ReplicaSet cannot make its Pods: the Deployment says so, for the new one before any old. */
function replicaFailure({ newReplicaSet, oldReplicaSets }: Rollout): DeploymentCondition | undefined {
  for (const replicaSet of newReplicaSet ? [newReplicaSet, ...oldReplicaSets] : oldReplicaSets) {
    const failure = replicaSet.status?.conditions?.find((condition) => condition.type === 'ReplicaFailure');
    if (failure) {
      const { lastTransitionTime } = failure;
      return { ...failure, ...(lastTransitionTime ? { lastUpdateTime: lastTransitionTime } : {}) };
    }
  }
  return undefined;
}

/**
 * When to look again whether a rollout that shows no news is stuck, ms from now; nothing while there is no need. One
 * second is added so that rounding of stored times cannot bring us back too early.
 */
export function nextProgressCheck(snapshot: Snapshot, status: DeploymentStatus): number | undefined {
  const { deployment, now } = snapshot;
  const current = conditionOf(deployment.status, 'Progressing');
  if (!hasProgressDeadline(deployment) || !current) return undefined;
  if (isComplete(deployment, status) || current.reason === 'ProgressDeadlineExceeded') return undefined;
  const left = deadlineOf(deployment, current) - now;
  return Number.isNaN(left) ? undefined : Math.max(left, 0) + 1000;
}
