import { type KubeObject, type ResourceType, resources } from '#pkg/api';
import { type Reads, describeController, reads } from '#pkg/controller';

/** Of a controller of Pods: how many it wants, and which budgets that may concern. */
function scaleReads<T extends KubeObject>(owners: ResourceType<T>): Reads {
  return reads(owners, 'spec.replicas', 'spec.template.metadata.labels');
}

export const disruptionDescription = describeController({
  name: 'disruption-controller',
  aliases: ['disruption'],
  eventSource: 'controllermanager',
  reads: [
    // Whole: the status is written with the object around it.
    reads(resources.podDisruptionBudgets),
    reads(resources.pods, 'status.phase', 'status.conditions'),
    scaleReads(resources.replicationControllers),
    scaleReads(resources.replicaSets),
    scaleReads(resources.deployments),
    scaleReads(resources.statefulSets),
  ],
  rbac: [
    { apiGroups: ['apps', 'extensions'], resources: ['deployments'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps', 'extensions'], resources: ['replicasets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['replicationcontrollers'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['policy'], resources: ['poddisruptionbudgets/status'], verbs: ['update'] },
    { apiGroups: [''], resources: ['pods/status'], verbs: ['patch', 'update'] },
    { apiGroups: ['*'], resources: ['*/scale'], verbs: ['get'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
