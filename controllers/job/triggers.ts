import { type Job, type Pod, controllerOf, keyOf, resources } from '#pkg/api';
import { type Clock, parseTime, semanticEqual } from '#pkg/base';
import { type Enqueue, type OwnedPods, type Owners, type Trigger, on } from '#pkg/controller';
import type { Logger } from '#pkg/log';

import { isFinished, isTracked } from './facts.ts';
import type { JobGates } from './gates.ts';
import type { JobMemory } from './memory.ts';
import type { JobMetrics } from './metrics.ts';

/** How long changes of Pods and of the status are gathered before a Job is looked at, ms (`SyncJobBatchPeriod`). */
const BATCH = 1000;

export interface TriggerParts {
  readonly jobs: Pick<Owners<Job>, 'controllerOf' | 'matching'>;
  readonly pods: Pick<OwnedPods<Job>, 'expectations'>;
  readonly memory: JobMemory;
  readonly gates: Pick<JobGates, 'otherManager'>;
  readonly metrics: JobMetrics;
  readonly clock: Clock;
  readonly log: Logger;
}

const soon = (job: Job): Enqueue => ({ key: keyOf(job), after: BATCH });

/** A Job that is new, gone, or asks for something else is looked at at once; one whose status changed, with its Pods' changes. */
export function jobChanges({ memory, metrics, gates, clock }: TriggerParts): Trigger<Job> {
  return on<Job>(
    resources.jobs,
    {
      add(job) {
        const other = gates.otherManager(job);
        if (other !== undefined) metrics.managedByOther(other);
        return [keyOf(job)];
      },
      update(old, job) {
        if (isFinished(job)) {
          memory.readFinished(job);
          return [];
        }
        const wake = old.metadata.generation === job.metadata.generation ? soon(job) : keyOf(job);
        return [wake, ...atDeadline(old, job, clock.now())];
      },
      delete(job) {
        memory.forget(job);
        return [keyOf(job)];
      },
    },
    { resync: true },
  );
}

/** A deadline that was set while the Job runs wakes nobody by itself. */
function atDeadline(old: Job, job: Job, now: number): readonly Enqueue[] {
  const seconds = job.spec?.activeDeadlineSeconds;
  const started = parseTime(job.status?.startTime);
  if (seconds === undefined || seconds === old.spec?.activeDeadlineSeconds || Number.isNaN(started)) return [];
  return [{ key: keyOf(job), after: Math.max(0, started + seconds * 1000 - now) }];
}

/**
 * Changes of a Pod wake the Job it names or, for an orphan that is new or whose labels or owner changed, the Jobs that
 * select it. What was expected of the Pod (to come, to go, to lose its finalizer) is crossed off first.
 */
export function podChanges({ jobs, pods, memory, metrics, log }: TriggerParts): Trigger<Pod> {
  function selecting(orphan: Pod): readonly Enqueue[] {
    const matching = jobs.matching(orphan);
    if (matching.length > 1)
      log.error('More than one Job selects a Pod', undefined, { pod: keyOf(orphan), jobs: matching.map(keyOf) });
    return matching.map(soon);
  }

  function gone(pod: Pod, final: boolean): readonly Enqueue[] {
    const job = jobs.controllerOf(pod);
    // A finished Job releases nothing any more: that is the orphans' business.
    if (!job || isFinished(job)) return [];
    pods.expectations.deletionObserved(keyOf(job), pod.metadata.uid);
    if (final || !isTracked(pod)) memory.releaseObserved(keyOf(job), pod.metadata.uid);
    return [soon(job)];
  }

  return on<Pod>(resources.pods, {
    add(pod) {
      metrics.podChanged(undefined, pod);
      if (pod.metadata.deletionTimestamp !== undefined) return gone(pod, false);
      if (!controllerOf(pod)) return selecting(pod);
      const job = jobs.controllerOf(pod);
      if (!job) return [];
      pods.expectations.creationObserved(keyOf(job));
      return [soon(job)];
    },
    update(old, pod) {
      metrics.podChanged(old, pod);
      if (pod.metadata.deletionTimestamp !== undefined) return gone(pod, false);
      const ownerChanged = !semanticEqual(controllerOf(old), controllerOf(pod));
      const owners = [ownerChanged ? jobs.controllerOf(old) : undefined, jobs.controllerOf(pod)].filter(
        (job) => job !== undefined,
      );
      if (!isTracked(pod)) for (const job of owners) memory.releaseObserved(keyOf(job), pod.metadata.uid);
      const labelsChanged = !semanticEqual(old.metadata.labels ?? {}, pod.metadata.labels ?? {});
      const orphaned = !controllerOf(pod) && (labelsChanged || ownerChanged);
      return [...owners.map(soon), ...(orphaned ? selecting(pod) : [])];
    },
    delete(pod) {
      metrics.podChanged(pod, undefined);
      return gone(pod, true);
    },
  });
}
