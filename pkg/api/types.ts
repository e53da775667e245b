import type * as models from '@kubernetes/client-node';

/**
 * The wire shape of a client-node model: dates are RFC 3339 strings, keys have no leading underscore (`_continue` is
 * `continue`), and everything is read-only, because objects are shared values: a new one is spread from the old.
 */
export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [Key in keyof T as Key extends `_${infer Rest}` ? Rest : Key]: Wire<T[Key]> }
      : T;

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

export type StringMap = { readonly [key: string]: string };

/** Metadata of an object that the API server has stored. `namespace` is missing on cluster-scoped kinds. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly generateName?: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly generation?: number;
  readonly creationTimestamp: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly Wire<models.V1ManagedFieldsEntry>[];
}

/** Any stored API object, as far as machinery needs to know it. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

/** A client-node model as a stored object. */
export type Stored<Model> = Omit<Wire<Model>, 'metadata'> & { readonly metadata: ObjectMeta };

/** An object to be created: the server fills in what is missing. */
export type NewObject<T extends KubeObject> = Omit<T, 'metadata'> & { readonly metadata: Partial<ObjectMeta> };

export interface KubeList<T extends KubeObject> {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly T[];
}

export type WatchEvent<T extends KubeObject> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly object: KubeObject }
  | { readonly type: 'ERROR'; readonly object: Status };

/** `metav1.Status`: what the API server answers when it refuses. */
export interface Status {
  readonly apiVersion?: 'v1';
  readonly kind?: 'Status';
  readonly status?: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly retryAfterSeconds?: number;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  };
}

export type IntOrString = number | string;
export type LabelSelector = Wire<models.V1LabelSelector>;

export type ConfigMap = Stored<models.V1ConfigMap>;
export type ControllerRevision = Stored<models.V1ControllerRevision>;
export type CoreEvent = Stored<models.CoreV1Event>;
export type CronJob = Stored<models.V1CronJob>;
export type DaemonSet = Stored<models.V1DaemonSet>;
export type Deployment = Stored<models.V1Deployment>;
export type DeploymentSpec = Wire<models.V1DeploymentSpec>;
export type DeploymentStatus = Wire<models.V1DeploymentStatus>;
export type DeploymentCondition = Wire<models.V1DeploymentCondition>;
export type EndpointSlice = Stored<models.V1EndpointSlice>;
export type Endpoints = Stored<models.V1Endpoints>;
export type EventsEvent = Stored<models.EventsV1Event>;
export type Job = Stored<models.V1Job>;
export type Lease = Stored<models.V1Lease>;
export type Namespace = Stored<models.V1Namespace>;
export type Node = Stored<models.V1Node>;
export type PersistentVolume = Stored<models.V1PersistentVolume>;
export type PersistentVolumeClaim = Stored<models.V1PersistentVolumeClaim>;
export type Pod = Stored<models.V1Pod>;
export type PodCondition = Wire<models.V1PodCondition>;
export type PodSpec = Wire<models.V1PodSpec>;
export type PodStatus = Wire<models.V1PodStatus>;
export type PodTemplateSpec = Wire<models.V1PodTemplateSpec>;
export type PodDisruptionBudget = Stored<models.V1PodDisruptionBudget>;
export type PodGroup = Stored<models.V1alpha2PodGroup>;
export type ReplicaSet = Stored<models.V1ReplicaSet>;
export type ReplicaSetStatus = Wire<models.V1ReplicaSetStatus>;
export type ReplicaSetCondition = Wire<models.V1ReplicaSetCondition>;
export type ReplicationController = Stored<models.V1ReplicationController>;
export type Secret = Stored<models.V1Secret>;
export type Service = Stored<models.V1Service>;
export type ServiceAccount = Stored<models.V1ServiceAccount>;
export type StatefulSet = Stored<models.V1StatefulSet>;
export type Workload = Stored<models.V1alpha2Workload>;
export type StatefulSetSpec = Wire<models.V1StatefulSetSpec>;
