import { describeController } from '#pkg/controller';

export const garbageCollectorDescription = describeController({
  name: 'garbage-collector-controller',
  aliases: ['garbagecollector'],
  serviceAccount: 'generic-garbage-collector',
  eventSource: 'garbage-collector-controller',
  // As upstream's client, for deletions are what the rate is spent on.
  requestRate: { qps: 2, burst: 1 },
  flags: [
    {
      name: 'concurrent-gc-syncs',
      type: 'int32',
      default: 20,
      config: 'GarbageCollectorController.ConcurrentGCSyncs',
      help: 'Workers of the garbage collector',
    },
    {
      name: 'enable-garbage-collector',
      type: 'bool',
      default: true,
      config: 'GarbageCollectorController.EnableGarbageCollector',
      help: 'Collect dependents of deleted owners. Must agree with the flag of the API server',
    },
  ],
  // Metadata is in every cache, and more it does not read.
  reads: [],
  rbac: [
    { apiGroups: ['*'], resources: ['*'], verbs: ['delete', 'get', 'list', 'patch', 'update', 'watch'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
