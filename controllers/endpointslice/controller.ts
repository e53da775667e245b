import { resources } from '#pkg/api';
import { describeController, reads } from '#pkg/controller';

export const endpointSliceDescription = describeController({
  name: 'endpointslice-controller',
  aliases: ['endpointslice'],
  eventSource: 'endpoint-slice-controller',
  flags: [
    {
      name: 'concurrent-service-endpoint-syncs',
      type: 'int32',
      default: 5,
      minimum: 1,
      maximum: 50,
      config: 'EndpointSliceController.ConcurrentServiceEndpointSyncs',
      help: 'Services whose EndpointSlices are synced at the same time; more react faster and load CPU and network more',
    },
    {
      name: 'endpointslice-updates-batch-period',
      type: 'duration',
      default: 0,
      config: 'EndpointSliceController.EndpointUpdatesBatchPeriod',
      help: 'How long changes of Pods are gathered before EndpointSlices are written',
    },
    {
      name: 'max-endpoints-per-slice',
      type: 'int32',
      default: 100,
      minimum: 1,
      maximum: 1000,
      config: 'EndpointSliceController.MaxEndpointsPerSlice',
      help: 'Most endpoints in one EndpointSlice; more make fewer and larger objects',
    },
  ],
  reads: [
    // Whole: slices are written back with what others put into them.
    reads(resources.endpointSlices),
    reads(
      resources.services,
      'spec.type',
      'spec.clusterIP',
      'spec.ipFamilies',
      'spec.ports',
      'spec.selector',
      'spec.publishNotReadyAddresses',
      'spec.trafficDistribution',
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
    reads(resources.nodes, 'status.conditions', 'status.allocatable.cpu'),
  ],
  rbac: [
    { apiGroups: [''], resources: ['nodes', 'pods', 'services'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['services/finalizers'], verbs: ['update'] },
    {
      apiGroups: ['discovery.k8s.io'],
      resources: ['endpointslices'],
      verbs: ['create', 'delete', 'get', 'list', 'update', 'watch'],
    },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices/restricted'], verbs: ['create'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
