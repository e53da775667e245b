import { type Deployment, type Pod, type ReplicaSet, keyOf, resources } from '#pkg/api';
import type { Lister } from '#pkg/cache';
import { type Enqueue, type Owners, type Trigger, dependentsOf, on } from '#pkg/controller';

/** The ReplicaSet that controls a Pod, while it is the same object. */
export interface ReplicaSetOf {
  controllerOf(pod: Pod): ReplicaSet | undefined;
}

/**
 * A Pod's end matters to a Recreate Deployment alone: when the last old Pod is gone, the new ones may start. All else
 * about Pods reaches a Deployment through the status of its ReplicaSets.
 */
export function onLastPodGone(
  deployments: Pick<Owners<Deployment>, 'controllerOf'>,
  replicaSets: ReplicaSetOf & { readonly lister: Lister<ReplicaSet> },
  pods: Lister<Pod>,
): Trigger<Pod> {
  return on(resources.pods, {
    delete(pod): readonly Enqueue[] {
      const replicaSet = replicaSets.controllerOf(pod);
      const deployment = replicaSet && deployments.controllerOf(replicaSet);
      if (deployment?.spec?.strategy?.type !== 'Recreate') return [];
      const left = dependentsOf(replicaSets.lister, deployment.metadata.uid).some(
        (owned) => dependentsOf(pods, owned.metadata.uid).length > 0,
      );
      return left ? [] : [keyOf(deployment)];
    },
  });
}
