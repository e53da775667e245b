import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type Job, isNotFound, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { type Stage, type Workspace, openStage } from '../harness/workspace.ts';

const { jobs, pods } = resources;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({
    controllers: ['ttl-after-finished-controller', 'job-controller', 'garbage-collector-controller'],
  });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

function create(
  at: Workspace,
  ttlSecondsAfterFinished: number | undefined,
  annotations: Record<string, string> = {},
): Promise<Job> {
  const template = {
    metadata: { annotations: { 'simulation.kubernetes.io/run-duration': '1s', ...annotations } },
    spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: 'app:v1' }] },
  };
  return at.create(jobs, {
    metadata: { name: 'work' },
    spec: { template, backoffLimit: 0, ...(ttlSecondsAfterFinished === undefined ? {} : { ttlSecondsAfterFinished }) },
  });
}

const finished = (at: Workspace): Promise<Job> =>
  eventually(async () => {
    const job = await at.get(jobs, 'work');
    expect(
      job.status?.conditions?.some(
        ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
      ),
    ).toBe(true);
    return job;
  });

/** Whether the Job is gone, and with it all that was its own. */
async function isGone(at: Workspace): Promise<boolean> {
  try {
    await at.get(jobs, 'work');
    return false;
  } catch (error) {
    if (!isNotFound(error)) throw error;
    return (await at.list(pods)).length === 0;
  }
}

const gone = (at: Workspace): Promise<void> => eventually(async () => expect(await isGone(at)).toBe(true));

describe.concurrent(`Finished Jobs on the ${controlPlaneKind()}`, { timeout: 90_000 }, () => {
  test('go when their time is over, and their Pods with them', async ({ at }) => {
    await create(at, 2);
    await gone(at);
  });

  test('that failed go, too', async ({ at }) => {
    await create(at, 0, { 'simulation.kubernetes.io/exit-code': '1' });
    await gone(at);
  });

  test('without a time to live stay until they are given one', async ({ at }) => {
    await create(at, undefined);
    await finished(at);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await isGone(at)).toBe(false);
    await at.merge(jobs, { spec: { ttlSecondsAfterFinished: 0 } }, 'work');
    await gone(at);
  });

  test('that are given more time stay', async ({ at }) => {
    await create(at, 6);
    await finished(at);
    await at.merge(jobs, { spec: { ttlSecondsAfterFinished: 1000 } }, 'work');
    await new Promise((resolve) => setTimeout(resolve, 7000));
    const { metadata } = await at.get(jobs, 'work');
    expect(metadata.deletionTimestamp).toBeUndefined();
  });
});
