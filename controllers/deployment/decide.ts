import { ownValue } from '#pkg/base';
import type { NewObject, ReplicaSet } from '#pkg/api';

import { maxRevision, newReplicaSetAnnotations, REVISION, revisionOf } from './annotations.ts';
import { conditionOf, newCondition, setCondition } from './conditions.ts';
import { endOld, oldPodsRunning, startNew } from './recreate.ts';
import { rollbackTarget } from './rollback.ts';
import { rollingUpdate } from './rolling.ts';
import { isScalingEvent, scale } from './scale.ts';
import { type Draft, type Plan, type Rollout, type Snapshot, type Step, draftOf } from './snapshot.ts';
import {
  countStatus,
  hasProgressDeadline,
  hasRevisionHistoryLimit,
  isComplete,
  nextProgressCheck,
  rolloutStatus,
} from './status.ts';
import { newReplicaSetFor, sameTemplate } from './template.ts';

/** What a reconcile of this state is about; the first that fits, in this order. */
export type Mode = 'deleting' | 'paused' | 'rollback' | 'scaling' | 'recreate' | 'rolling';

/** Finds the new ReplicaSet among the old. Of several with the Deployment's template the oldest is it. */
export function rolloutOf({ deployment, replicaSets }: Snapshot): Rollout {
  const newReplicaSet = replicaSets.find((replicaSet) =>
    sameTemplate(replicaSet.spec?.template, deployment.spec?.template),
  );
  return { newReplicaSet, oldReplicaSets: replicaSets.filter((replicaSet) => replicaSet !== newReplicaSet) };
}

/** Throws a RangeError for a strategy that is not known. */
export function modeOf({ deployment }: Snapshot, rollout: Rollout): Mode {
  if (deployment.metadata.deletionTimestamp !== undefined) return 'deleting';
  if (deployment.spec?.paused) return 'paused';
  if (rollbackTarget(deployment) !== undefined) return 'rollback';
  if (isScalingEvent(deployment, rollout)) return 'scaling';
  const strategy = deployment.spec?.strategy?.type;
  if (strategy === 'Recreate') return 'recreate';
  if (strategy === 'RollingUpdate') return 'rolling';
  throw new RangeError(`unexpected deployment strategy type: ${strategy}`);
}

/** What must be written for the new ReplicaSet before anything else can be decided. */
export type NewReplicaSet =
  | { readonly kind: 'keep' }
  | { readonly kind: 'update'; readonly after: ReplicaSet }
  | { readonly kind: 'create'; readonly object: NewObject<ReplicaSet>; readonly revision: bigint };

/** Keeps the new ReplicaSet's annotations and minReadySeconds in step, or has it created where the mode wants it. */
export function decideNewReplicaSet(snapshot: Snapshot, rollout: Rollout, mode: Mode): NewReplicaSet {
  const { deployment } = snapshot;
  const { newReplicaSet, oldReplicaSets } = rollout;
  const revision = BigInt.asIntN(64, maxRevision(oldReplicaSets) + 1n);
  if (!newReplicaSet) {
    if (!mayCreate(snapshot, rollout, mode)) return { kind: 'keep' };
    return { kind: 'create', object: newReplicaSetFor(deployment, oldReplicaSets, revision), revision };
  }
  const current = newReplicaSet.metadata.annotations ?? {};
  const annotations = newReplicaSetAnnotations(deployment, current, revision);
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
  const changed = Object.entries(annotations).some(([key, value]) => ownValue(current, key) !== value);
  if (!changed && (newReplicaSet.spec?.minReadySeconds ?? 0) === minReadySeconds) return { kind: 'keep' };
  return {
    kind: 'update',
    after: {
      ...newReplicaSet,
      metadata: { ...newReplicaSet.metadata, annotations },
      spec: { ...newReplicaSet.spec!, minReadySeconds },
    },
  };
}

function mayCreate(snapshot: Snapshot, rollout: Rollout, mode: Mode): boolean {
  if (mode === 'recreate') return endOld(snapshot, rollout).length === 0 && !oldPodsRunning(snapshot, rollout);
  return mode === 'rolling' || mode === 'rollback';
}

