import { ownValue } from '#pkg/base';
import type { PodDisruptionBudget } from '#pkg/api';

import type { BudgetStatus } from './snapshot.ts';

/** A status that may wait is written after this long at the latest, ms: Pods become ready one after the other. */
export const PATIENCE = 500;

/**
 * Whether the status may wait for the next one: what stands there is no less strict with evictions. A new generation and
 * the end of a failure are told at once; so is that an eviction is done, for its Pod may have a successor of its name.
 */
export function mayWait({ metadata, status: before }: PodDisruptionBudget, after: BudgetStatus): boolean {
  if (!before || before.observedGeneration !== metadata.generation) return false;
  const verdict = before.conditions?.find(({ type }) => type === 'DisruptionAllowed');
  if (!verdict || verdict.reason === 'SyncFailed') return false;
  const listed = Object.keys(before.disruptedPods ?? {});
  if (listed.some((name) => ownValue(after.disruptedPods, name) === undefined)) return false;
  return (
    (before.disruptionsAllowed ?? 0) <= (after.disruptionsAllowed ?? 0) &&
    (!letsUnreadyGo(before) || letsUnreadyGo(after))
  );
}

/** Of Pods that are not ready the API server lets go while the others are enough. */
function letsUnreadyGo({ currentHealthy = 0, desiredHealthy = 0 }: BudgetStatus): boolean {
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy;
}
