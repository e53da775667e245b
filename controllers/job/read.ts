import { type Job, type Pod, isControlledBy, keyOf } from '#pkg/api';
import { type ControllerContext, type OwnedPods, type Ownership, withFinalizer } from '#pkg/controller';

import { TRACKING_FINALIZER } from './facts.ts';
import type { GangScheduling } from './gang.ts';
import type { JobGates } from './gates.ts';
import type { JobMemory } from './memory.ts';
import type { Snapshot } from './snapshot.ts';

export interface Gathering {
  readonly context: Pick<ControllerContext, 'clock'>;
  readonly jobs: Ownership<Job>;
  readonly pods: OwnedPods<Job>;
  readonly memory: JobMemory;
  readonly gates: JobGates;
  /** Where its gate is enabled. */
  readonly gangs: GangScheduling | undefined;
}

/** Reads all that the Job is decided by; adopts and releases Pods on the way, and makes their group. */
export async function gather(job: Job, gathering: Gathering, signal: AbortSignal): Promise<Snapshot> {
  const { context, memory, gangs, gates } = gathering;
  const key = keyOf(job);
  // Before the Pods are read: one that comes in between is then not counted, which the next sync makes good.
  const complete = gathering.pods.expectations.satisfied(key);
  const released = memory.releasedPods(key);
  const pods = await claimPods(job, gathering.pods, signal);
  // Before any Pod: they name the group.
  const podGroup = await gangs?.groupOf(job, pods, signal);
  const snapshot = {
    job: gates.visible(job),
    gates,
    pods,
    released,
    complete,
    backoff: memory.backoffs.get(key),
    now: context.clock.now(),
  };
  return podGroup === undefined ? snapshot : { ...snapshot, podGroup };
}

/** Adoption gives Pods the finalizer, which the cache does not show yet. */
async function claimPods(job: Job, pods: OwnedPods<Job>, signal: AbortSignal): Promise<readonly Pod[]> {
  const claimed = await pods.claim(job, signal);
  return claimed.map((pod) => (isControlledBy(pod, job) ? pod : withFinalizer(pod, TRACKING_FINALIZER)));
}
