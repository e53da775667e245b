import { type Pod, type StatefulSet, isPodAvailable } from '#pkg/api';
import { nextAvailability } from '#pkg/controller';

import { podRevision, replicasOf } from './identity.ts';
import { type Revisions, isCreated, isRunningAndReady, isTerminating, minReadySeconds } from './snapshot.ts';

export type StatefulSetStatus = NonNullable<StatefulSet['status']>;

/** The status that these Pods make (`computeReplicaStatus` and `completeRollingUpdate` in `stateful_set_control.go`). */
export function statusOf(set: StatefulSet, pods: readonly Pod[], revisions: Revisions, now: number): StatefulSetStatus {
  const { current, update, collisionCount } = revisions;
  const created = pods.filter(isCreated);
  const staying = created.filter((pod) => !isTerminating(pod));
  const ready = pods.filter(isRunningAndReady);
  const ofRevision = (name: string): number => staying.filter((pod) => podRevision(pod) === name).length;
  const counts = {
    replicas: created.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, minReadySeconds(set), now)).length,
    updatedReplicas: ofRevision(update.metadata.name),
  };
  const wanted = replicasOf(set);
  const complete =
    set.spec?.updateStrategy?.type === 'RollingUpdate' &&
    counts.updatedReplicas === wanted &&
    counts.readyReplicas === wanted &&
    counts.replicas === wanted;
  return {
    observedGeneration: set.metadata.generation ?? 0,
    ...counts,
    currentReplicas: complete ? counts.updatedReplicas : ofRevision(current.metadata.name),
    currentRevision: complete ? update.metadata.name : current.metadata.name,
    updateRevision: update.metadata.name,
    collisionCount,
  };
}

const COUNTS = ['replicas', 'readyReplicas', 'availableReplicas', 'currentReplicas', 'updatedReplicas'] as const;
const REVISIONS = ['currentRevision', 'updateRevision'] as const;

/** Whether the status says anything that does not stand there yet. A collision count alone is no news. */
export function isNews(status: StatefulSetStatus, before: Partial<StatefulSetStatus> = {}): boolean {
  return (
    (status.observedGeneration ?? 0) > (before.observedGeneration ?? 0) ||
    COUNTS.some((name) => (status[name] ?? 0) !== (before[name] ?? 0)) ||
    REVISIONS.some((name) => (status[name] ?? '') !== (before[name] ?? ''))
  );
}

/** When to look again, ms, as Pods become available without any event; undefined when all that are ready are. */
export function decideRequeue(
  set: StatefulSet,
  status: StatefulSetStatus,
  pods: readonly Pod[],
  now: number,
): number | undefined {
  const seconds = minReadySeconds(set);
  if (seconds <= 0 || status.readyReplicas === status.availableReplicas) return undefined;
  return nextAvailability(pods, seconds, now) ?? seconds * 1000;
}
