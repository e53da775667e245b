import { afterEach, describe, expect, test } from 'vitest';

import {
  type KubeObject,
  type NewObject,
  type Pod,
  type PodDisruptionBudget,
  type ReplicaSet,
  type ResourceType,
  keyOf,
  resources,
} from '#pkg/api';
import { deepFreeze, formatTime } from '#pkg/base';
import { type World, createWorld, deployment, pod, replicaSet } from '#pkg/testing';

import { newBudget } from './budgets.fixture.ts';
import { disruptionController } from './index.ts';

const { deployments, podDisruptionBudgets, pods, replicaSets } = resources;
const KEY = 'default/web';
const BARE = replicaSet({ name: 'bare', replicas: 3 });

let world: World;
/** How late changes of Pods reach the cache, ms. */
let podLag = 0;
afterEach(async () => {
  podLag = 0;
  await world.stop();
});

/** What there is at the start. */
type There = readonly [ResourceType, NewObject<KubeObject>];

async function start(...there: There[]): Promise<void> {
  world = createWorld({
    hostileNames: false,
    controllers: [disruptionController],
    lag: ({ kind }) => (kind === 'Pod' ? podLag : 0),
  });
  for (const [type, object] of there) world.cluster.create(type, object);
  await world.start();
  await world.clock.step(1000);
}

function budgetOf(spec: PodDisruptionBudget['spec'], name?: string): There {
  return [podDisruptionBudgets, newBudget({ selector: { matchLabels: { app: 'web' } }, ...spec }, name)];
}
const bare = (name: string): There => [pods, pod(name)];
/** Pods of a ReplicaSet whose UID is the first that the cluster gives. */
const owned = (count: number): There[] => {
  const owner: ReplicaSet = { ...BARE, metadata: { ...BARE.metadata, uid: 'replicasets-1' } };
  return [[replicaSets, BARE], ...Array.from({ length: count }, (_, i) => [pods, pod(`web-${i}`, owner)] as const)];
};
const status = (): PodDisruptionBudget['status'] => world.cluster.get(podDisruptionBudgets, KEY)!.status;
const statusWrites = (): number =>
  world.cluster.writes
    .splice(0)
    .filter(({ subresource, type }) => subresource === 'status' && type.kind === 'PodDisruptionBudget').length;

describe('a budget', () => {
  test('follows its Pods and what their controller wants, with one write a change', async () => {
    await start(...owned(3), budgetOf({ maxUnavailable: 1 }));
    expect(status()).toMatchObject({ currentHealthy: 3, desiredHealthy: 2, expectedPods: 3, disruptionsAllowed: 1 });
    expect(statusWrites()).toBe(1);
    world.cluster.delete(pods, 'default/web-1');
    await world.clock.step(1000);
    expect(status()).toMatchObject({
      currentHealthy: 2,
      disruptionsAllowed: 0,
      conditions: [{ reason: 'InsufficientPods' }],
    });
    // Only the scale changes, and no Pod does.
    world.cluster.change(replicaSets, 'default/bare', (live) => ({ ...live, spec: { ...live.spec!, replicas: 2 } }));
    await world.clock.step(1000);
    expect(status()).toMatchObject({ currentHealthy: 2, desiredHealthy: 1, expectedPods: 2, disruptionsAllowed: 1 });
    expect(statusWrites()).toBe(2);
    expect(world.events.take()).toEqual([]);
  });

  test('says at once that fewer may go, and that more may a little later, with one write for many', async () => {
    await start(...owned(3), budgetOf({ maxUnavailable: 2 }));
    statusWrites();
    const readiness =
      (value: string) =>
      (one: Pod): Pod => ({ ...one, status: { ...one.status, conditions: [{ type: 'Ready', status: value }] } });
    world.cluster.change(pods, 'default/web-0', readiness('False'));
    await world.clock.step(10);
    expect(status()).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 });
    world.cluster.change(pods, 'default/web-1', readiness('False'));
    await world.clock.step(10);
    expect([statusWrites(), status()!.disruptionsAllowed]).toEqual([2, 0]);
    for (const name of ['web-0', 'web-1']) {
      world.cluster.change(pods, `default/${name}`, readiness('True'));
      await world.clock.step(200);
    }
    expect([statusWrites(), status()!.disruptionsAllowed]).toEqual([0, 0]);
    await world.clock.step(200);
    expect([statusWrites(), status()!.disruptionsAllowed]).toEqual([1, 2]);
  });

  test('goes by the Deployment and not by its ReplicaSets', async () => {
    const { metadata, ...owner } = deployment({ spec: { replicas: 5 } });
    const uid = 'deployments-1';
    const set = replicaSet({ name: 'bare', replicas: 2, owner: { ...owner, metadata: { ...metadata, uid } } });
    const member = pod('web-0', { ...set, metadata: { ...set.metadata, uid: 'replicasets-2' } });
    await start(
      [deployments, { ...owner, metadata }],
      [replicaSets, set],
      [pods, member],
      budgetOf({ minAvailable: '50%' }),
    );
    expect(status()).toMatchObject({ currentHealthy: 1, desiredHealthy: 3, expectedPods: 5 });
  });

  test('without a label of its own is left, and another entered, when a Pod changes its labels', async () => {
    const other = { selector: { matchLabels: { app: 'other' } }, minAvailable: 0 };
    await start(bare('a'), bare('b'), budgetOf({ minAvailable: 1 }), [podDisruptionBudgets, newBudget(other, 'other')]);
    world.cluster.change(pods, 'default/b', (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: { app: 'other' } },
    }));
    await world.clock.step(1000);
    expect(status()).toMatchObject({ expectedPods: 1, disruptionsAllowed: 0 });
    expect(world.cluster.get(podDisruptionBudgets, 'default/other')!.status).toMatchObject({
      expectedPods: 1,
      disruptionsAllowed: 1,
    });
  });

  test('that selects nothing says so; one with an empty selector takes all of its namespace', async () => {
    await start(budgetOf({ minAvailable: 1 }), bare('a'), [
      podDisruptionBudgets,
      newBudget({ selector: {}, minAvailable: 0 }, 'all'),
    ]);
    expect(world.cluster.get(podDisruptionBudgets, 'default/all')!.status).toMatchObject({
      expectedPods: 1,
      disruptionsAllowed: 1,
    });
    world.events.take();
    world.cluster.finish(pods, 'default/a');
    await world.clock.step(1000);
    expect(world.events.take()).toEqual([
      'Normal NoPods No matching pods found',
      'Normal NoPods No matching pods found',
    ]);
  });

  test('is not touched by what of a Pod it does not count', async () => {
    await start(bare('a'), budgetOf({ minAvailable: 1 }));
    world.cluster.change(pods, 'default/a', (live) => ({ ...live, status: { ...live.status, hostIP: '10.0.0.1' } }));
    world.cluster.finish(pods, 'default/none');
    await world.clock.step(1000);
    expect(statusWrites()).toBe(1);
  });
});

