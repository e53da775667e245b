import { afterEach, beforeEach, expect, test } from 'vitest';

import { type Job, type NewObject, resources } from '#pkg/api';
import { type ServerWorld, createServerWorld } from '#pkg/testing';

import { garbageCollectorController } from '../garbagecollector/index.ts';
import { jobController } from './index.ts';
import { INDEX_KEY } from './pod-index.ts';

const { jobs, pods } = resources;

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({ controllers: [jobController] });
  await world.start();
});
afterEach(() => world.stop());

const wanted = (spec: Partial<NonNullable<Job['spec']>>, annotations: Record<string, string> = {}): NewObject<Job> => ({
  metadata: { name: 'work' },
  spec: {
    template: {
      metadata: { annotations },
      spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: 'app:v1' }] },
    },
    ...spec,
  },
});
const conditions = async (): Promise<string[]> =>
  ((await world.get(jobs, 'work')).status?.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`);
const counted = (requests: readonly string[]): Record<string, number> =>
  Object.fromEntries([...new Set(requests)].map((one) => [one, requests.filter((other) => other === one).length]));

test('runs to the end with the permissions of the controller and few requests', async () => {
  await world.create(jobs, wanted({ parallelism: 5, completions: 10 }));
  await world.clock.step(60_000);
  const { status } = await world.get(jobs, 'work');
  expect(status).toMatchObject({ succeeded: 10, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
  expect(status).not.toHaveProperty('active');
  expect(await conditions()).toEqual(['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached']);
  const {
    'create pods': creates,
    'patch pods': patches,
    'update jobs/status': updates,
    ...others
  } = counted(world.takeRequests());
  expect([creates, patches, others]).toEqual([10, 10, {}]);
  expect(updates).toBeLessThan(10);
  await world.clock.step(3_600_000);
  expect(world.takeRequests()).toEqual([]);
});

test('an Indexed Job whose Pods fail, by the limit for each index', async () => {
  const annotations = { 'simulation.kubernetes.io/run-duration': '1s', 'simulation.kubernetes.io/exit-code': '3' };
  await world.create(
    jobs,
    wanted({ completionMode: 'Indexed', parallelism: 2, completions: 2, backoffLimitPerIndex: 1 }, annotations),
  );
  await world.clock.step(120_000);
  expect((await world.get(jobs, 'work')).status).toMatchObject({ failed: 4, failedIndexes: '0,1', terminating: 0 });
  expect(await conditions()).toEqual(['FailureTarget FailedIndexes', 'Failed FailedIndexes']);
  const all = await world.list(pods);
  expect(Object.groupBy(all, ({ metadata }) => metadata.labels![INDEX_KEY]!)).toMatchObject({
    0: { length: 2 },
    1: { length: 2 },
  });
  expect(all.flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
});

test('one that exceeds its deadline ends its Pods', async () => {
  await world.create(jobs, wanted({ activeDeadlineSeconds: 20 }, { 'simulation.kubernetes.io/run-duration': '1h' }));
  await world.clock.step(15_000);
  expect((await world.get(jobs, 'work')).status).toMatchObject({ active: 1, ready: 1 });
  await world.clock.step(15_000);
  expect(await conditions()).toEqual(['FailureTarget DeadlineExceeded', 'Failed DeadlineExceeded']);
  expect(world.events.take().at(-1)).toBe('Warning DeadlineExceeded Job was active longer than specified deadline');
});

test('deleted with its Pods, it goes last', async () => {
  await world.stop();
  world = createServerWorld({ controllers: [jobController, garbageCollectorController] });
  await world.start();
  await world.create(
    jobs,
    wanted({ parallelism: 2, completions: 2 }, { 'simulation.kubernetes.io/run-duration': '1h' }),
  );
  await world.clock.step(5000);
  expect(await world.list(pods)).toHaveLength(2);
  await world.client.resource(jobs).delete({ namespace: 'default', name: 'work' }, { propagationPolicy: 'Foreground' });
  await world.clock.step(60_000);
  expect(await world.list(pods)).toEqual([]);
  expect(await world.list(jobs)).toEqual([]);
});

test('suspended, given other nodes, and resumed', async () => {
  await world.create(jobs, wanted({ suspend: true }, { 'simulation.kubernetes.io/run-duration': '10s' }));
  await world.clock.step(3000);
  await world.patch(jobs, 'work', {
    spec: { template: { spec: { tolerations: [{ key: 'batch', operator: 'Exists' }] } } },
  });
  await world.patch(jobs, 'work', { spec: { suspend: false } });
  await world.clock.step(3000);
  expect((await world.list(pods)).map(({ spec }) => spec?.tolerations?.[0])).toEqual([
    { key: 'batch', operator: 'Exists' },
  ]);
  await world.clock.step(30_000);
  expect(await conditions()).toEqual([
    'Suspended JobResumed',
    'SuccessCriteriaMet CompletionsReached',
    'Complete CompletionsReached',
  ]);
  expect(world.events.take().map((line) => line.split(' ')[1])).toEqual([
    'Suspended',
    'SuccessfulCreate',
    'Resumed',
    'Completed',
  ]);
});
