import { resources } from '#pkg/api';
import { describeController, reads } from '#pkg/controller';

export const jobDescription = describeController({
  name: 'job-controller',
  aliases: ['job'],
  flags: [
    {
      name: 'concurrent-job-syncs',
      type: 'int32',
      default: 5,
      minimum: 1,
      config: 'JobController.ConcurrentJobSyncs',
      help: 'Jobs synced at the same time; more react faster and load CPU and network more',
    },
  ],
  reads: [
    // Whole: the status is written with the object around it.
    reads(resources.jobs),
    reads(
      resources.pods,
      'spec.nodeName',
      'spec.initContainers.name',
      'spec.initContainers.restartPolicy',
      'status.phase',
      'status.conditions',
      'status.containerStatuses.name',
      'status.containerStatuses.restartCount',
      'status.containerStatuses.state.terminated',
      'status.initContainerStatuses.name',
      'status.initContainerStatuses.restartCount',
      'status.initContainerStatuses.state.terminated',
    ),
    // Only where the gate WorkloadWithJob is enabled, which gives the role the permission, too.
    reads(resources.workloads, 'spec'),
    reads(resources.podGroups, 'spec'),
  ],
  rbac: [
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get', 'list', 'patch', 'update', 'watch'] },
    { apiGroups: ['batch'], resources: ['jobs/status'], verbs: ['update'] },
    { apiGroups: ['batch'], resources: ['jobs/finalizers'], verbs: ['update'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['create', 'delete', 'list', 'patch', 'watch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
