import type { RegisteredController } from '#pkg/controller';

import { cronJobDescription } from './cronjob/controller.ts';
import { daemonSetDescription } from './daemonset/controller.ts';
import { deploymentDescription } from './deployment/controller.ts';
import { disruptionDescription } from './disruption/controller.ts';
import { endpointsDescription } from './endpoints/controller.ts';
import { endpointSliceDescription } from './endpointslice/controller.ts';
import { endpointSliceMirroringDescription } from './endpointslicemirroring/controller.ts';
import { garbageCollectorDescription } from './garbagecollector/controller.ts';
import { jobDescription } from './job/controller.ts';
import { namespaceDescription } from './namespace/controller.ts';
import { podGarbageCollectorDescription } from './podgc/controller.ts';
import { replicaSetDescription } from './replicaset/controller.ts';
import { replicationControllerDescription } from './replicationcontroller/controller.ts';
import { statefulSetDescription } from './statefulset/controller.ts';
import { ttlAfterFinishedDescription } from './ttlafterfinished/controller.ts';

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
