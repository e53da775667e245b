import type { DeploymentCondition, DeploymentStatus, ObjectKey } from '#pkg/api';
import { semanticEqual } from '#pkg/base';

import { type Draft, type Plan, type Rollout, type Snapshot, allReplicaSets, draftOf } from './snapshot.ts';
import { isComplete } from './status.ts';

/** A status that may wait is written after this long at the latest, ms, whatever comes or does not come. */
const PATIENCE = 1000;

/**
 * Whether the status may wait for the next one: a ReplicaSet was resized and has not answered yet, so that its answer
 * brings the next status within milliseconds, and only counts have changed. Conditions, the observed generation and the
 * end of a rollout never wait.
 */
export function mayWait(snapshot: Snapshot, rollout: Rollout, { steps, draft }: Plan): boolean {
  const { deployment } = snapshot;
  const before = draftOf(deployment);
  if (isComplete(deployment, draft.status) || semanticEqual(before.status, draft.status) || !sameButCounts(before, draft)) return false;
  return steps.some(({ kind }) => kind === 'update') || allReplicaSets(rollout).some(isBehind);
}

function isBehind({ metadata, status }: Rollout['oldReplicaSets'][number]): boolean {
  return (status?.observedGeneration ?? 0) < (metadata.generation ?? 0);
}

/** But for counts, and for when conditions were last confirmed. */
function sameButCounts(before: Draft, after: Draft): boolean {
  return semanticEqual(before.annotations, after.annotations) && semanticEqual(withoutCounts(before.status), withoutCounts(after.status));
}

function withoutCounts({ observedGeneration, collisionCount, conditions = [] }: DeploymentStatus): object {
  const timeless = conditions.map((condition: DeploymentCondition) => ({ ...condition, lastUpdateTime: undefined }));
  return { observedGeneration, collisionCount, conditions: timeless.toSorted((a, b) => (a.type < b.type ? -1 : 1)) };
}

/** Since when the status of each Deployment has been put off. */
export class PutOffs {
  readonly #since = new Map<ObjectKey, number>();

  /** How much longer the status may wait, ms, from the first time it was put off; `now` is monotonic. */
  left(key: ObjectKey, now: number): number {
    const since = this.#since.get(key) ?? now;
    this.#since.set(key, since);
    return Math.max(0, since + PATIENCE - now);
  }

  /** It was written, or there is nothing to write. */
  end(key: ObjectKey): void {
    this.#since.delete(key);
  }
}
