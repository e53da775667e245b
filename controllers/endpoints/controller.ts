import { resources } from '#pkg/api';
import { describeController, reads } from '#pkg/controller';

export const endpointsDescription = describeController({
  name: 'endpoints-controller',
  aliases: ['endpoint'],
  serviceAccount: 'endpoint-controller',
  flags: [
    {
      name: 'concurrent-endpoint-syncs',
      type: 'int32',
      default: 5,
      config: 'EndpointController.ConcurrentEndpointSyncs',
      help: 'Services whose Endpoints are synced at the same time; more react faster and load CPU and network more',
    },
    {
      name: 'endpoint-updates-batch-period',
      type: 'duration',
      default: 0,
      config: 'EndpointController.EndpointUpdatesBatchPeriod',
      help: 'How long changes of Pods are gathered before Endpoints are written',
    },
  ],
  reads: [
    // Whole: they are written back with what others put into them.
    reads(resources.endpoints),
    reads(
      resources.services,
      'spec.type',
      'spec.clusterIP',
      'spec.ipFamilies',
      'spec.ports',
      'spec.selector',
      'spec.publishNotReadyAddresses',
    ),
    reads(
      resources.pods,
      'spec.nodeName',
      'spec.hostname',
      'spec.subdomain',
      'spec.containers.ports',
      'spec.initContainers.ports',
      'spec.initContainers.restartPolicy',
      'status.phase',
      'status.podIP',
      'status.podIPs',
      'status.conditions',
    ),
  ],
  rbac: [
    { apiGroups: [''], resources: ['pods', 'services'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['endpoints'], verbs: ['create', 'delete', 'get', 'list', 'update', 'watch'] },
    { apiGroups: [''], resources: ['endpoints/restricted'], verbs: ['create'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
