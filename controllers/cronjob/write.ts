import {
  type CronJob,
  type Job,
  isAlreadyExists,
  isControlledBy,
  isNamespaceTerminating,
  isNotFound,
  keyOf,
  resources,
} from '#pkg/api';
import { describeError, formatTime, parseTime, semanticEqual } from '#pkg/base';
import { type ControllerContext, type OwnedObjects, type Ownership, inParallel } from '#pkg/controller';
import { type ObjectReference, referenceTo } from '#pkg/events';

import { CronError } from './errors.ts';
import { jobFor } from './job.ts';
import { type CronJobStatus, type Report, activeOf, isActive, withoutActive } from './snapshot.ts';

export interface Writing {
  readonly context: Pick<ControllerContext, 'recorder' | 'log' | 'clock'>;
  readonly cronJobs: Ownership<CronJob>;
  readonly jobs: OwnedObjects<CronJob, Job>;
  /** Told how much later than scheduled a Job was created, seconds. */
  readonly observeSkew: (seconds: number) => void;
}

/** The requests of one reconcile with the events that report them. */
export class Writer {
  readonly #writing: Writing;
  readonly #cronJob: CronJob;
  readonly #signal: AbortSignal;
  readonly #jobs: OwnedObjects<CronJob, Job>;
  readonly #cronJobs: Ownership<CronJob>;

  constructor(writing: Writing, cronJob: CronJob, signal: AbortSignal) {
    this.#writing = writing;
    this.#cronJob = cronJob;
    this.#signal = signal;
    this.#jobs = writing.jobs;
    this.#cronJobs = writing.cronJobs;
  }

  report(reports: readonly Report[]): void {
    for (const { type, reason, message } of reports)
      this.#writing.context.recorder.event(this.#cronJob, type, reason, message);
  }

  /** Answers the UIDs of those that are gone, or on their way. A refusal is told in an event, and is tried again some time. */
  async deleteFinished(jobs: readonly Job[]): Promise<ReadonlySet<string>> {
    const deleted = new Set<string>();
    await inParallel(jobs, async (job) => {
      const going = job.metadata.deletionTimestamp !== undefined;
      if (going || (await this.#delete(job))) deleted.add(job.metadata.uid);
    });
    return deleted;
  }

  /** Deletes active Jobs, one after the other. Answers the status without them, and why it went no further, if so. */
  async replace(
    active: readonly ObjectReference[],
    status: CronJobStatus,
  ): Promise<{ status: CronJobStatus; failure?: unknown }> {
    let left = status;
    for (const { namespace, name = '' } of active) {
      let job: Job;
      try {
        job = await this.#jobs.get({ name, ...(namespace ? { namespace } : {}) }, { signal: this.#signal });
      } catch (failure) {
        if (!this.#signal.aborted) this.#event('Warning', 'FailedGet', `Get job: ${describeError(failure)}`);
        return { status: left, failure };
      }
      if (!(await this.#delete(job))) {
        return {
          status: left,
          failure: new CronError('NotReplaced', `could not replace job ${keyOf(job)}`, { subject: keyOf(job) }),
        };
      }
      left = withoutActive(left, new Set([job.metadata.uid]));
    }
    return { status: left };
  }

  /**
   * Makes the Job of a scheduled time and answers the status that tells of it. One that is there already was made by us
   * and forgotten about, or it is somebody else's, who takes care of the rest: then the status stays as it is.
   */
  async start(scheduled: number, status: CronJobStatus): Promise<CronJobStatus> {
    const { context, observeSkew } = this.#writing;
    const object = jobFor(this.#cronJob, scheduled);
    let job: Job;
    try {
      job = await this.#jobs.create(this.#cronJob, object, { signal: this.#signal });
      observeSkew((parseTime(job.metadata.creationTimestamp) - scheduled) / 1000);
      context.log.v(4)?.info('Created Job', { cronJob: keyOf(this.#cronJob), job: keyOf(job) });
      this.#event('Normal', 'SuccessfulCreate', `Created job ${job.metadata.name}`);
    } catch (error) {
      if (!isAlreadyExists(error)) {
        const silent = this.#signal.aborted || isNamespaceTerminating(error);
        if (!silent) this.#event('Warning', 'FailedCreate', `Error creating job: ${describeError(error)}`);
        throw error;
      }
      job = await this.#jobs.get(
        { namespace: this.#cronJob.metadata.namespace!, name: object.metadata.name! },
        { signal: this.#signal },
      );
      if (!isControlledBy(job, this.#cronJob) || isActive(status, job.metadata.uid)) return status;
      this.#jobs.record(this.#cronJob, job);
      context.log.info('Job already exists', { cronJob: keyOf(this.#cronJob), job: keyOf(job) });
    }
    return {
      ...status,
      active: [...activeOf(status), referenceTo(resources.jobs, job)],
      lastScheduleTime: formatTime(scheduled),
    };
  }

  /** Writes what differs, if anything does. */
  async writeStatus(status: CronJobStatus): Promise<void> {
    if (semanticEqual(this.#cronJob.status ?? {}, status)) return;
    await this.#cronJobs.updateStatus({ ...this.#cronJob, status }, { signal: this.#signal });
  }

  async #delete(job: Job): Promise<boolean> {
    const { uid, name } = job.metadata;
    try {
      await this.#jobs.delete(job.metadata, {
        propagationPolicy: 'Background',
        preconditions: { uid },
        signal: this.#signal,
      });
    } catch (error) {
      // The cache has not heard of it yet.
      if (isNotFound(error)) return true;
      if (this.#signal.aborted) throw error;
      this.#event('Warning', 'FailedDelete', `Deleted job: ${describeError(error)}`);
      this.#writing.context.log.error('Error deleting job from cronjob', error, {
        job: keyOf(job),
        cronJob: keyOf(this.#cronJob),
      });
      return false;
    }
    this.#event('Normal', 'SuccessfulDelete', `Deleted job ${name}`);
    return true;
  }

  #event(type: Report['type'], reason: string, message: string): void {
    this.report([{ type, reason, message }]);
  }
}
