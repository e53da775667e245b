import type { ControllerDefinition } from '#pkg/controller';

import { cronJobController } from './cronjob/index.ts';
import { daemonSetController } from './daemonset/index.ts';
import { deploymentController } from './deployment/index.ts';
import { jobController } from './job/index.ts';
import { replicaSetController } from './replicaset/index.ts';
import { replicationControllerController } from './replicationcontroller/index.ts';
import { statefulSetController } from './statefulset/index.ts';

/** Every controller that is here. A new one costs its folder and a line. */
export const controllerDefinitions: readonly ControllerDefinition[] = [
  cronJobController,
  daemonSetController,
  deploymentController,
  jobController,
  replicaSetController,
  replicationControllerController,
  statefulSetController,
];
