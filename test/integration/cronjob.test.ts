import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type CronJob, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { type Stage, type Workspace, openStage, template } from '../harness/workspace.ts';

const { cronJobs, jobs } = resources;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ controllers: ['cronjob-controller', 'job-controller'] });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

function create(
  at: Workspace,
  spec: Partial<CronJob['spec']> = {},
  annotations: Record<string, string> = {},
): Promise<CronJob> {
  const { metadata, spec: podSpec } = template('app:v1', annotations);
  const jobTemplate = { spec: { template: { metadata: metadata!, spec: { ...podSpec!, restartPolicy: 'Never' } } } };
  return at.create(cronJobs, { metadata: { name: 'web' }, spec: { schedule: '@every 3s', jobTemplate, ...spec } });
}

describe.concurrent(`CronJobs on the ${controlPlaneKind()}`, { timeout: 90_000 }, () => {
  test('make Jobs, see them complete, and say so', async ({ at }) => {
    const { metadata } = await create(at, { schedule: '* * * * *' });
    await eventually(async () => {
      const { status } = await at.get(cronJobs);
      expect(status?.lastSuccessfulTime).toBeDefined();
      expect(status?.active ?? []).toEqual([]);
    }, 80_000);
    const [job] = await at.list(jobs);
    const scheduled = (await at.get(cronJobs)).status!.lastScheduleTime!;
    expect(job!.metadata.name).toBe(`web-${Date.parse(scheduled) / 60_000}`);
    expect(job!.metadata.annotations).toMatchObject({ 'batch.kubernetes.io/cronjob-scheduled-timestamp': scheduled });
    expect(job!.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        name: 'web',
        uid: metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    await eventually(async () => {
      expect((await at.events('CronJob')).toSorted()).toEqual([
        `Normal SawCompletedJob Saw completed job: ${job!.metadata.name}, condition: Complete`,
        `Normal SuccessfulCreate Created job ${job!.metadata.name}`,
      ]);
    });
  });

  test('are refused or told where their schedule is none', async ({ at }) => {
    await expect(create(at, { schedule: 'now and then' })).rejects.toThrow(
      'expected exactly 5 fields, found 3: [now and then]',
    );
    await create(at, { schedule: '0 0 31 2 *' });
    await eventually(async () => {
      const told =
        'Warning InvalidSchedule invalid schedule: 0 0 31 2 * : time difference between two schedules is less than 1 second';
      expect(await at.events('CronJob')).toContain(told);
    });
  });
});
