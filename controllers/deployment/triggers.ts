import { type Deployment, type Pod, type ReplicaSet, keyOf, resources } from '#pkg/api';
import { type Enqueue, type OwnedObjects, type Owners, type Trigger, on } from '#pkg/controller';

/**
 * A Pod's end matters to a Recreate Deployment alone: when the last old Pod is gone, the new ones may start. All else
 * about Pods reaches a Deployment through the status of its ReplicaSets.
 */
export function onLastPodGone(
  deployments: Pick<Owners<Deployment>, 'controllerOf'>,
  replicaSets: OwnedObjects<Deployment, ReplicaSet>,
  podOwners: Pick<Owners<ReplicaSet>, 'controllerOf'>,
  pods: OwnedObjects<ReplicaSet, Pod>,
): Trigger<Pod> {
  return on(resources.pods, {
    delete(pod): readonly Enqueue[] {
      const replicaSet = podOwners.controllerOf(pod);
      const deployment = replicaSet && deployments.controllerOf(replicaSet);
      if (deployment?.spec?.strategy?.type !== 'Recreate') return [];
      const left = replicaSets.of(deployment).some((owned) => pods.of(owned).length > 0);
      return left ? [] : [keyOf(deployment)];
    },
  });
}
