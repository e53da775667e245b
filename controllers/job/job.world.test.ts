import { afterEach, describe, expect, test } from 'vitest';

import { type Job, type Pod, isPodActive, resources } from '#pkg/api';
import { type JobKubeletOptions, type JobParts, type World, createWorld, newJob, runJobKubelet } from '#pkg/testing';

import { TRACKING_FINALIZER } from './facts.ts';
import { jobController } from './index.ts';
import { FAILURES_KEY, INDEX_KEY, indexOf } from './pod-index.ts';

const { jobs, pods } = resources;
const KEY = 'default/work';

let world: World;
let endKubelet = (): void => {};
afterEach(async () => {
  await world.stop();
  endKubelet();
});

type Kubelet = Omit<JobKubeletOptions, 'cluster' | 'clock'>;

async function started(
  kubelet: Kubelet = {},
  options: Partial<Parameters<typeof createWorld>[0]> = {},
): Promise<World> {
  world = createWorld({ controllers: [jobController], ...options });
  endKubelet = runJobKubelet({ cluster: world.cluster, clock: world.clock, startAfter: () => 100, ...kubelet });
  await world.start();
  return world;
}

const create = (spec: JobParts['spec']): Job => world.cluster.create(jobs, newJob({ spec }));
const live = (): Job => world.cluster.get(jobs, KEY)!;
const podsNow = (): Pod[] => world.cluster.list(pods);
const active = (): Pod[] => podsNow().filter(isPodActive);
const change = (spec: JobParts['spec']): void => {
  world.cluster.update(jobs, { ...live(), spec: { ...live().spec!, ...spec } });
};
const conditions = (): string[] =>
  (live().status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
const told = (): string[] => world.events.lines.map((line) => line.split(' ')[1]!);
const forEver = (): undefined => undefined;
const numbers = (): unknown => {
  const { active: running = 0, ready, succeeded = 0, failed = 0, terminating } = live().status ?? {};
  return { active: running, ready, succeeded, failed, terminating };
};
/** Tells the Pods of a Job apart: the how-manieth of its Job, or of its index, each is. */
function attempts(end: (attempt: number, index: number | undefined) => number): Kubelet {
  const counts = new Map<number | undefined, number>();
  return {
    ends(pod) {
      const index = indexOf(pod);
      const attempt = (counts.get(index) ?? 0) + 1;
      counts.set(index, attempt);
      return { after: 1000, exitCode: end(attempt, index) };
    },
  };
}

const FAILED = ['FailureTarget=True', 'Failed=True'];
const DONE = ['SuccessCriteriaMet=True CompletionsReached', 'Complete=True CompletionsReached'];

describe.each([{ realInformers: false }, { realInformers: true }])('a Job, %o', (informers) => {
  test('runs to its completions, a few at a time, counts them once and is then left alone', async () => {
    await started({}, informers);
    create({ parallelism: 2, completions: 5 });
    await world.clock.step(500);
    expect(numbers()).toMatchObject({ active: 2, succeeded: 0 });
    expect(active().map(({ metadata }) => metadata.finalizers)).toEqual([[TRACKING_FINALIZER], [TRACKING_FINALIZER]]);
    await world.clock.step(30_000);
    expect(numbers()).toEqual({ active: 0, ready: 0, succeeded: 5, failed: 0, terminating: 0 });
    expect(conditions()).toEqual(DONE);
    expect(live().status).toMatchObject({
      uncountedTerminatedPods: {},
      completionTime: expect.any(String),
      startTime: expect.any(String),
    });
    expect(podsNow().map(({ metadata }) => metadata.finalizers ?? [])).toEqual([[], [], [], [], []]);
    expect(told().filter((reason) => reason !== 'SuccessfulCreate')).toEqual(['Completed']);
    const writes = world.cluster.writes.length;
    await world.clock.step(100_000);
    expect(world.cluster.writes).toHaveLength(writes);
  });
});

test('a work queue is done when one Pod has succeeded and all have ended; none is added after the first', async () => {
  await started({ ends: (pod) => ({ after: pod.metadata.uid === 'pods-2' ? 1000 : 8000, exitCode: 0 }) });
  create({ parallelism: 3, completions: undefined });
  await world.clock.step(5000);
  expect(numbers()).toMatchObject({ active: 2, succeeded: 1 });
  await world.clock.step(15_000);
  expect(numbers()).toMatchObject({ active: 0, succeeded: 3 });
  expect(conditions()).toEqual(DONE);
});

test('failed Pods are replaced with growing delay until the limit is passed', async () => {
  await started(attempts(() => 1));
  create({ backoffLimit: 2 });
  const created: number[] = [];
  const start = world.clock.now();
  world.cluster.onChange(({ type, resource }) => {
    if (resource.kind === 'Pod' && type === 'ADDED') created.push(Math.round((world.clock.now() - start) / 1000));
  });
  await world.clock.step(100_000);
  expect(created).toHaveLength(3);
  expect(created[1]! - created[0]!).toBeGreaterThanOrEqual(10);
  expect(created[2]! - created[1]!).toBeGreaterThanOrEqual(20);
  expect(numbers()).toMatchObject({ active: 0, failed: 3, terminating: 0 });
  expect(conditions()).toEqual(FAILED.map((condition) => `${condition} BackoffLimitExceeded`));
  expect(told().at(-1)).toBe('BackoffLimitExceeded');
});

test('the Pods of a Job that fails are ended, and the Job is not said to have failed before they have', async () => {
  await started({ ends: forEver, terminationDelay: () => 5000 });
  create({ parallelism: 2, completions: 2, activeDeadlineSeconds: 10 });
  await world.clock.step(12_000);
  expect(conditions()).toEqual(['FailureTarget=True DeadlineExceeded']);
  expect(numbers()).toMatchObject({ active: 0, terminating: 2 });
  await world.clock.step(10_000);
  expect(conditions()).toEqual(FAILED.map((condition) => `${condition} DeadlineExceeded`));
  expect(numbers()).toEqual({ active: 0, ready: 0, succeeded: 0, failed: 2, terminating: 0 });
  expect(podsNow()).toEqual([]);
});

test('a deadline set while the Job runs counts from its start', async () => {
  await started({ ends: forEver });
  create({});
  await world.clock.step(20_000);
  change({ activeDeadlineSeconds: 30 });
  await world.clock.step(9000);
  expect(conditions()).toEqual([]);
  await world.clock.step(5000);
  expect(conditions()).toEqual(FAILED.map((condition) => `${condition} DeadlineExceeded`));
});

test('suspending ends the Pods, which count as nothing; resuming starts anew', async () => {
  await started({ ends: forEver });
  create({ parallelism: 2, completions: 2, suspend: true });
  await world.clock.step(3000);
  expect(podsNow()).toEqual([]);
  expect(conditions()).toEqual(['Suspended=True JobSuspended']);
  expect(live().status?.startTime).toBeUndefined();

  change({ suspend: false });
  await world.clock.step(3000);
  expect(numbers()).toMatchObject({ active: 2, ready: 2 });
  expect(conditions()).toEqual(['Suspended=False JobResumed']);
  const { startTime } = live().status!;

  change({ suspend: true });
  await world.clock.step(5000);
  expect(podsNow()).toEqual([]);
  expect(numbers()).toEqual({ active: 0, ready: 0, succeeded: 0, failed: 0, terminating: 0 });
  expect(live().status?.startTime).toBeUndefined();

  change({ suspend: false });
  await world.clock.step(3000);
  expect(live().status!.startTime! > startTime!).toBe(true);
  expect(told().filter((reason) => reason === 'Suspended' || reason === 'Resumed')).toEqual([
    'Suspended',
    'Resumed',
    'Suspended',
    'Resumed',
  ]);
});

test('more and less parallelism', async () => {
  await started({ ends: forEver });
  create({ parallelism: 5, completions: 10 });
  await world.clock.step(3000);
  expect(active()).toHaveLength(5);
  change({ parallelism: 2 });
  await world.clock.step(3000);
  expect(active()).toHaveLength(2);
  expect(numbers()).toEqual({ active: 2, ready: 2, succeeded: 0, failed: 0, terminating: 0 });
  change({ parallelism: 7 });
  await world.clock.step(3000);
  expect(active()).toHaveLength(7);
});

describe('indexes', () => {
  test('each has a Pod that knows its index; lost ones come again, and none is counted twice', async () => {
    await started({ ends: (pod) => ({ after: indexOf(pod) === 1 ? 100_000 : 1000, exitCode: 0 }) });
    create({ completionMode: 'Indexed', parallelism: 3, completions: 4 });
    await world.clock.step(300);
    const pod = active().find((one) => indexOf(one) === 2)!;
    expect(pod.metadata).toMatchObject({
      generateName: 'work-2-',
      labels: { [INDEX_KEY]: '2' },
      annotations: { [INDEX_KEY]: '2' },
    });
    expect(pod.spec).toMatchObject({
      hostname: 'work-2',
      containers: [
        {
          env: [
            { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${INDEX_KEY}']` } } },
          ],
        },
      ],
    });
    await world.clock.step(10_000);
    expect(live().status).toMatchObject({ completedIndexes: '0,2,3', succeeded: 3, active: 1 });
    world.cluster.delete(pods, `default/${active()[0]!.metadata.name}`);
    await world.clock.step(30_000);
    expect(live().status).toMatchObject({ completedIndexes: '0,2,3', succeeded: 3, active: 1, failed: 1 });
    await world.clock.step(120_000);
    expect(live().status).toMatchObject({ completedIndexes: '0-3', succeeded: 4, failed: 1 });
    expect(conditions()).toEqual(DONE);
  });

  test('a limit for each lets the others go on; the annotations carry the failures over', async () => {
    await started(attempts((_, index) => (index === 1 ? 3 : 0)));
    create({
      completionMode: 'Indexed',
      parallelism: 3,
      completions: 3,
      backoffLimitPerIndex: 1,
      backoffLimit: 2 ** 31 - 1,
    });
    await world.clock.step(8000);
    expect(live().status).toMatchObject({ completedIndexes: '0,2', failedIndexes: '' });
    // The failed Pod stays until the next one of its index has taken over the count.
    expect(
      podsNow()
        .filter((pod) => indexOf(pod) === 1)
        .map(({ metadata }) => metadata.finalizers),
    ).toEqual([[TRACKING_FINALIZER]]);
    await world.clock.step(40_000);
    expect(
      podsNow()
        .filter((pod) => indexOf(pod) === 1)
        .map(({ metadata }) => metadata.annotations![FAILURES_KEY]),
    ).toEqual(['0', '1']);
    expect(live().status).toMatchObject({ completedIndexes: '0,2', failedIndexes: '1', succeeded: 2, failed: 2 });
    expect(conditions()).toEqual(FAILED.map((condition) => `${condition} FailedIndexes`));
  });

  test('too many failed ones end the Job', async () => {
    await started({ ends: (pod) => ({ after: indexOf(pod)! < 2 ? 1000 : 100_000, exitCode: 1 }) });
    create({
      completionMode: 'Indexed',
      parallelism: 4,
      completions: 4,
      backoffLimitPerIndex: 0,
      maxFailedIndexes: 1,
      backoffLimit: 2 ** 31 - 1,
    });
    await world.clock.step(20_000);
    expect(conditions()).toEqual(FAILED.map((condition) => `${condition} MaxFailedIndexesExceeded`));
    expect(live().status).toMatchObject({ failedIndexes: '0,1', failed: 4 });
  });

  test('a rule may fail its index at once', async () => {
    await started(attempts((_, index) => (index === 0 ? 42 : 0)));
    const onExitCodes = { operator: 'In', values: [42] };
    create({
      completionMode: 'Indexed',
      parallelism: 2,
      completions: 2,
      backoffLimitPerIndex: 5,
      backoffLimit: 99,
      podFailurePolicy: { rules: [{ action: 'FailIndex', onExitCodes }] },
    });
    await world.clock.step(20_000);
    expect(live().status).toMatchObject({ completedIndexes: '1', failedIndexes: '0', failed: 1 });
    expect(conditions()).toEqual(FAILED.map((condition) => `${condition} FailedIndexes`));
  });

  test('may be added and taken away', async () => {
    await started({ ends: (pod) => (indexOf(pod)! < 2 ? { after: 1000, exitCode: 0 } : undefined) });
    create({ completionMode: 'Indexed', parallelism: 3, completions: 3 });
    await world.clock.step(8000);
    change({ parallelism: 5, completions: 5 });
    await world.clock.step(5000);
    expect(new Set(active().map(indexOf))).toEqual(new Set([2, 3, 4]));
    change({ parallelism: 1, completions: 1 });
    await world.clock.step(10_000);
    expect(live().status).toMatchObject({ completedIndexes: '0', succeeded: 1 });
    expect(conditions()).toEqual(DONE);
    expect(active()).toEqual([]);
  });

  test('enough of them, by the success policy, end the Job as a success', async () => {
    await started({
      ends: (pod) => (indexOf(pod) === 0 ? { after: 1000, exitCode: 0 } : undefined),
      terminationDelay: () => 3000,
    });
    create({
      completionMode: 'Indexed',
      parallelism: 3,
      completions: 3,
      successPolicy: { rules: [{ succeededIndexes: '1' }, { succeededIndexes: '0', succeededCount: 1 }] },
    });
    await world.clock.step(4000);
    expect(conditions()).toEqual(['SuccessCriteriaMet=True SuccessPolicy']);
    await world.clock.step(10_000);
    expect(conditions()).toEqual(['SuccessCriteriaMet=True SuccessPolicy', 'Complete=True SuccessPolicy']);
    expect(live().status!.conditions![1]!.message).toBe('Matched rules at index 1');
    expect(numbers()).toEqual({ active: 0, ready: 0, succeeded: 1, failed: 0, terminating: 0 });
  });
});

describe('the failure policy', () => {
  test('may fail the Job at once', async () => {
    await started(attempts(() => 42));
    create({
      parallelism: 2,
      completions: 4,
      podFailurePolicy: { rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }] },
    });
    await world.clock.step(10_000);
    expect(conditions()).toEqual(FAILED.map((condition) => `${condition} PodFailurePolicy`));
    expect(live().status!.conditions![1]!.message).toMatch(
      /^Container app for pod default\/work-\w+ failed with exit code 42 matching FailJob rule at index 0$/,
    );
  });

  test('may not count failures', async () => {
    let runs = 0;
    await started({
      ends: () => ({
        after: 1000,
        exitCode: ++runs < 3 ? 1 : 0,
        conditions: runs < 3 ? [{ type: 'DisruptionTarget', status: 'True' }] : [],
      }),
    });
    create({
      backoffLimit: 0,
      podFailurePolicy: {
        rules: [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }],
      },
    });
    await world.clock.step(100_000);
    expect(conditions()).toEqual(DONE);
    expect(numbers()).toMatchObject({ succeeded: 1, failed: 0 });
  });
});

