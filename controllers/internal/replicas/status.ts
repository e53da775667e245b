import {
  type KubeObject,
  type Pod,
  type ReplicaSetCondition,
  compileLabels,
  isPodAvailable,
  isPodReady,
} from '#pkg/api';
import { describeError, formatTime, semanticEqual } from '#pkg/base';
import { nextAvailability } from '#pkg/controller';

import type { ReplicaSpec, ReplicaStatus } from './kind.ts';

/** The condition that says that Pods could not be created or deleted. */
const REPLICA_FAILURE = 'ReplicaFailure';

export interface StatusInput {
  readonly owner: KubeObject;
  readonly spec: ReplicaSpec;
  readonly status: ReplicaStatus;
  readonly active: readonly Pod[];
  /** Missing where terminating Pods are not counted. */
  readonly terminating?: readonly Pod[];
  /** Why creating or deleting Pods failed this time, if it did. */
  readonly failure?: unknown;
  /** ms since the epoch. */
  readonly now: number;
}

/**
 * The status that `active` Pods make, with `observedGeneration` of the owner that was looked at, or undefined when it
 * says what stands there already. Zero counts are left out as the API leaves them out (`calculateStatus` and
 * `updateReplicaSetStatus` in `pkg/controller/replicaset/replica_set_utils.go`).
 */
export function decideStatus(input: StatusInput): ReplicaStatus | undefined {
  const { owner, spec, status, active, terminating, now } = input;
  const templateLabels = compileLabels(spec.template.metadata?.labels ?? {});
  const ready = active.filter(isPodReady);
  const next: ReplicaStatus = {
    replicas: active.length,
    fullyLabeledReplicas: count(active, (pod) => templateLabels.matches(pod.metadata.labels)),
    readyReplicas: ready.length,
    availableReplicas: count(ready, (pod) => isPodAvailable(pod, spec.minReadySeconds, now)),
    terminatingReplicas: terminating?.length,
    observedGeneration: owner.metadata.generation,
    conditions: conditionsAfter(input),
  };
  return saysTheSame(status, next) ? undefined : withoutZeros(next);
}

/**
 * Whether fewer Pods are ready or available than the status says, and than `wanted`. Pods beyond the wanted number are
 * counted by nobody, and go because they are deleted here.
 */
export function losesPods(before: ReplicaStatus, after: ReplicaStatus, wanted: number): boolean {
  const fewer = (now = 0, then = 0): boolean => now < Math.min(then, wanted);
  return fewer(after.readyReplicas, before.readyReplicas) || fewer(after.availableReplicas, before.availableReplicas);
}

const COUNTS = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'observedGeneration',
] as const;

function saysTheSame(a: ReplicaStatus, b: ReplicaStatus): boolean {
  return (
    COUNTS.every((name) => (a[name] ?? 0) === (b[name] ?? 0)) &&
    a.terminatingReplicas === b.terminatingReplicas &&
    semanticEqual(a.conditions, b.conditions)
  );
}

/** `replicas` is always written; of terminating Pods zero says something too. */
function withoutZeros(status: ReplicaStatus): ReplicaStatus {
  const { replicas, terminatingReplicas, conditions = [], ...rest } = status;
  return {
    replicas,
    ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined && value !== 0)),
    ...(terminatingReplicas === undefined ? {} : { terminatingReplicas }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

/** A failure sets the condition once and leaves it as it is while it lasts; anything else takes it away. */
function conditionsAfter({ spec, status, active, failure, now }: StatusInput): readonly ReplicaSetCondition[] {
  const conditions = status.conditions ?? [];
  const failed = conditions.some((condition) => condition.type === REPLICA_FAILURE);
  if (failure === undefined)
    return failed ? conditions.filter((condition) => condition.type !== REPLICA_FAILURE) : conditions;
  if (failed) return conditions;
  return [
    ...conditions,
    {
      type: REPLICA_FAILURE,
      status: 'True',
      lastTransitionTime: formatTime(now),
      reason: active.length < spec.replicas ? 'FailedCreate' : 'FailedDelete',
      message: describeError(failure),
    },
  ];
}

/**
 * When to look again, ms, because ready Pods become available without any event; undefined when all ready ones are.
 * At `minReadySeconds` at the latest, whatever the Pods' clocks say.
 */
export function decideRequeue(
  spec: ReplicaSpec,
  status: ReplicaStatus,
  active: readonly Pod[],
  now: number,
): number | undefined {
  if (spec.minReadySeconds <= 0 || (status.readyReplicas ?? 0) === (status.availableReplicas ?? 0)) return undefined;
  return nextAvailability(active, spec.minReadySeconds, now) ?? spec.minReadySeconds * 1000;
}

function count<T>(items: readonly T[], holds: (item: T) => boolean): number {
  return items.reduce((sum, item) => sum + (holds(item) ? 1 : 0), 0);
}
