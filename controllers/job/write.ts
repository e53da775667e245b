import { type Job, type NewObject, type Pod, isNamespaceTerminating, isNotFound, keyOf, resources } from '#pkg/api';
import type { ResourceClient } from '#pkg/client';
import {
  type ControllerContext,
  PodControl,
  aggregate,
  inParallel,
  removeFinalizerPatch,
  slowStart,
} from '#pkg/controller';

import { TRACKING_FINALIZER, type JobStatus, isTracked } from './facts.ts';
import type { JobMemory } from './memory.ts';

export interface Deletion {
  /** Those that are gone, or on their way. */
  readonly deleted: readonly Pod[];
  readonly failure?: unknown;
}

export interface Creation {
  readonly created: number;
  readonly failed: number;
  readonly failure?: unknown;
}

/** The requests on behalf of Jobs. Failures of single Pods are answers: what was done must still be told in the status. */
export class Writer {
  readonly #memory: JobMemory;
  readonly #podControl: PodControl<Job>;
  readonly #pods: ResourceClient<Pod>;
  readonly #jobs: ResourceClient<Job>;
  readonly #log: ControllerContext['log'];

  constructor(context: Pick<ControllerContext, 'client' | 'recorder' | 'log'>, memory: JobMemory) {
    this.#memory = memory;
    this.#log = context.log;
    this.#pods = context.client.resource(resources.pods);
    this.#jobs = context.client.resource(resources.jobs);
    this.#podControl = new PodControl<Job>(context, {
      ownerType: resources.jobs,
      wrote: (job, pod) => this.#wrotePod(job, pod),
    });
  }

  /** Deletes Pods that are still to be counted: they keep the finalizer. */
  endPods(job: Job, pods: readonly Pod[], signal: AbortSignal): Promise<Deletion> {
    return this.#each(pods, (pod) => this.#delete(job, pod, signal));
  }

  /** Deletes Pods that nobody will count, and expects to see it. */
  removePods(job: Job, pods: readonly Pod[], signal: AbortSignal): Promise<Deletion> {
    const { expectations } = this.#memory;
    const key = keyOf(job);
    expectations.expectDeletions(
      key,
      pods.map((pod) => pod.metadata.uid),
    );
    return this.#each(pods, async (pod) => {
      try {
        // First, so that it is gone with the deletion.
        const there = !isTracked(pod) || (await this.#removeFinalizer(job, pod, signal));
        if (!there || !(await this.#delete(job, pod, signal))) expectations.deletionObserved(key, pod.metadata.uid);
      } catch (error) {
        expectations.deletionObserved(key, pod.metadata.uid);
        throw error;
      }
    });
  }

  async createPods(job: Job, pods: readonly NewObject<Pod>[], signal: AbortSignal): Promise<Creation> {
    const { expectations } = this.#memory;
    const key = keyOf(job);
    expectations.expectCreations(key, pods.length);
    let next = 0;
    const { successes, errors } = await slowStart(pods.length, async () => {
      await this.#podControl.createPod(job, pods[next++]!, signal);
    });
    const failure = errors.find((error) => !isNamespaceTerminating(error));
    // In a namespace that goes away every creation fails: the expectations stay, so that none is tried again for minutes.
    if (errors.length > 0 && failure === undefined) return { created: successes, failed: 0 };
    if (successes < pods.length) {
      this.#log
        .v(2)
        ?.info('Slow start failed, the rest is left for the next sync', { job: key, skipped: pods.length - next });
      expectations.creationObserved(key, pods.length - successes);
    }
    return { created: successes, failed: errors.length, ...(failure === undefined ? {} : { failure }) };
  }

  /** Takes the tracking finalizer off Pods whose end is noted; answers the UIDs of those that are without it. */
  async releasePods(
    job: Job,
    pods: readonly Pod[],
    signal: AbortSignal,
  ): Promise<{ readonly released: ReadonlySet<string>; readonly failure?: unknown }> {
    const key = keyOf(job);
    this.#memory.expectReleases(
      key,
      pods.map((pod) => pod.metadata.uid),
    );
    const { deleted, failure } = await this.#each(pods, async (pod) => {
      try {
        if (await this.#removeFinalizer(job, pod, signal)) return;
      } catch (error) {
        this.#memory.releaseObserved(key, pod.metadata.uid);
        throw error;
      }
      // No update will tell of a Pod that is gone.
      this.#memory.releaseObserved(key, pod.metadata.uid);
    });
    const released = new Set(deleted.map((pod) => pod.metadata.uid));
    return failure === undefined ? { released } : { released, failure };
  }

  async writeStatus(job: Job, status: JobStatus, signal: AbortSignal): Promise<Job> {
    const written = await this.#jobs.updateStatus({ ...job, status }, { signal });
    this.#memory.consistency?.wroteAt(keyOf(job), job.metadata.uid, resources.jobs, written.metadata.resourceVersion);
    return written;
  }

  /** False where the Pod is gone already. */
  async #delete(job: Job, pod: Pod, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#podControl.delete(job, pod, signal);
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** False where the Pod is gone already. */
  async #removeFinalizer(job: Job, pod: Pod, signal: AbortSignal): Promise<boolean> {
    try {
      const body = removeFinalizerPatch(pod, TRACKING_FINALIZER);
      this.#wrotePod(job, await this.#pods.patch(pod.metadata, 'strategic', body, { signal }));
      return true;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /** Tries all; `deleted` are those for which `task` did not fail. */
  async #each(pods: readonly Pod[], task: (pod: Pod) => Promise<unknown>): Promise<Deletion> {
    const deleted = new Set<Pod>();
    const { errors } = await inParallel(pods, async (pod) => {
      await task(pod);
      deleted.add(pod);
    });
    const done = pods.filter((pod) => deleted.has(pod));
    return errors.length === 0 ? { deleted: done } : { deleted: done, failure: aggregate(errors) };
  }

  #wrotePod(job: Job, pod: Pod): void {
    this.#memory.consistency?.wroteAt(keyOf(job), job.metadata.uid, resources.pods, pod.metadata.resourceVersion);
  }
}
