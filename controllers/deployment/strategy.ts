import { type Deployment, type ReplicaSet, scaledValue } from '#pkg/api';

import { allReplicaSets, type Rollout, sizeOf, sumOf } from './snapshot.ts';

export function isRollingUpdate(deployment: Deployment): boolean {
  return deployment.spec?.strategy?.type === 'RollingUpdate';
}

/**
 * Surge and unavailability in Pods. They are resolved together: where rounding leaves both at zero, one Pod may be
 * unavailable, since a rollout could not move otherwise (`ResolveFenceposts` of the deployment utilities).
 */
export function fenceposts(deployment: Deployment): { maxSurge: number; maxUnavailable: number } {
  if (!isRollingUpdate(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  const replicas = sizeOf(deployment);
  const rolling = deployment.spec?.strategy?.rollingUpdate;
  const maxSurge = scaledValue(rolling?.maxSurge ?? 0, replicas, 'up');
  const unavailable = scaledValue(rolling?.maxUnavailable ?? 0, replicas, 'down');
  const maxUnavailable = maxSurge === 0 && unavailable === 0 ? 1 : unavailable;
  return { maxSurge, maxUnavailable: Math.min(maxUnavailable, replicas) };
}

/** How many Pods there may be at once: written on every ReplicaSet as the base of proportional scaling. */
export function maxReplicas(deployment: Deployment): number {
  return sizeOf(deployment) + fenceposts(deployment).maxSurge;
}

/** The size the new ReplicaSet may grow to now. */
export function newReplicaSetSize(deployment: Deployment, rollout: Rollout, newReplicaSet: ReplicaSet): number {
  const wanted = sizeOf(deployment);
  if (!isRollingUpdate(deployment)) return wanted;
  const room = maxReplicas(deployment) - sumOf(allReplicaSets(rollout), sizeOf);
  if (room <= 0) return sizeOf(newReplicaSet);
  return sizeOf(newReplicaSet) + Math.min(room, wanted - sizeOf(newReplicaSet));
}
