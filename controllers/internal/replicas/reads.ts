import { type KubeObject, type ResourceType, resources } from '#pkg/api';
import { type Reads, reads } from '#pkg/controller';

/** What the engine reads: owners whole, since the status is written with the object around it; of Pods what ranks and counts them. */
export function replicaReads<Owner extends KubeObject>(owners: ResourceType<Owner>): readonly Reads[] {
  return [
    reads(owners),
    reads(
      resources.pods,
      'spec.nodeName',
      'spec.initContainers.name',
      'spec.initContainers.restartPolicy',
      'status.phase',
      'status.conditions',
      'status.containerStatuses.restartCount',
      'status.initContainerStatuses.name',
      'status.initContainerStatuses.restartCount',
    ),
  ];
}