test.each([
  ['Failed', [1, 1, 1]],
  ['TerminatingOrFailed', [1, 2, 2]],
] as const)(
  'with the replacement policy %s, Pods being deleted are replaced when it says',
  async (podReplacementPolicy, there) => {
    await started({ ends: forEver, terminationDelay: () => 20_000 });
    create({ podReplacementPolicy });
    await world.clock.step(2000);
    const counts = [podsNow().length];
    world.cluster.delete(pods, `default/${podsNow()[0]!.metadata.name}`);
    await world.clock.step(5000);
    expect(numbers()).toMatchObject({ terminating: 1 });
    // Deleted Pods count as failed at once: the new one has to wait for the back-off.
    await world.clock.step(7000);
    counts.push(podsNow().length);
    await world.clock.step(5000);
    counts.push(podsNow().length);
    expect(counts).toEqual(there);
  },
);

test('a Job that another controller manages is left alone', async () => {
  await started();
  create({ managedBy: 'example.com/other' });
  await world.clock.step(10_000);
  expect(world.cluster.writes).toEqual([]);
  expect(await world.metrics.expose()).toContain(
    'job_controller_jobs_by_external_controller_total{controller_name="example.com/other"} 1',
  );
});

test('orphans lose the finalizer, adopted Pods get it', async () => {
  await started({ ends: forEver });
  create({ parallelism: 2, completions: 2 });
  await world.clock.step(3000);
  const { labels } = podsNow()[0]!.metadata;
  const names = podsNow().map(({ metadata }) => metadata.name);
  for (const name of names)
    world.cluster.change(pods, `default/${name}`, (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: {} } }));
  await world.clock.step(3000);
  const released = podsNow().filter(({ metadata }) => names.includes(metadata.name));
  expect(released.map(({ metadata }) => [metadata.ownerReferences, metadata.finalizers])).toEqual([
    [[], []],
    [[], []],
  ]);
  expect(active()).toHaveLength(4);

  world.cluster.change(pods, `default/${names[0]}`, (pod) => ({
    ...pod,
    metadata: { ...pod.metadata, labels: labels! },
  }));
  await world.clock.step(3000);
  expect(
    active().filter(({ metadata }) => metadata.finalizers?.length && metadata.ownerReferences?.length),
  ).toHaveLength(2);

  world.cluster.finish(jobs, KEY);
  await world.clock.step(3000);
  expect(podsNow().flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
});

