import { type Job, type Pod, isControlledBy, keyOf, resources } from '#pkg/api';
import type { Lister } from '#pkg/cache';
import { type ControllerContext, type Owners, claim, dependentsOf, orphansFor, withFinalizer } from '#pkg/controller';

import { TRACKING_FINALIZER } from './facts.ts';
import type { GangScheduling } from './gang.ts';
import type { JobGates } from './gates.ts';
import type { JobMemory } from './memory.ts';
import type { Snapshot } from './snapshot.ts';

export interface Gathering {
  readonly context: Pick<ControllerContext, 'client' | 'clock' | 'log'>;
  readonly jobs: Owners<Job>;
  readonly pods: Lister<Pod>;
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
  const complete = memory.expectations.satisfied(key);
  const released = memory.releasedPods(key);
  const pods = await claimPods(job, gathering, signal);
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

async function claimPods(
  job: Job,
  { context, jobs, pods, memory }: Gathering,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const { uid, namespace = '' } = job.metadata;
  const claimed = await claim({
    owner: job,
    ownerType: resources.jobs,
    type: resources.pods,
    selector: jobs.selectorOf(job),
    candidates: [...dependentsOf(pods, uid), ...orphansFor(pods, namespace, job.spec?.selector)],
    finalizers: [TRACKING_FINALIZER],
    ownerClient: context.client.resource(resources.jobs),
    client: context.client.resource(resources.pods),
    wrote: ({ metadata }) => memory.consistency?.wroteAt(keyOf(job), uid, resources.pods, metadata.resourceVersion),
    log: context.log,
    signal,
  });
  // Adoption gave them the finalizer, which the cache does not show yet.
  return claimed.map((pod) => (isControlledBy(pod, job) ? pod : withFinalizer(pod, TRACKING_FINALIZER)));
}
