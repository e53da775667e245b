import {
  type ControllerRevision,
  type NewObject,
  type PersistentVolumeClaim,
  type Pod,
  type PodTemplateSpec,
  type StatefulSet,
  isPodAvailable,
  isPodReady,
} from '#pkg/api';

/** One of the two revisions that a set's Pods may have: the name that Pods carry, and the template. */
export interface PodRevision {
  readonly name: string;
  readonly template: PodTemplateSpec;
}

/** All that a set is decided by. */
export interface Snapshot {
  readonly set: StatefulSet;
  /** Claimed, all of them members by name. */
  readonly pods: readonly Pod[];
  /** The claim of this name in the set's namespace, as cached. */
  readonly claim: (name: string) => PersistentVolumeClaim | undefined;
  readonly current: PodRevision;
  readonly update: PodRevision;
  /** ms since the epoch. */
  readonly now: number;
  /** Gate MaxUnavailableStatefulSet. */
  readonly countUnavailable: boolean;
}

/** Where a Pod of the set is, or is to be. */
export interface Slot {
  readonly ordinal: number;
  readonly pod: Pod | undefined;
}

/** What a sync does to one Pod and its claims. */
export type Step =
  /** With the claims that it lacks. */
  | { readonly kind: 'create'; readonly pod: NewObject<Pod>; readonly ordinal: number }
  | { readonly kind: 'delete'; readonly pod: Pod; readonly why: string }
  /** Creates claims that a pending Pod waits for, and puts their owners right. */
  | { readonly kind: 'create-claims'; readonly pod: Pod }
  /** Puts labels, volumes and the owners of claims right. */
  | { readonly kind: 'repair'; readonly pod: Pod }
  /** Puts the owners of the claims right, of a Pod that is about to go. */
  | { readonly kind: 'own-claims'; readonly pod: Pod };

/** Steps of different Pods, those of one Pod together and in order. */
export interface Phase {
  readonly steps: readonly (readonly Step[])[];
  /** Different Pods at a time, the first alone; else one after the other. */
  readonly parallel: boolean;
}

/** Phases in order; one that fails ends the sync. */
export type Plan = readonly Phase[];

/** The revisions of a set at this moment. */
export interface Revisions {
  readonly current: ControllerRevision;
  readonly update: ControllerRevision;
  readonly collisionCount: number;
}

export function minReadySeconds(set: StatefulSet): number {
  return set.spec?.minReadySeconds ?? 0;
}

/** Has a phase: the server knows it. */
export function isCreated(pod: Pod): boolean {
  return Boolean(pod.status?.phase);
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined;
}

/** Has ended, whatever its exit code: evicted Pods may also have succeeded. */
export function hasEnded(pod: Pod): boolean {
  return pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
}

export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod);
}

/** Not yet there, not available long enough, or on its way out. */
export function isUnavailable(pod: Pod | undefined, set: StatefulSet, now: number): boolean {
  return pod === undefined || isTerminating(pod) || !isPodAvailable(pod, minReadySeconds(set), now);
}
