import { afterEach, beforeEach, expect, test } from 'vitest';

import { type CronJob, resources } from '#pkg/api';
import { type ServerWorld, createServerWorld } from '#pkg/testing';

import { cronJobController } from './index.ts';

const { cronJobs, jobs } = resources;
const MINUTE = 60_000;

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({ controllers: [cronJobController] });
  await world.start();
});
afterEach(() => world.stop());

const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'app:v1' }] } };

async function create(spec: Partial<CronJob['spec']> = {}): Promise<CronJob> {
  const jobTemplate = { metadata: { labels: { part: 'nightly' } }, spec: { template } };
  return world.create(cronJobs, {
    metadata: { name: 'backup' },
    spec: { schedule: '*/10 * * * *', jobTemplate, ...spec },
  });
}

test('a Job as the server takes it, with the permissions of the controller; nothing is asked in between', async () => {
  const owner = await create({ timeZone: 'Asia/Kolkata' });
  await world.clock.step(11 * MINUTE);
  const [job] = await world.list(jobs);
  expect(job!.metadata).toMatchObject({
    name: `backup-${Date.parse('2026-01-01T00:10:00Z') / MINUTE}`,
    labels: { part: 'nightly' },
    annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T05:40:00+05:30' },
    ownerReferences: [
      {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        name: 'backup',
        uid: owner.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  });
  expect((await world.get(cronJobs, 'backup')).status).toMatchObject({
    lastScheduleTime: '2026-01-01T00:10:00Z',
    active: [{ uid: job!.metadata.uid }],
  });
  expect(world.takeRequests()).toEqual(['create jobs', 'update cronjobs/status']);
  await world.clock.step(8 * MINUTE);
  expect(world.takeRequests()).toEqual([]);
});

test('in the place of a running Job another is made', async () => {
  await create({ concurrencyPolicy: 'Replace' });
  await world.clock.step(11 * MINUTE);
  world.takeRequests();
  await world.clock.step(10 * MINUTE);
  expect(world.takeRequests()).toEqual(['get jobs', 'delete jobs', 'create jobs', 'update cronjobs/status']);
  expect((await world.get(cronJobs, 'backup')).status).toMatchObject({
    lastScheduleTime: '2026-01-01T00:20:00Z',
    active: [{}],
  });
});
