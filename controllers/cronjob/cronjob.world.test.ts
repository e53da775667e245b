import { afterEach, describe, expect, test } from 'vitest';

import { ApiError, type CronJob, type NewObject, keyOf, resources } from '#pkg/api';
import { type World, type WorldOptions, createWorld } from '#pkg/testing';

import { cronJobController } from './index.ts';
import { runJobs } from './job-runner.fixture.ts';

const { cronJobs, jobs } = resources;
const KEY = 'default/backup';
const MINUTE = 60_000;

let world: World;
afterEach(() => world.stop());

async function started(options: Omit<WorldOptions, 'controllers'> = {}): Promise<World> {
  world = createWorld({ controllers: [cronJobController], ...options });
  await world.start();
  return world;
}

function fresh(spec: Partial<CronJob['spec']> = {}): NewObject<CronJob> {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'backup' },
    spec: {
      schedule: '*/5 * * * *',
      timeZone: 'UTC',
      concurrencyPolicy: 'Allow',
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
      jobTemplate: { spec: { template: { spec: { containers: [] } } } },
      ...spec,
    },
    status: {},
  };
}

const names = (): string[] =>
  world.cluster
    .list(jobs)
    .map(({ metadata }) => metadata.name)
    .toSorted();
const status = (): CronJob['status'] => world.cluster.get(cronJobs, KEY)?.status;
const minute = (clock: string): string => `backup-${Date.parse(`2026-01-01T${clock}:00Z`) / MINUTE}`;

describe('on time', () => {
  test('a Job a time, told in events and in the status, at the cost of two requests', async () => {
    const { cluster, clock, events } = await started();
    runJobs({ cluster, clock, duration: () => 90_000 });
    cluster.create(cronJobs, fresh());
    await clock.step(5 * MINUTE - 2000);
    expect(names()).toEqual([]);
    await clock.step(3000);
    expect(names()).toEqual([minute('00:05')]);
    const [job] = cluster.list(jobs);
    expect(status()).toEqual({
      active: [
        {
          kind: 'Job',
          namespace: 'default',
          name: minute('00:05'),
          uid: job!.metadata.uid,
          apiVersion: 'batch/v1',
          resourceVersion: job!.metadata.resourceVersion,
        },
      ],
      lastScheduleTime: '2026-01-01T00:05:00Z',
    });
    expect(events.take()).toEqual([`Normal SuccessfulCreate Created job ${minute('00:05')}`]);
    expect(cluster.writes.map(({ verb, type }) => `${verb} ${type.kind}`)).toEqual(['create Job', 'update CronJob']);
    await clock.step(2 * MINUTE);
    expect(status()).toEqual({ lastScheduleTime: '2026-01-01T00:05:00Z', lastSuccessfulTime: '2026-01-01T00:06:30Z' });
    expect(events.take()).toEqual([
      `Normal SawCompletedJob Saw completed job: ${minute('00:05')}, condition: Complete`,
    ]);
    expect(await world.metrics.expose()).toContain('cronjob_controller_job_creation_skew_duration_seconds_count 1');
  });

  test('finished Jobs are cleared beyond the limits', async () => {
    const { cluster, clock, events } = await started();
    runJobs({
      cluster,
      clock,
      duration: () => 1000,
      succeeds: ({ metadata }) => Number(metadata.name.split('-')[1]) % 10 !== 0,
    });
    cluster.create(cronJobs, fresh());
    await clock.step(42 * MINUTE);
    expect(names()).toEqual(['00:15', '00:25', '00:35', '00:40'].map(minute));
    expect(events.lines).toContain(`Normal SuccessfulDelete Deleted job ${minute('00:05')}`);
  });

  test('a change of the schedule counts from then on', async () => {
    const { cluster, clock } = await started();
    cluster.create(cronJobs, fresh({ schedule: '0 0 * * *' }));
    await clock.step(7 * MINUTE);
    const live = cluster.get(cronJobs, KEY)!;
    cluster.update(cronJobs, { ...live, spec: { ...live.spec, schedule: '*/10 * * * *' } });
    await clock.step(2 * MINUTE);
    expect(names()).toEqual([]);
    await clock.step(2 * MINUTE);
    expect(names()).toEqual([minute('00:10')]);
  });

  test('a new schedule that cannot be read is told, and nothing more is made', async () => {
    const { cluster, clock, events } = await started();
    cluster.create(cronJobs, fresh());
    await clock.step(1000);
    cluster.change(cronJobs, KEY, (live) => ({ ...live, spec: { ...live.spec, schedule: 'now and then' } }));
    await clock.step(6 * MINUTE);
    expect(names()).toEqual([]);
    expect(events.lines[0]).toBe('Warning UnParseableCronJobSchedule unparseable schedule for cronjob: now and then');
  });

  test('suspended: nothing; resumed: what was missed last', async () => {
    const { cluster, clock } = await started();
    cluster.create(cronJobs, fresh({ suspend: true }));
    await clock.step(12 * MINUTE);
    expect(names()).toEqual([]);
    const live = cluster.get(cronJobs, KEY)!;
    cluster.update(cronJobs, { ...live, spec: { ...live.spec, suspend: false } });
    await clock.step(1000);
    expect(names()).toEqual([minute('00:10')]);
  });
});

