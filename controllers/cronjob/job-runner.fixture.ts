import { type Job, keyOf, resources } from '#pkg/api';
import { type Clock, formatTime } from '#pkg/base';
import type { FakeCluster } from '#pkg/testing';

export interface JobRunnerOptions {
  readonly cluster: FakeCluster;
  readonly clock: Clock;
  /** From creation to the end, ms; undefined for a Job that never ends. */
  readonly duration: (job: Job) => number | undefined;
  readonly succeeds?: (job: Job) => boolean;
}

/** Ends Jobs some time after they were made, as the Job controller would. Returns what ends it. */
export function runJobs({ cluster, clock, duration, succeeds = () => true }: JobRunnerOptions): () => void {
  return cluster.onChange(({ type, resource, object }) => {
    if (resource.kind !== 'Job' || type !== 'ADDED') return;
    const job = object as Job;
    const startTime = formatTime(clock.now());
    const wait = duration(job);
    if (wait === undefined) return;
    clock.setTimeout(() => {
      if (cluster.get(resources.jobs, keyOf(job))?.metadata.uid !== job.metadata.uid) return;
      const completionTime = formatTime(clock.now());
      const good = succeeds(job);
      cluster.change(resources.jobs, keyOf(job), (live) => ({
        ...live,
        status: {
          startTime,
          ...(good ? { completionTime } : {}),
          conditions: [{ type: good ? 'Complete' : 'Failed', status: 'True' }],
        },
      }));
    }, wait);
  });
}
