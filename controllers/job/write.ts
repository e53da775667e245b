import { type Job, type NewObject, type Pod, keyOf } from '#pkg/api';
import { ignoreNotFound } from '#pkg/client';
import { type OwnedPods, type Ownership, aggregate, inParallel, removeFinalizerPatch } from '#pkg/controller';

import { TRACKING_FINALIZER, type JobStatus, isTracked } from './facts.ts';
import type { JobMemory } from './memory.ts';

export interface Writing {
  readonly jobs: Ownership<Job>;
  readonly pods: OwnedPods<Job>;
  readonly memory: JobMemory;
}

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
  readonly #jobs: Ownership<Job>;
  readonly #pods: OwnedPods<Job>;
  readonly #memory: JobMemory;

  constructor({ jobs, pods, memory }: Writing) {
    this.#jobs = jobs;
    this.#pods = pods;
    this.#memory = memory;
  }

  /** Deletes Pods that are still to be counted: they keep the finalizer. */
  endPods(job: Job, pods: readonly Pod[], signal: AbortSignal): Promise<Deletion> {
    return this.#each(pods, (pod) => this.#delete(job, pod, signal));
  }

  /** Deletes Pods that nobody will count, and expects to see it. */
  removePods(job: Job, pods: readonly Pod[], signal: AbortSignal): Promise<Deletion> {
    const { expectations } = this.#pods;
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
    const create = { count: pods.length, pod: (index: number) => pods[index]! };
    const { created, notCreated } = await this.#pods.change(job, { create }, signal);
    return { created, failed: notCreated.length, ...(notCreated.length === 0 ? {} : { failure: notCreated[0] }) };
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

  writeStatus(job: Job, status: JobStatus, signal: AbortSignal): Promise<Job> {
    return this.#jobs.updateStatus({ ...job, status }, { signal });
  }

  /** False where the Pod is gone already. */
  async #delete(job: Job, pod: Pod, signal: AbortSignal): Promise<boolean> {
    const deleted = await ignoreNotFound(this.#pods.deletePod(job, pod, signal).then(() => true));
    return deleted ?? false;
  }

  /** False where the Pod is gone already. */
  async #removeFinalizer(job: Job, pod: Pod, signal: AbortSignal): Promise<boolean> {
    const body = removeFinalizerPatch(pod, TRACKING_FINALIZER);
    const patched = await ignoreNotFound(this.#pods.patch(job, pod.metadata, 'strategic', body, { signal }));
    return patched !== undefined;
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
}
