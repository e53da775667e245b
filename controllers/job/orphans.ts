import {
  type Job,
  type ObjectKey,
  type Pod,
  type ResourceType,
  apiVersionOf,
  controllerOf,
  keyOf,
  resources,
} from '#pkg/api';
import { ignoreNotFound } from '#pkg/client';
import {
  type Controller,
  type ControllerContext,
  type Enqueue,
  type OwnedPods,
  type Ownership,
  createLoop,
  on,
  removeFinalizerPatch,
} from '#pkg/controller';
import type { RateLimiter } from '#pkg/workqueue';

import { TRACKING_FINALIZER, isFinished, isTracked } from './facts.ts';
import type { JobGates } from './gates.ts';

/** The Pods that a Job released last may still be on their way to the cache when it is seen to have finished, ms. */
const AFTER_FINISH = 1000;

export interface OrphanParts {
  readonly context: ControllerContext;
  readonly jobs: Ownership<Job>;
  readonly pods: OwnedPods<Job>;
  readonly gates: Pick<JobGates, 'otherManager'>;
  readonly workers: number;
  readonly rateLimiter: RateLimiter<ObjectKey>;
}

/**
 * Takes the tracking finalizer off Pods that no Job will count: without Job, or left over by one that has finished.
 * Otherwise they could never be deleted (`syncOrphanPod` in `pkg/controller/job/job_controller.go`).
 */
export function createOrphanLoop(parts: OrphanParts): Controller {
  const { context, jobs, pods, workers, rateLimiter } = parts;

  /** On its way out, and no sync of its Job will release it. */
  function going(pod: Pod): readonly Enqueue[] {
    if (!isTracked(pod)) return [];
    const job = jobs.controllerOf(pod);
    return !job || isFinished(job) ? [keyOf(pod)] : [];
  }

  function seen(pod: Pod): readonly Enqueue[] {
    if (pod.metadata.deletionTimestamp !== undefined) return going(pod);
    if (!isTracked(pod)) return [];
    if (!controllerOf(pod)) return [keyOf(pod)];
    // One too many, made from a cache that was behind: it was not there yet when its Job finished.
    const job = jobs.controllerOf(pod);
    return job && isFinished(job) ? [later(keyOf(pod))] : [];
  }

  function leftBy(job: Job): readonly ObjectKey[] {
    return [...pods.of(job), ...pods.orphansOf(job)].filter(isTracked).map(keyOf);
  }

  return createLoop(context, {
    queue: 'job_orphan_pod',
    resource: resources.pods,
    workers,
    rateLimiter,
    triggers: [
      on(resources.pods, { add: seen, update: (_old, pod) => seen(pod) }),
      on(
        resources.jobs,
        { update: (_old, job) => (isFinished(job) ? leftBy(job).map(later) : []), delete: leftBy },
        { resync: true },
      ),
    ],
    reconcile: (key, signal) => releaseOrphan(parts, key, signal),
  });
}

const later = (key: ObjectKey): Enqueue => ({ key, after: AFTER_FINISH });

async function releaseOrphan(
  { context, jobs, pods, gates }: OrphanParts,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<{ readonly requeueAfter: number } | undefined> {
  const pod = pods.lister.get(key);
  if (!pod || !isTracked(pod)) return undefined;
  const job = jobs.controllerOf(pod);
  if (controllerOf(pod) && !isManagedBy(pod, resources.jobs)) return undefined;
  if (job && (gates.otherManager(job) !== undefined || !isFinished(job))) return undefined;
  // The Job's own last release of it is still on its way here.
  if (job && jobs.consistency?.ensureReady(keyOf(job))) return { requeueAfter: AFTER_FINISH };
  const body = removeFinalizerPatch(pod, TRACKING_FINALIZER);
  const patch = job
    ? pods.patch(job, pod.metadata, 'strategic', body, { signal })
    : context.client.resource(resources.pods).patch(pod.metadata, 'strategic', body, { signal });
  await ignoreNotFound(patch);
  return undefined;
}

function isManagedBy(pod: Pod, type: ResourceType): boolean {
  const controller = controllerOf(pod);
  return controller?.kind === type.kind && controller.apiVersion === apiVersionOf(type);
}
