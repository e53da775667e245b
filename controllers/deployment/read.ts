import { type Deployment, type ObjectKey, type Pod, type ReplicaSet } from '#pkg/api';
import { type ControllerContext, type OwnedObjects, type Ownership, selectsAll } from '#pkg/controller';

import { byAge, type Snapshot } from './snapshot.ts';

export interface Readers {
  readonly context: Pick<ControllerContext, 'clock' | 'featureGates'>;
  readonly deployments: Ownership<Deployment>;
  readonly replicaSets: OwnedObjects<Deployment, ReplicaSet>;
  readonly pods: OwnedObjects<ReplicaSet, Pod>;
}

/**
 * Reads all that the Deployment of `key` is decided by, from caches; adopts and releases ReplicaSets on the way, so that
 * what is returned is what it manages. Nothing where the Deployment is gone.
 */
export async function gather(key: ObjectKey, readers: Readers, signal: AbortSignal): Promise<Snapshot | undefined> {
  const { context, deployments, replicaSets, pods } = readers;
  const deployment = deployments.lister.get(key);
  if (!deployment) return undefined;
  // An empty selector would make every ReplicaSet of the namespace ours.
  const claimed = selectsAll(deployment.spec?.selector) ? [] : await replicaSets.claim(deployment, signal);
  const owned = claimed.toSorted(byAge);
  return {
    deployment,
    replicaSets: owned,
    pods: podsByReplicaSet(deployment, owned, pods),
    now: context.clock.now(),
    countTerminating: context.featureGates.enabled('DeploymentReplicaSetTerminatingReplicas'),
  };
}

/** Only Recreate looks at Pods: whether old ones still run. */
function podsByReplicaSet(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  pods: Readers['pods'],
): Snapshot['pods'] {
  if (deployment.spec?.strategy?.type !== 'Recreate') return new Map();
  return new Map(replicaSets.map((replicaSet) => [replicaSet.metadata.uid, pods.of(replicaSet)]));
}
