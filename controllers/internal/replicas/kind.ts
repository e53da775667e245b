import type { KubeObject, LabelSelector, PodTemplateSpec, ReplicaSetCondition, ResourceType } from '#pkg/api';

/** The part of an owner's spec that asks for Pods. */
export interface ReplicaSpec {
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly selector: LabelSelector | undefined;
  readonly template: PodTemplateSpec;
}

/** An owner's status as it stands on the wire: counts that are zero may be missing. */
export interface ReplicaStatus {
  readonly replicas?: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly terminatingReplicas?: number;
  readonly observedGeneration?: number;
  readonly conditions?: readonly ReplicaSetCondition[];
}

/**
 * What sets one kind of owner apart from another. ReplicaSet and ReplicationController differ in their wire shape and in
 * little else, as upstream, where one implementation serves both.
 */
export interface ReplicaKind<Owner extends KubeObject> {
  readonly type: ResourceType<Owner>;
  /** Label of the queue's metrics. */
  readonly queue: string;
  /** Prefix of the controller's own metrics. */
  readonly subsystem: string;
  /** Gate under which a key waits until the caches have read its own writes; never where missing. */
  readonly consistencyGate?: string;
  /** Gate under which terminating Pods are counted in the status; never where missing. */
  readonly terminatingGate?: string;
  readonly spec: (owner: Owner) => ReplicaSpec;
  /** Lives as long as the program: an index is made of it. */
  readonly selector: (owner: Owner) => LabelSelector | undefined;
  readonly status: (owner: Owner) => ReplicaStatus;
  readonly withStatus: (owner: Owner, status: ReplicaStatus) => Owner;
}
