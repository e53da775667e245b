import { type Pod, type StatefulSet, isPodAvailable } from '#pkg/api';

import { claimNames, isClaimOwnerUpToDate, isStaleClaim } from './claims.ts';
import { identityMatches, isInRange, ordinalOf, podName, replicasOf, startOrdinal } from './identity.ts';
import { newPod, storageMatches } from './pod.ts';
import { decideUpdate } from './rolling.ts';
import {
  type Phase,
  type Plan,
  type PodRevision,
  type Slot,
  type Snapshot,
  type Step,
  hasEnded,
  isCreated,
  isRunningAndReady,
  isTerminating,
  isUnavailable,
  minReadySeconds,
} from './snapshot.ts';

/**
 * What to do now (`updateStatefulSet` in `stateful_set_control.go`): replicas first, from the lowest ordinal; then the
 * Pods that are not wanted any more, from the highest; then the update. With OrderedReady the first Pod that is not
 * available stops everything behind it, and there is one creation or deletion at a time. With Parallel nothing waits
 * but the update.
 */
export function decide(snapshot: Snapshot): Plan {
  const { set } = snapshot;
  if (set.metadata.deletionTimestamp !== undefined) return [];
  const ordered = !isParallel(set);
  const slots = slotsOf(snapshot);
  const condemned = condemnedOf(snapshot);

  const replicas = slots.map((slot) => stepsForReplica(slot, snapshot, ordered));
  if (ordered) {
    const stop = replicas.findIndex(({ blocked }) => blocked);
    if (stop >= 0)
      return phases(
        phase(
          replicas.slice(0, stop + 1).map(({ steps }) => steps),
          false,
        ),
      );
  }
  const living = phase(
    replicas.map(({ steps }) => steps),
    !ordered,
  );
  const owning = phase(
    condemned.map((pod) => stepsForClaims(pod, snapshot)),
    !ordered,
  );
  if (ordered && condemned.length > 0) {
    return phases(living, owning, phase([deleteNextCondemned(condemned, snapshot)], false));
  }
  const ending = phase(
    condemned.map((pod) => (isTerminating(pod) ? [] : [remove(pod, 'scale down')])),
    true,
  );
  const ended = new Set(
    replicas.flatMap(({ steps }) => steps.flatMap((step) => (step.kind === 'delete' ? [step.pod] : []))),
  );
  const updating = decideUpdate(slots, ended, snapshot).map((pod) => [remove(pod, 'update')]);
  return phases(living, owning, ending, phase(updating, false));
}

export function isParallel(set: StatefulSet): boolean {
  return set.spec?.podManagementPolicy === 'Parallel';
}

/** A place for each wanted ordinal, ascending. */
export function slotsOf({ set, pods }: Snapshot): readonly Slot[] {
  const byOrdinal = new Map(pods.map((pod) => [ordinalOf(pod), pod]));
  const start = startOrdinal(set);
  return Array.from({ length: replicasOf(set) }, (_, index) => ({
    ordinal: start + index,
    pod: byOrdinal.get(start + index),
  }));
}

/** Pods whose ordinals are not wanted, the highest first. */
export function condemnedOf({ set, pods }: Snapshot): readonly Pod[] {
  const outside = pods.filter((pod) => ordinalOf(pod) >= 0 && !isInRange(set, ordinalOf(pod)));
  return outside.toSorted((a, b) => ordinalOf(b) - ordinalOf(a));
}

interface ReplicaSteps {
  readonly steps: readonly Step[];
  /** With OrderedReady: nothing behind it happens now. */
  readonly blocked: boolean;
}

const remove = (pod: Pod, why: string): Step => ({ kind: 'delete', pod, why });

function stepsForReplica({ ordinal, pod }: Slot, snapshot: Snapshot, ordered: boolean): ReplicaSteps {
  const { set, now } = snapshot;
  if (!pod || !isCreated(pod)) return { steps: pod ? [] : stepsForMissing(ordinal, snapshot), blocked: true };
  // A new one is made once this one is gone.
  if (hasEnded(pod)) return { steps: isTerminating(pod) ? [] : [remove(pod, 'it has ended')], blocked: true };
  const steps: Step[] = [];
  if (pod.status?.phase === 'Pending' && lacksClaims(pod, snapshot)) steps.push({ kind: 'create-claims', pod });
  if (ordered && (isTerminating(pod) || !isRunningAndReady(pod) || !isPodAvailable(pod, minReadySeconds(set), now))) {
    return { steps, blocked: true };
  }
  const fits = identityMatches(set, pod) && storageMatches(set, pod) && claimsOwned(pod, snapshot);
  if (!fits) steps.push({ kind: 'repair', pod });
  return { steps, blocked: false };
}

/** None while a claim is still there that will go with an earlier Pod. */
function stepsForMissing(ordinal: number, snapshot: Snapshot): readonly Step[] {
  const { set, claim } = snapshot;
  const owner = { metadata: { name: podName(set, ordinal) } };
  const stale = claimNames(set, ordinal).some((name) => {
    const found = claim(name);
    return found !== undefined && isStaleClaim(found, set, owner);
  });
  if (stale) return [];
  const { name, template } = revisionFor(ordinal, snapshot);
  return [{ kind: 'create', ordinal, pod: newPod(set, ordinal, template, name) }];
}

/**
 * Of which revision a new Pod is: below the partition of the current one. Without a partition in the spec, which is of
 * objects older than its default, as many Pods are of the current one as the status says there were.
 */
export function revisionFor(ordinal: number, { set, current, update }: Snapshot): PodRevision {
  const strategy = set.spec?.updateStrategy;
  const index = ordinal - startOrdinal(set);
  if (strategy?.rollingUpdate) return index < (strategy.rollingUpdate.partition ?? 0) ? current : update;
  return strategy?.type === 'RollingUpdate' && index < (set.status?.currentReplicas ?? 0) ? current : update;
}

function lacksClaims(pod: Pod, { set, claim }: Snapshot): boolean {
  return claimNames(set, ordinalOf(pod)).some((name) => {
    const found = claim(name);
    return !found || found.metadata.deletionTimestamp !== undefined || !isClaimOwnerUpToDate(found, set, pod);
  });
}

/** A claim that is not there yet has no wrong owner. */
function claimsOwned(pod: Pod, { set, claim }: Snapshot): boolean {
  return claimNames(set, ordinalOf(pod)).every((name) => {
    const found = claim(name);
    return !found || isClaimOwnerUpToDate(found, set, pod);
  });
}

function stepsForClaims(pod: Pod, snapshot: Snapshot): readonly Step[] {
  return claimsOwned(pod, snapshot) ? [] : [{ kind: 'own-claims', pod }];
}

/**
 * The highest Pod goes, after the one before it is gone. While it is not available only the lowest that is not available
 * goes first: others wait for it to recover.
 */
function deleteNextCondemned(condemned: readonly Pod[], { set, now }: Snapshot): readonly Step[] {
  const target = condemned[0]!;
  if (isTerminating(target)) return [];
  const firstUnavailable = condemned.findLast((pod) => isUnavailable(pod, set, now));
  const fit = isRunningAndReady(target) && isPodAvailable(target, minReadySeconds(set), now);
  return fit || target === firstUnavailable ? [remove(target, 'scale down')] : [];
}

/** Without Pods that need nothing. */
function phase(steps: readonly (readonly Step[])[], parallel: boolean): Phase {
  return { steps: steps.filter((one) => one.length > 0), parallel };
}

function phases(...all: readonly Phase[]): Plan {
  return all.filter(({ steps }) => steps.length > 0);
}
