import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type Job, type Pod, isPodActive, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { ENDS_SLOWLY, type Stage, type Workspace, openStage } from '../harness/workspace.ts';

type JobSpec = NonNullable<Job['spec']>;
type Status = NonNullable<Job['status']>;

const INDEX = 'batch.kubernetes.io/job-completion-index';
const TRACKING = 'batch.kubernetes.io/job-tracking';
const FOR_EVER = { 'simulation.kubernetes.io/run-duration': '3000s' };
const ends = (exitCode: number): Record<string, string> => ({
  'simulation.kubernetes.io/run-duration': '1s',
  'simulation.kubernetes.io/exit-code': String(exitCode),
});

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ controllers: ['job-controller'] });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

function createJob(at: Workspace, spec: Partial<JobSpec>, annotations: Record<string, string> = {}): Promise<Job> {
  const template = {
    metadata: { annotations },
    spec: { restartPolicy: 'Never', containers: [{ name: 'app', image: 'app:v1' }] },
  };
  return at.create(resources.jobs, { metadata: { name: 'work' }, spec: { template, ...spec } });
}

const live = (at: Workspace): Promise<Job> => at.get(resources.jobs, 'work');
const change = (at: Workspace, spec: object): Promise<Job> => at.merge(resources.jobs, { spec }, 'work');
const conditionsOf = (job: Job): string[] =>
  (job.status?.conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
const numbersOf = ({ status }: Job): Pick<Status, 'active' | 'ready' | 'succeeded' | 'failed' | 'terminating'> => {
  const { active, ready, succeeded, failed, terminating } = status ?? {};
  return JSON.parse(JSON.stringify({ active, ready, succeeded, failed, terminating })) as Status;
};
const podsOf = async (at: Workspace): Promise<Pod[]> => [...(await at.list(resources.pods))];
/** What was said of the Job, without single Pods. */
const told = async (at: Workspace): Promise<string[]> =>
  (await at.events('Job')).filter((line) => !/Successful(Create|Delete)/.test(line));

function reaches(at: Workspace, status: Partial<Status>, conditions: readonly string[]): Promise<Job> {
  return eventually(async () => {
    const job = await live(at);
    expect(conditionsOf(job)).toEqual(conditions);
    expect(job.status).toMatchObject(status);
    return job;
  });
}

const DONE = ['SuccessCriteriaMet=True CompletionsReached', 'Complete=True CompletionsReached'];
const failed = (reason: string): string[] => [`FailureTarget=True ${reason}`, `Failed=True ${reason}`];

describe.concurrent(`Jobs on the ${controlPlaneKind()}`, { timeout: 90_000 }, () => {
  test('run to their completions, are counted, and are left alone', async ({ at }) => {
    const { metadata } = await createJob(at, { parallelism: 2, completions: 3 });
    await eventually(async () => expect(numbersOf(await live(at))).toEqual({ active: 2, ready: 2, terminating: 0 }));
    const [pod] = await at.activePods();
    expect(pod!.metadata).toMatchObject({ generateName: 'work-', finalizers: [TRACKING] });
    expect(pod!.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'batch/v1',
        kind: 'Job',
        name: 'work',
        uid: metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    const job = await reaches(at, { succeeded: 3, uncountedTerminatedPods: {} }, DONE);
    expect(numbersOf(job)).toEqual({ succeeded: 3, ready: 0, terminating: 0 });
    expect(job.status!.completionTime! > job.status!.startTime!).toBe(true);
    expect((await podsOf(at)).flatMap((one) => one.metadata.finalizers ?? [])).toEqual([]);
    await eventually(async () => expect(await told(at)).toEqual(['Normal Completed Job completed']));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    expect((await live(at)).metadata.resourceVersion).toBe(job.metadata.resourceVersion);
  });

  test('fail when their Pods do too often, with a wait between', async ({ at }) => {
    await createJob(at, { backoffLimit: 1 }, ends(2));
    const job = await reaches(at, { failed: 2 }, failed('BackoffLimitExceeded'));
    expect(numbersOf(job)).toEqual({ failed: 2, ready: 0, terminating: 0 });
    const [first, second] = (await podsOf(at))
      .map((pod) => Date.parse(pod.metadata.creationTimestamp))
      .toSorted((a, b) => a - b);
    expect(second! - first!).toBeGreaterThanOrEqual(10_000);
    await eventually(async () =>
      expect(await told(at)).toEqual(['Warning BackoffLimitExceeded Job has reached the specified backoff limit']),
    );
  });

  test('report how many run while one that failed has to wait', async ({ at }) => {
    await createJob(at, { parallelism: 2, completions: 2, completionMode: 'Indexed' }, FOR_EVER);
    await eventually(async () => expect(numbersOf(await live(at))).toEqual({ active: 2, ready: 2, terminating: 0 }));
    const [pod] = await at.activePods();
    await at.client
      .resource(resources.pods)
      .patch(
        pod!.metadata,
        'strategic',
        { status: { phase: 'Failed', conditions: [{ type: 'Ready', status: 'False' }] } },
        { subresource: 'status' },
      );
    await eventually(async () => expect(await live(at)).toMatchObject({ status: { failed: 1 } }));
    await eventually(async () =>
      expect(numbersOf(await live(at))).toEqual({ active: 2, ready: 2, failed: 1, terminating: 0 }),
    );
  });

  test('end at their deadline, and are failed only when their Pods have ended', async ({ at }) => {
    await createJob(at, { activeDeadlineSeconds: 4 }, { ...FOR_EVER, ...ENDS_SLOWLY });
    await reaches(at, { terminating: 1, ready: 0 }, ['FailureTarget=True DeadlineExceeded']);
    const job = await reaches(at, { terminating: 0, failed: 1 }, failed('DeadlineExceeded'));
    expect(job.status).not.toHaveProperty('completionTime');
    expect(await podsOf(at)).toEqual([]);
  });

  test('are suspended and resumed', async ({ at }) => {
    await createJob(at, { suspend: true, parallelism: 2, completions: 2 }, FOR_EVER);
    await reaches(at, { ready: 0 }, ['Suspended=True JobSuspended']);
    expect(await podsOf(at)).toEqual([]);
    await change(at, { suspend: false });
    await reaches(at, { active: 2, ready: 2, startTime: expect.any(String) as string }, ['Suspended=False JobResumed']);
    await change(at, { suspend: true });
    const job = await reaches(at, { ready: 0, terminating: 0 }, ['Suspended=True JobSuspended']);
    expect(job.status).not.toHaveProperty('startTime');
    await eventually(async () => expect(await podsOf(at)).toEqual([]));
  });

  test('with indexes: each Pod knows its own, and counts for it', async ({ at }) => {
    await createJob(at, { completionMode: 'Indexed', parallelism: 3, completions: 3 });
    await eventually(async () => expect(await at.activePods()).toHaveLength(3));
    const pods = (await podsOf(at)).toSorted((a, b) => (a.spec!.hostname! < b.spec!.hostname! ? -1 : 1));
    expect(pods.map(({ spec }) => spec!.hostname)).toEqual(['work-0', 'work-1', 'work-2']);
    expect(pods[1]!.metadata).toMatchObject({
      generateName: 'work-1-',
      annotations: { [INDEX]: '1' },
      labels: { [INDEX]: '1' },
    });
    expect(pods[1]!.spec!.containers[0]!.env).toEqual([
      {
        name: 'JOB_COMPLETION_INDEX',
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${INDEX}']` } },
      },
    ]);
    await reaches(at, { succeeded: 3, completedIndexes: '0-2' }, DONE);
  });

  test('with a limit for each index: the others go on', async ({ at }) => {
    await createJob(
      at,
      { completionMode: 'Indexed', parallelism: 2, completions: 2, backoffLimitPerIndex: 0 },
      ends(7),
    );
    const job = await reaches(at, { failed: 2, failedIndexes: '0,1' }, failed('FailedIndexes'));
    expect(job.status).not.toHaveProperty('completedIndexes');
  });

  test('by a failure policy: fail at once, and say why', async ({ at }) => {
    const rules = [{ action: 'FailJob', onExitCodes: { containerName: 'app', operator: 'In', values: [42] } }];
    await createJob(at, { parallelism: 2, completions: 5, podFailurePolicy: { rules } }, ends(42));
    const job = await reaches(at, {}, failed('PodFailurePolicy'));
    expect(job.status!.conditions![0]!.message).toMatch(
      new RegExp(
        `^Container app for pod ${at.namespace}/work-\\w+ failed with exit code 42 matching FailJob rule at index 0$`,
      ),
    );
  });

  test('by a success policy: are done when enough indexes are', async ({ at }) => {
    await createJob(at, {
      completionMode: 'Indexed',
      parallelism: 1,
      completions: 4,
      successPolicy: { rules: [{ succeededCount: 2 }] },
    });
    const job = await reaches(at, { succeeded: 2, completedIndexes: '0,1' }, [
      'SuccessCriteriaMet=True SuccessPolicy',
      'Complete=True SuccessPolicy',
    ]);
    expect(job.status!.conditions![1]!.message).toBe('Matched rules at index 0');
    expect((await podsOf(at)).filter(isPodActive)).toEqual([]);
  });

  test('with completions that change: indexes come and go', async ({ at }) => {
    await createJob(at, { completionMode: 'Indexed', parallelism: 1, completions: 1 }, FOR_EVER);
    await eventually(async () => expect(numbersOf(await live(at))).toMatchObject({ active: 1 }));
    await change(at, { parallelism: 3, completions: 3 });
    await eventually(async () => expect(numbersOf(await live(at))).toEqual({ active: 3, ready: 3, terminating: 0 }));
    await change(at, { parallelism: 2, completions: 2 });
    await eventually(async () => expect(numbersOf(await live(at))).toEqual({ active: 2, ready: 2, terminating: 0 }));
    expect(new Set((await at.activePods()).map(({ spec }) => spec!.hostname))).toEqual(new Set(['work-0', 'work-1']));
  });

  test('that another controller manages are left alone', async ({ at }) => {
    await createJob(at, { managedBy: 'example.com/other' });
    await new Promise((resolve) => setTimeout(resolve, 3000));
    expect((await live(at)).status ?? {}).toEqual({});
    expect(await podsOf(at)).toEqual([]);
  });

  test('that are gone leave Pods that can go', async ({ at }) => {
    await createJob(at, { parallelism: 2, completions: 2 }, FOR_EVER);
    await eventually(async () => expect(await at.activePods()).toHaveLength(2));
    const [first] = await podsOf(at);
    await at.client
      .resource(resources.pods)
      .patch(first!.metadata, 'merge', { metadata: { ownerReferences: null, labels: null } });
    await at.client
      .resource(resources.jobs)
      .delete({ namespace: at.namespace, name: 'work' }, { propagationPolicy: 'Background' });
    await eventually(async () =>
      expect((await podsOf(at)).flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]),
    );
  });
});
