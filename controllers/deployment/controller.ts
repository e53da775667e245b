import { resources } from '#pkg/api';
import { describeController, reads } from '#pkg/controller';

export const deploymentDescription = describeController({
  name: 'deployment-controller',
  aliases: ['deployment'],
  flags: [
    {
      name: 'concurrent-deployment-syncs',
      type: 'int32',
      default: 5,
      config: 'DeploymentController.ConcurrentDeploymentSyncs',
      help: 'Deployments that are synced at the same time; more react faster and load CPU and network more',
    },
  ],
  // Deployments and ReplicaSets whole: they are written back.
  reads: [reads(resources.deployments), reads(resources.replicaSets), reads(resources.pods, 'status.phase')],
  rbac: [
    { apiGroups: ['apps', 'extensions'], resources: ['deployments'], verbs: ['get', 'list', 'update', 'watch'] },
    { apiGroups: ['apps', 'extensions'], resources: ['deployments/status'], verbs: ['update'] },
    { apiGroups: ['apps', 'extensions'], resources: ['deployments/finalizers'], verbs: ['update'] },
    {
      apiGroups: ['apps', 'extensions'],
      resources: ['replicasets'],
      verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
    },
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'update', 'watch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