describe('where it can not be told', () => {
  test('how many Pods there should be nothing is allowed, and it is tried again', async () => {
    const stranger = { ...BARE, metadata: { ...BARE.metadata, uid: 'gone' } };
    await start([pods, pod('web-0', stranger)], budgetOf({ maxUnavailable: 1 }));
    const problem = 'no matches for kind "ReplicaSet" in version "apps/v1"';
    expect(status()).toMatchObject({
      disruptionsAllowed: 0,
      conditions: [{ status: 'False', reason: 'SyncFailed', message: problem }],
    });
    expect(world.events.take()).toContain(
      `Warning CalculateExpectedPodCountFailed Failed to calculate the number of expected pods: ${problem}`,
    );
    expect(statusWrites()).toBe(1);
    // Of the next ReplicaSet of this name nobody tells the budget: its template has other labels.
    world.cluster.create(replicaSets, { ...stranger, spec: { ...stranger.spec!, template: {} } });
    world.cluster.change(replicaSets, 'default/bare', (live) =>
      deepFreeze({ ...live, metadata: { ...live.metadata, uid: 'gone' } }),
    );
    await world.clock.step(600_000);
    expect(status()).toMatchObject({ expectedPods: 3, conditions: [{ reason: 'InsufficientPods', message: '' }] });
  });

  test('what is not managed is left out, and told of', async () => {
    await start(...owned(3), bare('lonely'), budgetOf({ maxUnavailable: 1 }));
    expect(status()).toMatchObject({ currentHealthy: 4, desiredHealthy: 2, expectedPods: 3, disruptionsAllowed: 2 });
    expect(world.events.take()[0]).toBe(
      'Warning UnmanagedPods Pods selected by this PodDisruptionBudget (selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.',
    );
  });

  test('a write that is refused is repeated, and one that conflicts is no failure', async () => {
    await start(bare('a'), budgetOf({ minAvailable: 0 }));
    world.cluster.fault = ({ subresource }) => (subresource === 'status' ? 'refuse' : undefined);
    world.cluster.finish(pods, 'default/a');
    await world.clock.step(100);
    world.cluster.fault = () => undefined;
    await world.clock.step(60_000);
    expect(status()).toMatchObject({
      expectedPods: 0,
      disruptionsAllowed: 0,
      conditions: [{ reason: 'InsufficientPods' }],
    });
  });
});

test('of several budgets of a Pod all count it, and it is told of', async () => {
  await start(bare('a'), budgetOf({ minAvailable: 0 }), budgetOf({ minAvailable: 0 }, 'second'));
  world.events.take();
  world.cluster.change(pods, 'default/a', (live) => ({ ...live, status: { ...live.status, conditions: [] } }));
  await world.clock.step(1000);
  expect(world.events.take()).toEqual([
    'Warning MultiplePodDisruptionBudgets Pod "default"/"a" matches multiple PodDisruptionBudgets.  Chose "web" arbitrarily.',
  ]);
  expect(
    ['default/web', 'default/second'].map(
      (key) => world.cluster.get(podDisruptionBudgets, key)!.status!.currentHealthy,
    ),
  ).toEqual([0, 0]);
});

