import { resources } from '#pkg/api';
import { describeController, reads } from '#pkg/controller';

const MINUTE = 60_000;

export const namespaceDescription = describeController({
  name: 'namespace-controller',
  aliases: ['namespace'],
  flags: [
    {
      name: 'concurrent-namespace-syncs',
      type: 'int32',
      default: 10,
      config: 'NamespaceController.ConcurrentNamespaceSyncs',
      help: 'Namespaces terminated at the same time; more react faster and load CPU and network more',
    },
    {
      name: 'namespace-sync-period',
      type: 'duration',
      default: 5 * MINUTE,
      config: 'NamespaceController.NamespaceSyncPeriod',
      help: 'Interval between two full syncs of every namespace',
    },
  ],
  // What the cache is asked is whether a namespace is on its way out; all else is read when it comes to that.
  reads: [reads(resources.namespaces)],
  requestRate: { qps: 20, burst: 100 },
  rbac: [
    { apiGroups: [''], resources: ['namespaces'], verbs: ['delete', 'get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['namespaces/finalize', 'namespaces/status'], verbs: ['update'] },
    { apiGroups: ['*'], resources: ['*'], verbs: ['delete', 'deletecollection', 'get', 'list', 'watch'] },
  ],
});
