import { resources } from '#pkg/api';
import { describeController, reads } from '#pkg/controller';

export const endpointSliceMirroringDescription = describeController({
  name: 'endpointslice-mirroring-controller',
  aliases: ['endpointslicemirroring'],
  serviceAccount: 'endpointslicemirroring-controller',
  eventSource: 'endpoint-slice-mirroring-controller',
  flags: [
    {
      name: 'mirroring-concurrent-service-endpoint-syncs',
      type: 'int32',
      default: 5,
      minimum: 1,
      maximum: 50,
      config: 'EndpointSliceMirroringController.MirroringConcurrentServiceEndpointSyncs',
      help: 'Endpoints mirrored at the same time; more react faster and load CPU and network more',
    },
    {
      name: 'mirroring-endpointslice-updates-batch-period',
      type: 'duration',
      default: 0,
      config: 'EndpointSliceMirroringController.MirroringEndpointUpdatesBatchPeriod',
      help: 'How long changes that others make to mirrored EndpointSlices are gathered before they are undone',
    },
    {
      name: 'mirroring-max-endpoints-per-subset',
      type: 'int32',
      default: 1000,
      minimum: 1,
      maximum: 1000,
      config: 'EndpointSliceMirroringController.MirroringMaxEndpointsPerSubset',
      help: 'Most endpoints mirrored from one subset',
    },
  ],
  reads: [
    reads(resources.endpoints, 'subsets'),
    // Whole: slices are written back with what others put into them.
    reads(resources.endpointSlices),
    reads(resources.services, 'spec.selector'),
  ],
  rbac: [
    { apiGroups: [''], resources: ['endpoints', 'services'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['services/finalizers'], verbs: ['update'] },
    { apiGroups: [''], resources: ['endpoints/finalizers'], verbs: ['update'] },
    {
      apiGroups: ['discovery.k8s.io'],
      resources: ['endpointslices'],
      verbs: ['create', 'delete', 'get', 'list', 'update', 'watch'],
    },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices/restricted'], verbs: ['create'] },
    { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: ['create', 'patch', 'update'] },
  ],
});
