import type { RegisteredController } from '#pkg/controller';

import { cronJobDescription } from './cronjob/description.ts';
import { daemonSetDescription } from './daemonset/description.ts';
import { deploymentDescription } from './deployment/description.ts';
import { disruptionDescription } from './disruption/description.ts';
import { endpointsDescription } from './endpoints/description.ts';
import { endpointSliceDescription } from './endpointslice/description.ts';
import { endpointSliceMirroringDescription } from './endpointslicemirroring/description.ts';
import { garbageCollectorDescription } from './garbagecollector/description.ts';
import { jobDescription } from './job/description.ts';
import { namespaceDescription } from './namespace/description.ts';
import { podGarbageCollectorDescription } from './podgc/description.ts';
import { replicaSetDescription } from './replicaset/description.ts';
import { replicationControllerDescription } from './replicationcontroller/description.ts';
import { statefulSetDescription } from './statefulset/description.ts';
import { ttlAfterFinishedDescription } from './ttlafterfinished/description.ts';

/**
 * Every controller that is here. A new one costs its folder, an import and a line. Only descriptions are imported, for a
 * start loads nothing of what it may never run.
 */
export const controllerDefinitions: readonly RegisteredController[] = [
  { ...cronJobDescription, load: async () => (await import('./cronjob/index.ts')).cronJobController },
  { ...daemonSetDescription, load: async () => (await import('./daemonset/index.ts')).daemonSetController },
  { ...deploymentDescription, load: async () => (await import('./deployment/index.ts')).deploymentController },
  { ...disruptionDescription, load: async () => (await import('./disruption/index.ts')).disruptionController },
  { ...endpointsDescription, load: async () => (await import('./endpoints/index.ts')).endpointsController },
  { ...endpointSliceDescription, load: async () => (await import('./endpointslice/index.ts')).endpointSliceController },
  {
    ...endpointSliceMirroringDescription,
    load: async () => (await import('./endpointslicemirroring/index.ts')).endpointSliceMirroringController,
  },
  {
    ...garbageCollectorDescription,
    load: async () => (await import('./garbagecollector/index.ts')).garbageCollectorController,
  },
  { ...jobDescription, load: async () => (await import('./job/index.ts')).jobController },
  { ...namespaceDescription, load: async () => (await import('./namespace/index.ts')).namespaceController },
  {
    ...podGarbageCollectorDescription,
    load: async () => (await import('./podgc/index.ts')).podGarbageCollectorController,
  },
  { ...replicaSetDescription, load: async () => (await import('./replicaset/index.ts')).replicaSetController },
  {
    ...replicationControllerDescription,
    load: async () => (await import('./replicationcontroller/index.ts')).replicationControllerController,
  },
  { ...statefulSetDescription, load: async () => (await import('./statefulset/index.ts')).statefulSetController },
  {
    ...ttlAfterFinishedDescription,
    load: async () => (await import('./ttlafterfinished/index.ts')).ttlAfterFinishedController,
  },
];