test('Pods that were released are not released again while their cache is behind that of the Jobs', async () => {
  await started({}, { lag: ({ resource }) => (resource === 'pods' ? 5000 : 0) });
  create({ parallelism: 3, completions: 3 });
  await world.clock.step(60_000);
  expect(conditions()).toEqual(DONE);
  expect(world.cluster.writes.filter(({ verb, type }) => verb === 'patch' && type.kind === 'Pod')).toHaveLength(3);
});

test('what is created and deleted counts, by metric', async () => {
  await started(attempts((attempt) => (attempt === 1 ? 1 : 0)));
  create({});
  await world.clock.step(60_000);
  const metrics = await world.metrics.expose();
  expect(metrics).toContain(
    'job_controller_jobs_finished_total{completion_mode="NonIndexed",reason="CompletionsReached",result="succeeded"} 1',
  );
  expect(metrics).toContain(
    'job_controller_job_pods_finished_total{completion_mode="NonIndexed",result="succeeded"} 1',
  );
  expect(metrics).toContain('job_controller_job_pods_finished_total{completion_mode="NonIndexed",result="failed"} 1');
  expect(metrics).toContain('job_controller_job_pods_creation_total{reason="new",status="succeeded"} 1');
  expect(metrics).toContain(
    'job_controller_job_pods_creation_total{reason="recreate_terminating_or_failed",status="succeeded"} 1',
  );
  expect(metrics).toContain('job_controller_terminated_pods_tracking_finalizer_total{event="add"} 2');
  expect(metrics).toContain('job_controller_terminated_pods_tracking_finalizer_total{event="delete"} 2');
});
