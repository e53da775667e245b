import type { ObjectMeta, StatefulSet, StatefulSetSpec } from '#pkg/api';
import { deepFreeze } from '#pkg/base';

import { at, podTemplate } from './workloads.ts';

export interface StatefulSetParts {
  readonly name?: string;
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<StatefulSetSpec>;
  readonly status?: StatefulSet['status'];
}

/** A StatefulSet as the API server would have stored it: defaults filled in. Frozen. */
export function statefulSet({ name = 'web', metadata, spec, status }: StatefulSetParts = {}): StatefulSet {
  return deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: at(0),
      ...metadata,
    },
    spec: {
      replicas: 1,
      serviceName: 'peers',
      selector: { matchLabels: { app: 'web' } },
      template: podTemplate(),
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      revisionHistoryLimit: 10,
      ...spec,
    },
    ...(status ? { status } : {}),
  } satisfies StatefulSet);
}
