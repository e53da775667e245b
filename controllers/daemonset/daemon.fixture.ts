import type { DaemonSet, Node, Pod } from '#pkg/api';
import { deepFreeze } from '#pkg/base';
import { at, podTemplate } from '#pkg/testing';

import { HASH, forNode } from './template.ts';

export type DaemonSetSpec = NonNullable<DaemonSet['spec']>;

export const rolling = (
  maxUnavailable: number | string,
  maxSurge: number | string = 0,
): DaemonSetSpec['updateStrategy'] => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxUnavailable, maxSurge },
});

/** A DaemonSet as the API server would have stored it. */
export function daemonSet(
  spec: Partial<DaemonSetSpec> = {},
  status?: DaemonSet['status'],
  metadata: Partial<DaemonSet['metadata']> = {},
): DaemonSet {
  return deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: {
      name: 'agent',
      namespace: 'default',
      uid: 'd1',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: at(0),
      annotations: { 'deprecated.daemonset.template.generation': '1' },
      ...metadata,
    },
    spec: {
      selector: { matchLabels: { app: 'web' } },
      template: podTemplate(),
      updateStrategy: rolling(1),
      revisionHistoryLimit: 10,
      ...spec,
    },
    ...(status ? { status } : {}),
  } satisfies DaemonSet);
}

export function node(
  name: string,
  { labels = {}, taints }: { labels?: Record<string, string>; taints?: NonNullable<Node['spec']>['taints'] } = {},
): Node {
  return deepFreeze({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: at(0), labels },
    spec: taints ? { taints } : {},
  });
}

export interface PodParts {
  readonly name?: string;
  readonly hash?: string;
  readonly phase?: string;
  /** Seconds since the builders' epoch at which it became ready; not ready where missing. */
  readonly ready?: number;
  readonly created?: number;
  readonly going?: boolean;
  /** On its node, not only meant for it. */
  readonly placed?: boolean;
}

/** A Pod of {@link daemonSet} for a node. */
export function daemonPod(nodeName: string, parts: PodParts = {}): Pod {
  const {
    name = `agent-${nodeName}`,
    hash = 'new',
    phase = 'Running',
    ready,
    created = 0,
    going = false,
    placed = true,
  } = parts;
  const { spec } = forNode(podTemplate(), nodeName);
  return deepFreeze({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: '1',
      creationTimestamp: at(created),
      labels: { app: 'web', [HASH]: hash },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'DaemonSet',
          name: 'agent',
          uid: 'd1',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
      ...(going ? { deletionTimestamp: at(100) } : {}),
    },
    spec: { ...spec!, ...(placed ? { nodeName } : {}) },
    status: {
      phase,
      ...(ready === undefined
        ? {}
        : { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(ready) }] }),
    },
  } satisfies Pod);
}
