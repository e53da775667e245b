import type { DeploymentCondition, DeploymentStatus } from '#pkg/api';
import { semanticEqual } from '#pkg/base';

import { type Draft, type Plan, type Rollout, type Snapshot, allReplicaSets, draftOf } from './snapshot.ts';
import { isComplete } from './status.ts';

/** A status that may wait is written after this long at the latest, ms, whatever comes or does not come. */
export const PATIENCE = 1000;

/**
 * Whether the status may wait for the next one: only counts have changed, and they are on their way to where they shall be,
 * so that others follow. Conditions, the observed generation and the end of a rollout never wait, nor does what nobody
 * asked for: that Pods are no longer ready.
 */
export function mayWait(snapshot: Snapshot, rollout: Rollout, { steps, draft }: Plan): boolean {
  const { deployment } = snapshot;
  const before = draftOf(deployment);
  if (semanticEqual(before.status, draft.status) || !sameButCounts(before, draft)) return false;
  if (isComplete(deployment, draft.status) && !isComplete(deployment, before.status)) return false;
  const resizing = steps.some(({ kind }) => kind === 'update') || allReplicaSets(rollout).some(isBehind);
  return resizing || !losesPods(before.status, draft.status);
}

function isBehind({ metadata, status }: Rollout['oldReplicaSets'][number]): boolean {
  return (status?.observedGeneration ?? 0) < (metadata.generation ?? 0);
}

/** Fewer are ready or available, and not because there are fewer. */
function losesPods(before: DeploymentStatus, after: DeploymentStatus): boolean {
  return (['readyReplicas', 'availableReplicas'] as const).some((name) => {
    const missing = (status: DeploymentStatus): number => (status.replicas ?? 0) - (status[name] ?? 0);
    return (after[name] ?? 0) < (before[name] ?? 0) && missing(after) > missing(before);
  });
}

/** But for counts, and for when conditions were last confirmed. */
function sameButCounts(before: Draft, after: Draft): boolean {
  return semanticEqual(before.annotations, after.annotations) && semanticEqual(withoutCounts(before.status), withoutCounts(after.status));
}

function withoutCounts({ observedGeneration, collisionCount, conditions = [] }: DeploymentStatus): object {
  const timeless = conditions.map((condition: DeploymentCondition) => ({ ...condition, lastUpdateTime: undefined }));
  return { observedGeneration, collisionCount, conditions: timeless.toSorted((a, b) => (a.type < b.type ? -1 : 1)) };
}