/** The Deployment's own record so far: that it was paused or resumed, and which revision it is at. */
export function draftWith(
  snapshot: Snapshot,
  newReplicaSet: ReplicaSet | undefined,
  created: boolean,
  mode: Mode,
): Draft {
  const draft = mode === 'deleting' ? draftOf(snapshot.deployment) : withPaused(snapshot, draftOf(snapshot.deployment));
  if (!newReplicaSet) return draft;
  const { deployment, now } = snapshot;
  const revision = newReplicaSet.metadata.annotations?.[REVISION] ?? '';
  const annotations =
    draft.annotations[REVISION] === revision ? draft.annotations : { ...draft.annotations, [REVISION]: revision };
  if (!hasProgressDeadline(deployment)) return { ...draft, annotations };
  const { name } = newReplicaSet.metadata;
  if (created) {
    const condition = newCondition(
      'Progressing',
      'True',
      'NewReplicaSetCreated',
      `Created new replica set "${name}"`,
      now,
    );
    return { annotations, status: setCondition(draft.status, condition) };
  }
  if (conditionOf(draft.status, 'Progressing')) return { ...draft, annotations };
  const condition = newCondition('Progressing', 'True', 'FoundNewReplicaSet', `Found new replica set "${name}"`, now);
  return { annotations, status: setCondition(draft.status, condition) };
}

/** Tells of a pause and its end, so that the time paused is not held against the progress deadline. */
function withPaused({ deployment, now }: Snapshot, draft: Draft): Draft {
  if (!hasProgressDeadline(deployment)) return draft;
  const current = conditionOf(draft.status, 'Progressing');
  if (current?.reason === 'ProgressDeadlineExceeded') return draft;
  const known = current?.reason === 'DeploymentPaused';
  const paused = deployment.spec?.paused === true;
  if (paused === known) return draft;
  const condition = paused
    ? newCondition('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', now)
    : newCondition('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed', now);
  return { ...draft, status: setCondition(draft.status, condition) };
}

/** The writes to ReplicaSets that come next, and the status that tells of them. Not for the mode `rollback`. */
export function decide(snapshot: Snapshot, rollout: Rollout, mode: Exclude<Mode, 'rollback'>, draft: Draft): Plan {
  const counted = (steps: readonly Step[]): Plan => ({
    steps,
    draft: { ...draft, status: countStatus(snapshot, rollout, draft) },
  });
  switch (mode) {
    case 'deleting':
      return counted([]);
    case 'scaling':
      return counted(scale(snapshot.deployment, rollout));
    case 'paused': {
      const rollingBack = rollbackTarget(snapshot.deployment) !== undefined;
      return counted([...scale(snapshot.deployment, rollout), ...(rollingBack ? [] : cleanUp(snapshot, rollout))]);
    }
    case 'recreate':
      return moving(snapshot, rollout, draft, recreate(snapshot, rollout));
    case 'rolling': {
      const steps = rollingUpdate(snapshot.deployment, rollout);
      return moving(snapshot, rollout, draft, steps.length > 0 ? steps : cleanUpIfComplete(snapshot, rollout));
    }
  }
}

function recreate(snapshot: Snapshot, rollout: Rollout): Step[] {
  const ending = endOld(snapshot, rollout);
  if (ending.length > 0 || oldPodsRunning(snapshot, rollout)) return ending;
  return [...startNew(snapshot, rollout), ...cleanUpIfComplete(snapshot, rollout)];
}

function moving(snapshot: Snapshot, rollout: Rollout, draft: Draft, steps: readonly Step[]): Plan {
  const status = rolloutStatus(snapshot, rollout, draft);
  const requeueAfter = nextProgressCheck(snapshot, status);
  return { steps, draft: { ...draft, status }, ...(requeueAfter === undefined ? {} : { requeueAfter }) };
}

function cleanUpIfComplete(snapshot: Snapshot, rollout: Rollout): Step[] {
  const { deployment } = snapshot;
  return isComplete(deployment, deployment.status ?? {}) ? cleanUp(snapshot, rollout) : [];
}

/** Deletes the oldest old ReplicaSets beyond the history limit, but only those that are empty and say so. */
function cleanUp({ deployment }: Snapshot, { oldReplicaSets }: Rollout): Step[] {
  if (!hasRevisionHistoryLimit(deployment)) return [];
  const alive = oldReplicaSets.filter((replicaSet) => replicaSet.metadata.deletionTimestamp === undefined);
  const surplus = alive.length - deployment.spec!.revisionHistoryLimit!;
  if (surplus <= 0) return [];
  // The sort is stable and the list is oldest first, so equal revisions go by age.
  const byRevision = alive.toSorted((a, b) => Number((revisionOf(a) ?? 0n) - (revisionOf(b) ?? 0n)));
  return byRevision
    .slice(0, surplus)
    .filter(isEmpty)
    .map((replicaSet): Step => ({ kind: 'delete', replicaSet }));
}

function isEmpty({ spec, status, metadata }: ReplicaSet): boolean {
  const observed = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0);
  return observed && (status?.replicas ?? 0) === 0 && spec?.replicas === 0;
}
