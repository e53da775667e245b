import { type DaemonSet, type Pod, isPodAvailable, isPodReady } from '#pkg/api';
import { nextAvailability } from '#pkg/controller';

import { type Snapshot, bySchedulingAndAge, minReadySeconds } from './snapshot.ts';
import { isUpdated, templateGeneration } from './template.ts';

export type DaemonSetStatus = NonNullable<DaemonSet['status']>;

/**
 * The counts, of the first Pod of each node (`updateDaemonSetStatus`). `observed`: the spec as it is was acted on, so that
 * its generation counts as observed. Counts that are zero are left out where Go leaves them out.
 */
export function countStatus(snapshot: Snapshot, { observed }: { readonly observed: boolean }): DaemonSetStatus {
  const { daemonSet, hash, nodes, podsByNode, now } = snapshot;
  const generation = templateGeneration(daemonSet);
  const seconds = minReadySeconds(daemonSet);
  let [desired, current, misscheduled, ready, updated, available] = [0, 0, 0, 0, 0, 0];
  for (const { name, shouldRun } of nodes) {
    const pods = podsByNode.get(name);
    if (!shouldRun) {
      if (pods) misscheduled++;
      continue;
    }
    desired++;
    if (!pods) continue;
    current++;
    const pod = firstOf(pods);
    if (isPodReady(pod)) ready++;
    if (isPodAvailable(pod, seconds, now)) available++;
    if (isUpdated(pod, hash, generation)) updated++;
  }
  const { status, metadata } = daemonSet;
  const observedGeneration = observed ? metadata.generation : status?.observedGeneration;
  const {
    updatedNumberScheduled: _u,
    numberAvailable: _a,
    numberUnavailable: _n,
    observedGeneration: _o,
    ...kept
  } = status ?? {};
  return {
    ...kept,
    desiredNumberScheduled: desired,
    currentNumberScheduled: current,
    numberMisscheduled: misscheduled,
    numberReady: ready,
    ...(updated > 0 ? { updatedNumberScheduled: updated } : {}),
    ...(available > 0 ? { numberAvailable: available } : {}),
    ...(desired > available ? { numberUnavailable: desired - available } : {}),
    ...(observedGeneration ? { observedGeneration } : {}),
  };
}

function firstOf(pods: readonly Pod[]): Pod {
  return pods.length === 1 ? pods[0]! : pods.toSorted(bySchedulingAndAge)[0]!;
}

/** ms until the next Pod becomes available, which no event tells of. */
export function untilAvailable({ daemonSet, podsByNode, now }: Snapshot): number | undefined {
  const seconds = minReadySeconds(daemonSet);
  return seconds > 0 ? nextAvailability([...podsByNode.values()].flat(), seconds, now) : undefined;
}
