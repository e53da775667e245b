import {
  type Deployment,
  type KubeObject,
  type OwnerReference,
  type ReplicaSet,
  type ReplicationController,
  type StatefulSet,
  controllerOf,
  makeKey,
  resources,
} from '#pkg/api';
import type { Lister } from '#pkg/cache';

import type { Scale } from './live-scales.ts';

export interface ScaleCaches {
  readonly replicationControllers: Lister<ReplicationController>;
  readonly replicaSets: Lister<ReplicaSet>;
  readonly deployments: Lister<Deployment>;
  readonly statefulSets: Lister<StatefulSet>;
}

const CORE = [''];
const APPS = ['apps'];
/** ReplicaSets and Deployments had another group once, which old references still name. */
const ANY_APPS = ['apps', 'extensions'];

interface Scaled extends KubeObject {
  readonly spec?: { readonly replicas?: number };
}

/**
 * The scale of the controller that `reference` names, from the caches: for a ReplicaSet of a Deployment that of the
 * Deployment. Nothing where no cache has it, or it is of another kind (the finders in `pkg/controller/disruption`).
 */
export function cachedScale(caches: ScaleCaches, reference: OwnerReference, namespace: string): Scale | undefined {
  const { replicationControllers, replicaSets, deployments, statefulSets } = caches;
  if (names(reference, resources.replicationControllers.kind, CORE))
    return scaleOf(find(replicationControllers, reference, namespace));
  if (names(reference, resources.statefulSets.kind, APPS)) return scaleOf(find(statefulSets, reference, namespace));
  if (!names(reference, resources.replicaSets.kind, ANY_APPS)) return undefined;
  const replicaSet = find(replicaSets, reference, namespace);
  const owner = replicaSet && controllerOf(replicaSet);
  if (!owner || owner.kind !== resources.deployments.kind) return scaleOf(replicaSet);
  return names(owner, resources.deployments.kind, ANY_APPS) ? scaleOf(find(deployments, owner, namespace)) : undefined;
}

function names(reference: OwnerReference, kind: string, groups: readonly string[]): boolean {
  if (reference.kind !== kind) return false;
  const slash = reference.apiVersion.indexOf('/');
  return groups.includes(slash < 0 ? '' : reference.apiVersion.slice(0, slash));
}

function find<T extends KubeObject>(lister: Lister<T>, reference: OwnerReference, namespace: string): T | undefined {
  const found = lister.get(makeKey(namespace, reference.name));
  return found?.metadata.uid === reference.uid ? found : undefined;
}

function scaleOf(owner: Scaled | undefined): Scale | undefined {
  return owner && { uid: owner.metadata.uid, replicas: owner.spec?.replicas ?? 1 };
}
