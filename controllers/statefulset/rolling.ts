import { type Pod, type StatefulSet, scaledValue } from '#pkg/api';

import { podRevision, replicasOf } from './identity.ts';
import { type Slot, type Snapshot, isTerminating, isUnavailable } from './snapshot.ts';

/**
 * Which Pods to delete so that they come back at the update's revision, the highest ordinal first and none below the
 * partition. `ended`: Pods that this sync deletes already.
 */
export function decideUpdate(slots: readonly Slot[], ended: ReadonlySet<Pod>, snapshot: Snapshot): readonly Pod[] {
  const { set, update, now, countUnavailable } = snapshot;
  if (set.spec?.updateStrategy?.type === 'OnDelete') return [];
  const unavailable = ({ pod }: Slot): boolean => isUnavailable(pod, set, now) || ended.has(pod!);
  const outdated = ({ pod }: Slot): readonly Pod[] =>
    pod && podRevision(pod) !== update.name && !isTerminating(pod) && !ended.has(pod) ? [pod] : [];
  const targets = slots.slice(set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0).toReversed();
  if (!countUnavailable) {
    // One at a time: the first that is outdated, once all above it are up to date and available.
    const next = targets.find((slot) => outdated(slot).length > 0 || unavailable(slot));
    return next ? outdated(next) : [];
  }
  const budget = maxUnavailable(set) - slots.filter(unavailable).length;
  return budget > 0 ? targets.flatMap(outdated).slice(0, budget) : [];
}

/** At least one: a percentage is rounded down (`getStatefulSetMaxUnavailable`, KEP-961). */
export function maxUnavailable(set: StatefulSet): number {
  const value = set.spec?.updateStrategy?.rollingUpdate?.maxUnavailable;
  return Math.max(1, scaledValue(value ?? 1, replicasOf(set), 'down'));
}
