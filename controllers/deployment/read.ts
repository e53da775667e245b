import { type Deployment, type ObjectKey, type Pod, type ReplicaSet, resources } from '#pkg/api';
import type { Lister } from '#pkg/cache';
import {
  type ControllerContext,
  type Owners,
  type ConsistencyStore,
  claim,
  dependentsOf,
  orphansFor,
} from '#pkg/controller';

import { byAge, type Snapshot } from './snapshot.ts';

export interface Gathering {
  readonly context: Pick<ControllerContext, 'client' | 'clock' | 'featureGates' | 'log'>;
  readonly deployments: Owners<Deployment>;
  readonly replicaSets: Lister<ReplicaSet>;
  readonly pods: Lister<Pod>;
  readonly consistency: ConsistencyStore;
}

/**
 * Reads all that the Deployment of `key` is decided by, from caches; adopts and releases ReplicaSets on the way, so that
 * what is returned is what it manages. Nothing where the Deployment is gone.
 */
export async function gather(key: ObjectKey, gathering: Gathering, signal: AbortSignal): Promise<Snapshot | undefined> {
  const { context, deployments } = gathering;
  const deployment = deployments.lister.get(key);
  if (!deployment) return undefined;
  const replicaSets = selectsAll(deployment) ? [] : await claimReplicaSets(key, deployment, gathering, signal);
  return {
    deployment,
    replicaSets,
    pods: podsByReplicaSet(deployment, replicaSets, gathering.pods),
    now: context.clock.now(),
    countTerminating: context.featureGates.enabled('DeploymentReplicaSetTerminatingReplicas'),
  };
}

/** An empty selector would make every ReplicaSet of the namespace ours. */
export function selectsAll(deployment: Deployment): boolean {
  const { matchLabels = {}, matchExpressions = [] } = deployment.spec?.selector ?? {};
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

async function claimReplicaSets(
  key: ObjectKey,
  deployment: Deployment,
  { context, deployments, replicaSets, consistency }: Gathering,
  signal: AbortSignal,
): Promise<readonly ReplicaSet[]> {
  const { namespace = '', uid } = deployment.metadata;
  const claimed = await claim({
    owner: deployment,
    ownerType: resources.deployments,
    type: resources.replicaSets,
    selector: deployments.selectorOf(deployment),
    candidates: [
      ...dependentsOf(replicaSets, deployment.metadata.uid),
      ...orphansFor(replicaSets, namespace, deployment.spec?.selector),
    ],
    ownerClient: context.client.resource(resources.deployments),
    client: context.client.resource(resources.replicaSets),
    wrote: ({ metadata }) => consistency.wroteAt(key, uid, resources.replicaSets, metadata.resourceVersion),
    log: context.log,
    signal,
  });
  return claimed.toSorted(byAge);
}

/** Only Recreate looks at Pods: whether old ones still run. */
function podsByReplicaSet(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  pods: Lister<Pod>,
): Snapshot['pods'] {
  if (deployment.spec?.strategy?.type !== 'Recreate') return new Map();
  return new Map(
    replicaSets.map((replicaSet) => [replicaSet.metadata.uid, dependentsOf(pods, replicaSet.metadata.uid)]),
  );
}