describe('while one runs', () => {
  test.each([
    ['Allow', ['00:05', '00:10', '00:15'], 3],
    ['Forbid', ['00:05'], 1],
    ['Replace', ['00:15'], 1],
  ])('%s', async (concurrencyPolicy, expected, active) => {
    const { cluster, clock } = await started();
    cluster.create(cronJobs, fresh({ concurrencyPolicy }));
    await clock.step(16 * MINUTE);
    expect(names()).toEqual(expected.map(minute));
    expect(status()?.active).toHaveLength(active);
    expect(status()?.lastScheduleTime).toBe(
      concurrencyPolicy === 'Forbid' ? '2026-01-01T00:05:00Z' : '2026-01-01T00:15:00Z',
    );
  });
});

describe('failures', () => {
  test('an answer that was lost makes no second Job, and the first is taken over', async () => {
    const { cluster, clock, events } = await started();
    let lost = false;
    cluster.fault = ({ verb, type }) => {
      if (lost || verb !== 'create' || type.kind !== 'Job') return undefined;
      lost = true;
      return 'lose';
    };
    cluster.create(cronJobs, fresh());
    await clock.step(6 * MINUTE);
    expect(names()).toEqual([minute('00:05')]);
    expect(status()?.active?.map(({ name }) => name)).toEqual([minute('00:05')]);
    expect(events.lines).not.toContain(`Normal SuccessfulCreate Created job ${minute('00:05')}`);
  });

  test('a Job of somebody else by the name is left alone', async () => {
    const { cluster, clock } = await started();
    cluster.create(jobs, { metadata: { name: minute('00:05') } });
    cluster.create(cronJobs, fresh());
    await clock.step(6 * MINUTE);
    expect(status()).toEqual({});
    await clock.step(5 * MINUTE);
    expect(names()).toEqual([minute('00:05'), minute('00:10')]);
  });

  test('a refusal is told and tried again', async () => {
    const { cluster, clock, events } = await started();
    let refusals = 2;
    cluster.fault = ({ verb }) =>
      verb === 'create' && refusals-- > 0
        ? new ApiError({ reason: 'Forbidden', code: 403, message: 'jobs.batch is forbidden: quota' })
        : undefined;
    cluster.create(cronJobs, fresh());
    await clock.step(6 * MINUTE);
    expect(names()).toEqual([minute('00:05')]);
    expect(events.lines.filter((line) => line.includes('FailedCreate'))).toEqual(
      Array.from({ length: 2 }, () => 'Warning FailedCreate Error creating job: jobs.batch is forbidden: quota'),
    );
  });

  test('an active Job that was deleted is missed, and the time is not served again', async () => {
    const { cluster, clock, events } = await started();
    cluster.create(cronJobs, fresh());
    await clock.step(6 * MINUTE);
    cluster.delete(jobs, keyOf(cluster.list(jobs)[0]!));
    await clock.step(1000);
    expect(status()).toEqual({ lastScheduleTime: '2026-01-01T00:05:00Z' });
    expect(events.lines).toContain(`Normal MissingJob Active job went missing: ${minute('00:05')}`);
    expect(names()).toEqual([]);
  });
});
