import { resources } from '#pkg/api';
import { describeController, reads } from '#pkg/controller';

export const podGarbageCollectorDescription = describeController({
  name: 'pod-garbage-collector-controller',
  aliases: ['podgc'],
  serviceAccount: 'pod-garbage-collector',
  flags: [
    {
      name: 'terminated-pod-gc-threshold',
      type: 'int32',
      default: 12_500,
      config: 'PodGCController.TerminatedPodGCThreshold',
      help: 'Terminated Pods beyond this many are deleted; 0 or less to keep them',
    },
  ],
  reads: [
    reads(resources.pods, 'spec.nodeName', 'status.phase', 'status.reason', 'status.conditions'),
    reads(resources.nodes, 'spec.taints', 'status.conditions'),
  ],
  rbac: [
    { apiGroups: [''], resources: ['pods'], verbs: ['delete', 'list', 'watch'] },
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
  ],
});
