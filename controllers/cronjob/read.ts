import type { CronJob, Job, ObjectKey } from '#pkg/api';
import { ignoreNotFound } from '#pkg/client';
import type { ControllerContext, OwnedObjects, Ownership } from '#pkg/controller';

import { finishedAs } from './job.ts';
import { type Snapshot, activeOf, isActive } from './snapshot.ts';

export interface Readers {
  readonly context: Pick<ControllerContext, 'clock'>;
  readonly cronJobs: Ownership<CronJob>;
  readonly jobs: OwnedObjects<CronJob, Job>;
}

/**
 * Reads all that the CronJob of `key` is decided by, from caches; what looks as if a cache were behind (a Job that runs
 * and is not listed as active, an active Job that is not there) is looked up on the server. Nothing where the CronJob is
 * gone.
 */
export async function gather(key: ObjectKey, readers: Readers, signal: AbortSignal): Promise<Snapshot | undefined> {
  const cached = readers.cronJobs.lister.get(key);
  if (!cached) return undefined;
  const jobs = readers.jobs.of(cached);
  const cronJob = await newest(cached, jobs, readers, signal);
  if (!cronJob) return undefined;
  const gone = await missing(cronJob, jobs, readers, signal);
  return { cronJob, jobs, gone, now: readers.context.clock.now() };
}

async function newest(
  cached: CronJob,
  jobs: readonly Job[],
  { cronJobs }: Readers,
  signal: AbortSignal,
): Promise<CronJob | undefined> {
  const forgotten = jobs.some((job) => !finishedAs(job) && !isActive(cached.status ?? {}, job.metadata.uid));
  if (!forgotten) return cached;
  const live = await cronJobs.getLive(cached, { signal });
  return live.metadata.uid === cached.metadata.uid ? live : undefined;
}

async function missing(
  cronJob: CronJob,
  owned: readonly Job[],
  { jobs }: Readers,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const there = new Set(owned.map((job) => job.metadata.uid));
  const gone = new Set<string>();
  for (const { uid = '', namespace, name = '' } of activeOf(cronJob.status ?? {})) {
    if (there.has(uid)) continue;
    const job = await ignoreNotFound(jobs.get({ name, ...(namespace ? { namespace } : {}) }, { signal }));
    if (!job) gone.add(uid);
  }
  return gone;
}
