import { type Job, type ObjectKey, keyOf } from '#pkg/api';
import type { Ownership } from '#pkg/controller';

import type { BackoffRecord } from './backoff.ts';

const NONE: ReadonlySet<string> = new Set();

/**
 * What the controller remembers between syncs of a Job. All of it may be lost with the process: it only bridges the time
 * until the caches show what was done, and spaces out replacements of failed Pods.
 */
export class JobMemory {
  /** How the Pods of each Job have failed lately. */
  readonly backoffs = new Map<ObjectKey, BackoffRecord>();
  readonly #jobs: Pick<Ownership<Job>, 'forget' | 'forgetExpectations'>;
  /** UIDs of Pods whose finalizer was removed and whose update has not come yet, by Job. */
  readonly #released = new Map<ObjectKey, Set<string>>();
  /** UIDs of Jobs that were written as finished. */
  readonly #finished = new Set<string>();

  /** `jobs` forgets with it. */
  constructor(jobs: Pick<Ownership<Job>, 'forget' | 'forgetExpectations'>) {
    this.#jobs = jobs;
  }

  releasedPods(key: ObjectKey): ReadonlySet<string> {
    return new Set(this.#released.get(key) ?? NONE);
  }

  expectReleases(key: ObjectKey, uids: readonly string[]): void {
    const known = this.#released.get(key) ?? new Set();
    for (const uid of uids) known.add(uid);
    this.#released.set(key, known);
  }

  /** The Pod holds the finalizer no more, or its removal was refused. */
  releaseObserved(key: ObjectKey, uid: string): void {
    const known = this.#released.get(key);
    known?.delete(uid);
    if (known?.size === 0) this.#released.delete(key);
  }

  wroteFinished(job: Job): void {
    this.#finished.add(job.metadata.uid);
  }

  /** It was written as finished, whatever the cache says. */
  hasFinished(job: Job): boolean {
    return this.#finished.has(job.metadata.uid);
  }

  /** The cache has the Job as finished. What was written for it stays known: the Pods' cache may be behind. */
  readFinished(job: Job): void {
    this.#finished.delete(job.metadata.uid);
    this.forgetKey(keyOf(job));
  }

  /** The Job is gone, or finished and all caches know. */
  forget(job: Job): void {
    this.readFinished(job);
    this.#jobs.forget(keyOf(job), job.metadata.uid);
  }

  forgetKey(key: ObjectKey): void {
    this.#jobs.forgetExpectations(key);
    this.#released.delete(key);
    this.backoffs.delete(key);
  }
}
