import { resources } from '#pkg/api';
import { describeController, reads } from '#pkg/controller';

export const ttlAfterFinishedDescription = describeController({
  name: 'ttl-after-finished-controller',
  aliases: ['ttl-after-finished'],
  flags: [
    {
      name: 'concurrent-ttl-after-finished-syncs',
      type: 'int32',
      default: 5,
      config: 'TTLAfterFinishedController.ConcurrentTTLSyncs',
      help: 'Finished Jobs deleted at the same time; more react faster and load CPU and network more',
    },
  ],
  reads: [reads(resources.jobs, 'spec.ttlSecondsAfterFinished', 'status.conditions')],
  rbac: [
    { apiGroups: ['batch'], resources: ['jobs'], verbs: ['delete', 'get', 'list', 'watch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
