import { afterEach, describe, expect, test } from 'vitest';

import { type Job, type Pod, resources } from '#pkg/api';
import { type JobParts, type World, createWorld, newJob, runJobKubelet } from '#pkg/testing';

import { podGroupName, workloadName } from './gang.ts';
import { jobController } from './index.ts';

const { jobs, pods, podGroups, workloads } = resources;
const gang: JobParts['spec'] = { completionMode: 'Indexed', parallelism: 3, completions: 3 };

let world: World;
let endKubelet = (): void => {};
async function started(): Promise<World> {
  world = createWorld({ controllers: [jobController], gates: { GenericWorkload: true, WorkloadWithJob: true } });
  endKubelet = runJobKubelet({ cluster: world.cluster, clock: world.clock, ends: () => undefined });
  await world.start();
  return world;
}

const create = (spec: JobParts['spec']): Job => world.cluster.create(jobs, newJob({ spec }));
const groupsOf = (all: readonly Pod[]): unknown[] => all.map(({ spec }) => spec?.schedulingGroup?.podGroupName);

describe('Jobs scheduled as a group', () => {
  afterEach(async () => {
    await world.stop();
    endKubelet();
  });

  test('get their Workload and PodGroup before their Pods, which name it; and never another', async () => {
    await started();
    const { metadata } = create(gang);
    await world.clock.step(5000);
    const [workload] = world.cluster.list(workloads);
    const [group] = world.cluster.list(podGroups);
    expect(workload!.spec).toEqual({
      controllerRef: { apiGroup: 'batch', kind: 'Job', name: 'work' },
      podGroupTemplates: [{ name: 'work-pgt-0', schedulingPolicy: { gang: { minCount: 3 } } }],
    });
    expect(group!.metadata.ownerReferences!.map(({ kind, uid, controller }) => [kind, uid, controller])).toEqual([
      ['Job', metadata.uid, true],
      ['Workload', workload!.metadata.uid, undefined],
    ]);
    expect(groupsOf(world.cluster.list(pods))).toEqual(Array(3).fill(group!.metadata.name));
    expect(world.events.lines[0]).toBe(
      `Normal WorkloadCreated Created Workload ${workload!.metadata.name} for Job work`,
    );
    world.cluster.delete(pods, `default/${world.cluster.list(pods)[0]!.metadata.name}`);
    await world.clock.step(60_000);
    expect(groupsOf(world.cluster.list(pods))).toEqual(Array(3).fill(group!.metadata.name));
    expect([world.cluster.list(workloads), world.cluster.list(podGroups)]).toMatchObject([
      { length: 1 },
      { length: 1 },
    ]);
  });

  test.each<[string, JobParts['spec']]>([
    ['has no indexes', { parallelism: 3, completions: 3 }],
    ['runs one after the other', { ...gang, parallelism: 1, completions: 1 }],
    ['runs some at a time', { ...gang, parallelism: 2 }],
  ])('not one that %s', async (_, spec) => {
    await started();
    create(spec);
    await world.clock.step(5000);
    expect(world.cluster.list(workloads)).toEqual([]);
    expect(groupsOf(world.cluster.list(pods)).every((name) => name === undefined)).toBe(true);
  });

  test("not one whose Workload is somebody else's", async () => {
    await started();
    world.cluster.create(workloads, {
      metadata: { name: 'theirs', namespace: 'default' },
      spec: { controllerRef: { apiGroup: 'batch', kind: 'Job', name: 'work' }, podGroupTemplates: [] },
    });
    create(gang);
    await world.clock.step(5000);
    expect(world.cluster.list(podGroups)).toEqual([]);
    expect(groupsOf(world.cluster.list(pods))).toEqual([undefined, undefined, undefined]);
  });
});

test('names are made of a hash, and of as much as there is room for', () => {
  const metadata = { uid: '0f4f2f3e-6a2b-4c1d-9a61-2f3f8b1f7d10', resourceVersion: '1', creationTimestamp: '' };
  expect(workloadName({ metadata: { ...metadata, name: 'train' } })).toMatch(
    /^train-[bcdfghjklmnpqrstvwxz2456789]{7,10}$/,
  );
  expect(workloadName({ metadata: { ...metadata, name: 'n'.repeat(253) } })).toHaveLength(253);
  const short = podGroupName('w'.repeat(10), 't'.repeat(253));
  const long = podGroupName('w'.repeat(240), 't'.repeat(100));
  expect([short.length, long.length]).toEqual([253, 253]);
  expect(short).toMatch(/^w{10}-t+-/);
  expect(long).toMatch(/^w+-t{100}-/);
});
