import { isPodTerminal } from '#pkg/api';

import { resize } from './scale.ts';
import { active, type Rollout, type Snapshot, sizeOf, type Step, sumOf } from './snapshot.ts';

/** The writes that end the old Pods; the new ReplicaSet waits until there are none. */
export function endOld({ deployment }: Snapshot, rollout: Rollout): Step[] {
  return active(rollout.oldReplicaSets).flatMap((replicaSet) => resize(replicaSet, 0, deployment));
}

/**
 * An old ReplicaSet counts Pods, or an old Pod is not in a final phase: two versions must never run at once. Neither is
 * known of a ReplicaSet that has not been synced at its present size: it may be creating Pods right now.
 */
export function oldPodsRunning({ pods }: Snapshot, rollout: Rollout): boolean {
  if (sumOf(rollout.oldReplicaSets, (replicaSet) => replicaSet.status?.replicas) > 0) return true;
  if (
    rollout.oldReplicaSets.some(
      ({ metadata, status }) => (status?.observedGeneration ?? 0) < (metadata.generation ?? 0),
    )
  )
    return true;
  for (const [uid, owned] of pods) {
    if (uid !== rollout.newReplicaSet?.metadata.uid && owned.some((pod) => !isPodTerminal(pod))) return true;
  }
  return false;
}

/** Starts the new Pods, all at once. */
export function startNew({ deployment }: Snapshot, { newReplicaSet }: Rollout): Step[] {
  return newReplicaSet ? resize(newReplicaSet, sizeOf(deployment), deployment) : [];
}