describe('an eviction', () => {
  function evict(name: string): void {
    world.cluster.change(podDisruptionBudgets, KEY, (live) => ({
      ...live,
      status: {
        ...live.status!,
        disruptionsAllowed: live.status!.disruptionsAllowed! - 1,
        disruptedPods: { ...live.status!.disruptedPods, [name]: formatTime(world.clock.now()) },
      },
    }));
  }

  test('counts until its Pod is seen to be deleted', async () => {
    await start(bare('a'), bare('b'), budgetOf({ minAvailable: 1 }));
    evict('a');
    await world.clock.step(1000);
    expect(status()).toMatchObject({
      currentHealthy: 1,
      disruptionsAllowed: 0,
      disruptedPods: { a: expect.any(String) as string },
    });
    world.cluster.finish(pods, 'default/a');
    await world.clock.step(1000);
    expect(status()).toMatchObject({ currentHealthy: 1, expectedPods: 1, disruptionsAllowed: 0 });
    expect(status()).not.toHaveProperty('disruptedPods');
  });

  test('of a Pod that is still there after two minutes is forgotten, and told of', async () => {
    await start(bare('a'), bare('b'), budgetOf({ minAvailable: 1 }));
    evict('a');
    await world.clock.step(119_000);
    expect(status()).toMatchObject({ currentHealthy: 1 });
    await world.clock.step(2000);
    expect(status()).toMatchObject({ currentHealthy: 2, disruptionsAllowed: 1 });
    expect(world.events.take()).toEqual([
      "Warning NotDeleted Pod was expected by PDB default/default to be deleted but it wasn't",
    ]);
  });

  test('of a Pod that a late cache does not have yet is not taken for done', async () => {
    await start(bare('a'), bare('b'), bare('c'), budgetOf({ minAvailable: 2 }));
    podLag = 10_000;
    world.cluster.create(pods, pod('new'));
    await world.clock.step(5000);
    evict('new');
    // The Pods of the cache are now older than the budget: the new one is not there yet.
    await world.clock.step(1000);
    expect(status()).toMatchObject({
      currentHealthy: 3,
      disruptionsAllowed: 1,
      disruptedPods: { new: expect.any(String) as string },
    });
    world.cluster.finish(pods, 'default/new');
    // Here it is, ready as it was before its eviction; its deletion is still to come.
    await world.clock.step(5000);
    expect(status()).toMatchObject({ currentHealthy: 3, expectedPods: 4, disruptionsAllowed: 1 });
    await world.clock.step(10_000);
    expect(status()).toMatchObject({ currentHealthy: 3, expectedPods: 3, disruptionsAllowed: 1 });
    expect(status()).not.toHaveProperty('disruptedPods');
  });
});

describe('a disruption that was announced', () => {
  const announced = (name: string, parts: object = {}, status_: Pod['status'] = {}): There => {
    const lastTransitionTime = formatTime(Date.parse('2026-01-01T00:00:00Z'));
    const conditions = [
      { type: 'Ready', status: 'True' },
      {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'EvictionByEvictionAPI',
        message: 'm',
        lastTransitionTime,
        ...parts,
      },
    ];
    return [pods, pod(name, undefined, { conditions, ...status_ })];
  };
  const conditionOf = (key: string): unknown =>
    world.cluster.get(pods, key)!.status!.conditions!.find(({ type }) => type === 'DisruptionTarget');

  test('and did not come is taken back after two minutes, once', async () => {
    await start(announced('a'));
    expect(conditionOf('default/a')).toMatchObject({ status: 'True' });
    await world.clock.step(130_000);
    expect(conditionOf('default/a')).toEqual({
      type: 'DisruptionTarget',
      status: 'False',
      observedGeneration: 1,
      lastTransitionTime: expect.any(String) as string,
    });
    await world.clock.step(600_000);
    expect(
      world.cluster.writes.map(({ verb, type, subresource }) => `${verb} ${type.resource}/${subresource}`),
    ).toEqual(['patch pods/status']);
  });

  test('stays where the kubelet said so, where the Pod has ended, and where it is being deleted', async () => {
    await start(
      announced('kubelet', { reason: 'TerminationByKubelet' }),
      announced('ended', {}, { phase: 'Failed' }),
      announced('going'),
    );
    world.cluster.change(pods, 'default/going', (live) => ({ ...live, spec: { ...live.spec!, nodeName: 'n' } }));
    world.cluster.delete(pods, 'default/going');
    await world.clock.step(600_000);
    for (const one of world.cluster.list(pods)) expect(conditionOf(keyOf(one))).toMatchObject({ status: 'True' });
  });

  test('anew while it was being taken back is told anew, and taken back later', async () => {
    await start(announced('a'));
    podLag = 20_000;
    await world.clock.step(115_000);
    const lastTransitionTime = formatTime(world.clock.now());
    world.cluster.change(pods, 'default/a', (live) => ({
      ...live,
      status: { ...live.status, conditions: [{ type: 'DisruptionTarget', status: 'True', lastTransitionTime }] },
    }));
    await world.clock.step(100_000);
    expect(conditionOf('default/a')).toMatchObject({ status: 'True' });
    await world.clock.step(60_000);
    expect(conditionOf('default/a')).toMatchObject({ status: 'False' });
  });
});
