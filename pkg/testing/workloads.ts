import { deepFreeze, formatTime } from '#pkg/base';
import type { Deployment, DeploymentSpec, ObjectMeta, Pod, PodTemplateSpec, ReplicaSet } from '#pkg/api';

/** The instant that builders count from, ms since the epoch. */
export const EPOCH = Date.parse('2026-01-01T00:00:00Z');

/** `seconds` after the builders' epoch, as objects carry it. */
export function at(seconds: number): string {
  return formatTime(EPOCH + seconds * 1000);
}

function meta(name: string, overrides: Partial<ObjectMeta> = {}): ObjectMeta {
  return {
    name,
    namespace: 'default',
    uid: `uid-${name}`,
    resourceVersion: '1',
    generation: 1,
    creationTimestamp: at(0),
    ...overrides,
  };
}

/** A Pod template with one container; two of the same image are the same template. */
export function podTemplate(image = 'app:v1', labels: Record<string, string> = { app: 'web' }): PodTemplateSpec {
  return { metadata: { labels }, spec: { containers: [{ name: 'app', image }] } };
}

export interface DeploymentParts {
  readonly name?: string;
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<DeploymentSpec>;
  readonly status?: Deployment['status'];
}

/** A Deployment as the API server would have stored it: defaults filled in. Frozen. */
export function deployment({ name = 'web', metadata, spec, status }: DeploymentParts = {}): Deployment {
  return deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: meta(name, metadata),
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: 'web' } },
      template: podTemplate(),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
    },
    ...(status ? { status } : {}),
  } satisfies Deployment);
}

export interface ReplicaSetParts {
  readonly name?: string;
  readonly metadata?: Partial<ObjectMeta>;
  readonly owner?: Deployment;
  readonly replicas?: number;
  readonly template?: PodTemplateSpec;
  readonly status?: Partial<NonNullable<ReplicaSet['status']>>;
}

/** A ReplicaSet of `owner`; its status says that it is settled at its size, unless told otherwise. Frozen. */
export function replicaSet({
  name = 'web-1',
  metadata,
  owner,
  replicas = 0,
  template,
  status,
}: ReplicaSetParts = {}): ReplicaSet {
  return deepFreeze({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: meta(name, {
      ...(owner
        ? {
            ownerReferences: [
              {
                apiVersion: 'apps/v1',
                kind: 'Deployment',
                name: owner.metadata.name,
                uid: owner.metadata.uid,
                controller: true,
                blockOwnerDeletion: true,
              },
            ],
          }
        : {}),
      ...metadata,
    }),
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: template ?? podTemplate() },
    status: {
      replicas,
      observedGeneration: 1,
      terminatingReplicas: 0,
      ...(replicas > 0 ? { readyReplicas: replicas, availableReplicas: replicas } : {}),
      ...status,
    },
  } satisfies ReplicaSet);
}

/** A running, ready Pod of `owner`. Frozen. */
export function pod(name: string, owner?: ReplicaSet, status: Pod['status'] = {}): Pod {
  return deepFreeze({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: meta(name, {
      labels: { app: 'web' },
      ...(owner
        ? {
            ownerReferences: [
              {
                apiVersion: 'apps/v1',
                kind: 'ReplicaSet',
                name: owner.metadata.name,
                uid: owner.metadata.uid,
                controller: true,
              },
            ],
          }
        : {}),
    }),
    spec: { containers: [{ name: 'app', image: 'app:v1' }] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(0) }], ...status },
  } satisfies Pod);
}
