import { type CronJob, type Job, type ObjectKey, isNotFound, resources } from '#pkg/api';
import type { Lister } from '#pkg/cache';
import { type ControllerContext, dependentsOf } from '#pkg/controller';

import { finishedAs } from './job.ts';
import { type Snapshot, activeOf, isActive } from './snapshot.ts';

export interface Gathering {
  readonly context: Pick<ControllerContext, 'client' | 'clock'>;
  readonly cronJobs: Lister<CronJob>;
  readonly jobs: Lister<Job>;
}

/**
 * Reads all that the CronJob of `key` is decided by, from caches; what looks as if a cache were behind (a Job that runs
 * and is not listed as active, an active Job that is not there) is looked up on the server. Nothing where the CronJob is
 * gone.
 */
export async function gather(key: ObjectKey, gathering: Gathering, signal: AbortSignal): Promise<Snapshot | undefined> {
  const cached = gathering.cronJobs.get(key);
  if (!cached) return undefined;
  const jobs = dependentsOf(gathering.jobs, cached.metadata.uid);
  const cronJob = await newest(cached, jobs, gathering, signal);
  if (!cronJob) return undefined;
  const gone = await missing(cronJob, jobs, gathering, signal);
  return { cronJob, jobs, gone, now: gathering.context.clock.now() };
}

async function newest(
  cached: CronJob,
  jobs: readonly Job[],
  { context }: Gathering,
  signal: AbortSignal,
): Promise<CronJob | undefined> {
  const forgotten = jobs.some((job) => !finishedAs(job) && !isActive(cached.status ?? {}, job.metadata.uid));
  if (!forgotten) return cached;
  const live = await context.client.resource(resources.cronJobs).get(cached.metadata, { signal });
  return live.metadata.uid === cached.metadata.uid ? live : undefined;
}

async function missing(
  cronJob: CronJob,
  jobs: readonly Job[],
  { context }: Gathering,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const there = new Set(jobs.map((job) => job.metadata.uid));
  const gone = new Set<string>();
  for (const { uid = '', namespace, name = '' } of activeOf(cronJob.status ?? {})) {
    if (there.has(uid)) continue;
    try {
      await context.client.resource(resources.jobs).get({ name, ...(namespace ? { namespace } : {}) }, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
      gone.add(uid);
    }
  }
  return gone;
}
