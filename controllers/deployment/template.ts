import { ownValue, semanticEqual } from '#pkg/base';
import type { Deployment, LabelSelector, NewObject, PodTemplateSpec, ReplicaSet, StringMap } from '#pkg/api';

import { templateHash } from '../internal/go-hash/index.ts';
import { newReplicaSetAnnotations, replicaAnnotations } from './annotations.ts';
import { type Rollout, sizeOf } from './snapshot.ts';
import { newReplicaSetSize } from './strategy.ts';

export const POD_TEMPLATE_HASH = 'pod-template-hash';

/** DNS-1123 subdomain. */
const LONGEST_NAME = 253;

/** Whether both describe the same Pods. The hash label does not count: it follows from the template. */
export function sameTemplate(a: PodTemplateSpec | undefined, b: PodTemplateSpec | undefined): boolean {
  if (!semanticEqual(a?.spec, b?.spec)) return false;
  return semanticEqual(withoutHash(a?.metadata), withoutHash(b?.metadata));
}

function withoutHash(metadata: PodTemplateSpec['metadata']): object {
  const { labels, annotations, ...rest } = metadata ?? {};
  return { ...rest, labels: nonEmpty(withoutLabel(labels, POD_TEMPLATE_HASH)), annotations: nonEmpty(annotations) };
}

function nonEmpty(map: StringMap | undefined): StringMap | undefined {
  return map && Object.keys(map).length > 0 ? map : undefined;
}

export function withoutLabel(labels: StringMap | undefined, label: string): StringMap {
  const { [label]: _, ...rest } = labels ?? {};
  return rest;
}

/** The ReplicaSet to create for the Deployment's template. Its name follows from the template: creating is idempotent. */
export function newReplicaSetFor(
  deployment: Deployment,
  oldReplicaSets: readonly ReplicaSet[],
  revision: bigint,
): NewObject<ReplicaSet> {
  const spec = deployment.spec!;
  const hash = templateHash(spec.template, deployment.status?.collisionCount);
  const labels = { ...spec.template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
  const draft: NewObject<ReplicaSet> = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name.slice(0, LONGEST_NAME - 1 - hash.length)}-${hash}`,
      namespace: deployment.metadata.namespace!,
      labels,
      annotations: {
        ...newReplicaSetAnnotations(deployment, {}, revision),
        ...replicaAnnotations(deployment),
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          name: deployment.metadata.name,
          uid: deployment.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      replicas: 0,
      ...(spec.minReadySeconds ? { minReadySeconds: spec.minReadySeconds } : {}),
      selector: withHash(spec.selector, hash),
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  };
  const rollout: Rollout = { newReplicaSet: undefined, oldReplicaSets };
  const replicas = newReplicaSetSize(deployment, rollout, draft as ReplicaSet);
  return { ...draft, spec: { ...draft.spec!, replicas } };
}

function withHash(selector: LabelSelector, hash: string): LabelSelector {
  return { ...selector, matchLabels: { ...selector.matchLabels, [POD_TEMPLATE_HASH]: hash } };
}

/** Whether `replicaSet`, found under the name that we wanted to create, is the one that we wanted. */
export function isOurs(deployment: Deployment, replicaSet: ReplicaSet): boolean {
  const controller = replicaSet.metadata.ownerReferences?.find((owner) => owner.controller === true);
  return (
    controller?.uid === deployment.metadata.uid && sameTemplate(deployment.spec?.template, replicaSet.spec?.template)
  );
}

/** Replicas of the size given; other fields stay. */
export function resized(replicaSet: ReplicaSet, replicas: number, deployment: Deployment): ReplicaSet {
  const annotations = { ...replicaSet.metadata.annotations, ...replicaAnnotations(deployment) };
  return {
    ...replicaSet,
    metadata: { ...replicaSet.metadata, annotations },
    spec: { ...replicaSet.spec!, replicas },
  };
}

/** Whether a resize to `replicas` would change anything. */
export function needsResize(replicaSet: ReplicaSet, replicas: number, deployment: Deployment): boolean {
  if (sizeOf(replicaSet) !== replicas) return true;
  const wanted = Object.entries(replicaAnnotations(deployment));
  return wanted.some(([key, value]) => ownValue(replicaSet.metadata.annotations, key) !== value);
}
