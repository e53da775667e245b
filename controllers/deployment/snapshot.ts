import type { Deployment, DeploymentStatus, Pod, ReplicaSet, StringMap } from '#pkg/api';

/** All that a decision looks at. */
export interface Snapshot {
  readonly deployment: Deployment;
  /** The ReplicaSets that the Deployment controls, oldest first. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Pods of each ReplicaSet by its uid; gathered for the Recreate strategy only. */
  readonly pods: ReadonlyMap<string, readonly Pod[]>;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The gate DeploymentReplicaSetTerminatingReplicas. */
  readonly countTerminating: boolean;
}

/** The ReplicaSets by their part in the rollout. */
export interface Rollout {
  /** Whose template is the Deployment's; missing until it is created. */
  readonly newReplicaSet: ReplicaSet | undefined;
  /** All others, oldest first. */
  readonly oldReplicaSets: readonly ReplicaSet[];
}

/** A write to a ReplicaSet; steps are carried out in order, and the first failure ends the reconcile. */
export type Step =
  | { readonly kind: 'update'; readonly before: ReplicaSet; readonly after: ReplicaSet }
  | { readonly kind: 'delete'; readonly replicaSet: ReplicaSet };

/** What the Deployment's status request may change: the revision lives in the annotations. */
export interface Draft {
  readonly annotations: StringMap;
  readonly status: DeploymentStatus;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly draft: Draft;
  /** Look again after so many ms, if nothing was written. */
  readonly requeueAfter?: number;
}

export function draftOf(deployment: Deployment): Draft {
  return { annotations: deployment.metadata.annotations ?? {}, status: deployment.status ?? {} };
}

/** `spec.replicas`, which the API server always sets. */
export function sizeOf(object: { readonly spec?: { readonly replicas?: number } }): number {
  return object.spec?.replicas ?? 1;
}

export function allReplicaSets({ newReplicaSet, oldReplicaSets }: Rollout): readonly ReplicaSet[] {
  return newReplicaSet ? [...oldReplicaSets, newReplicaSet] : oldReplicaSets;
}

export function active(replicaSets: readonly ReplicaSet[]): ReplicaSet[] {
  return replicaSets.filter((replicaSet) => sizeOf(replicaSet) > 0);
}

export function sumOf(
  replicaSets: readonly ReplicaSet[],
  count: (replicaSet: ReplicaSet) => number | undefined,
): number {
  return replicaSets.reduce((sum, replicaSet) => sum + (count(replicaSet) ?? 0), 0);
}

/** Older first; of the same second, by name. */
export function byAge(a: ReplicaSet, b: ReplicaSet): number {
  const left = a.metadata.creationTimestamp;
  const right = b.metadata.creationTimestamp;
  if (left !== right) return left < right ? -1 : 1;
  return a.metadata.name < b.metadata.name ? -1 : 1;
}
