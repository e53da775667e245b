import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { type NewObject, type Pod, type PodDisruptionBudget, isApiError, isPodReady, resources } from '#pkg/api';
import { type ServerWorld, createServerWorld, podTemplate } from '#pkg/testing';

import { replicaSetController } from '../replicaset/index.ts';
import { disruptionController } from './index.ts';

const { podDisruptionBudgets, pods, replicaSets } = resources;

let world: ServerWorld;

async function start(seed = 1): Promise<void> {
  world = createServerWorld({
    controllers: [disruptionController, replicaSetController],
    seed,
    simulation: { delays: { start: 3000, termination: 2000 } },
  });
  await world.start();
}

async function replicas(count: number, spec: PodDisruptionBudget['spec']): Promise<void> {
  await world.create(replicaSets, {
    metadata: { name: 'web' },
    spec: { replicas: count, selector: { matchLabels: { app: 'web' } }, template: podTemplate() },
  });
  await world.create(podDisruptionBudgets, {
    metadata: { name: 'web' },
    spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
  });
  await world.clock.step(20_000);
}

/** `evicted`, or the code of the refusal. */
async function evict(name: string): Promise<string> {
  const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: 'default' } };
  try {
    await world.client.request({ method: 'POST', path: `/api/v1/namespaces/default/pods/${name}/eviction`, body });
    return 'evicted';
  } catch (error) {
    if (isApiError(error)) return String(error.data.status);
    throw error;
  }
}

const healthy = (there: readonly Pod[]): Pod[] =>
  there.filter((one) => isPodReady(one) && one.metadata.deletionTimestamp === undefined);
const status = async (): Promise<PodDisruptionBudget['status']> =>
  (await world.get(podDisruptionBudgets, 'web')).status;

describe('evictions', () => {
  beforeEach(() => start());
  afterEach(() => world.stop());

  test('go through while the budget lasts, and again when it has recovered', async () => {
    await replicas(3, { maxUnavailable: 1 });
    expect(await status()).toMatchObject({
      currentHealthy: 3,
      desiredHealthy: 2,
      expectedPods: 3,
      disruptionsAllowed: 1,
    });
    const [a, b] = (await world.list(pods)).map(({ metadata }) => metadata.name);
    expect([await evict(a!), await evict(b!)]).toEqual(['evicted', '429']);
    await world.clock.step(1000);
    expect(await status()).toMatchObject({
      currentHealthy: 2,
      disruptionsAllowed: 0,
      conditions: [{ status: 'False', reason: 'InsufficientPods' }],
    });
    expect(await evict(b!)).toBe('429');
    await world.clock.step(20_000);
    expect(await status()).toMatchObject({
      currentHealthy: 3,
      disruptionsAllowed: 1,
      conditions: [{ status: 'True', reason: 'SufficientPods' }],
    });
    expect(await evict(b!)).toBe('evicted');
  });

  test('cost a write or two each, by the permissions of the controller; a settled budget costs nothing', async () => {
    await replicas(3, { minAvailable: '50%' });
    world.takeRequests();
    await evict((await world.list(pods))[0]!.metadata.name);
    await world.clock.step(20_000);
    const own = world.takeRequests().filter((request) => request.includes('poddisruptionbudgets'));
    expect(own.every((request) => request === 'update poddisruptionbudgets/status')).toBe(true);
    expect(own.length).toBeLessThanOrEqual(3);
    await world.clock.step(3_600_000);
    expect(world.takeRequests()).toEqual([]);
  });
});

describe('the scale', () => {
  beforeEach(() => start());
  afterEach(() => world.stop());

  test('of what no cache has is asked of the server, of what has none it is told', async () => {
    const owned = (kind: string, name: string, uid: string): NewObject<Pod> => ({
      metadata: {
        name: `${name}-0`,
        labels: { app: 'web' },
        ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid, controller: true }],
      },
      spec: podTemplate().spec!,
    });
    await world.create(podDisruptionBudgets, {
      metadata: { name: 'web' },
      spec: { selector: { matchLabels: { app: 'web' } }, maxUnavailable: 1 },
    });
    await world.create(pods, owned('DaemonSet', 'agent', 'none'));
    await world.clock.step(1000);
    const told = (message: string): object => ({
      disruptionsAllowed: 0,
      conditions: [{ reason: 'SyncFailed', message }],
    });
    expect(await status()).toMatchObject(told('daemonsets.apps does not implement the scale subresource'));
    await world.client.resource(pods).delete({ namespace: 'default', name: 'agent-0' }, { gracePeriodSeconds: 0 });
    await world.create(pods, owned('ReplicaSet', 'gone', 'none'));
    await world.clock.step(1000);
    expect(await status()).toMatchObject(told('found no controllers for pod "gone-0"'));
    expect(world.takeRequests()).toContain('get replicasets/scale 404');
    expect(world.events.take()).toContain(
      'Warning CalculateExpectedPodCountFailed Failed to calculate the number of expected pods: found no controllers for pod "gone-0"',
    );
  });
});

describe('a disruption that was announced', () => {
  beforeEach(() => start());
  afterEach(() => world.stop());

  test('and did not come is taken back by a patch that the server takes', async () => {
    await world.create(pods, { metadata: { name: 'a' }, spec: podTemplate().spec! });
    await world.clock.step(10_000);
    const lastTransitionTime = '2026-01-01T00:00:10Z';
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: 'm',
      lastTransitionTime,
    };
    await world.client
      .resource(pods)
      .patch(
        { namespace: 'default', name: 'a' },
        'strategic',
        { status: { conditions: [condition] } },
        { subresource: 'status' },
      );
    await world.clock.step(130_000);
    const found = (await world.get(pods, 'a')).status!.conditions!.find(({ type }) => type === 'DisruptionTarget');
    expect(found).toEqual({
      type: 'DisruptionTarget',
      status: 'False',
      observedGeneration: 1,
      lastProbeTime: null,
      lastTransitionTime: '2026-01-01T00:02:10Z',
    });
    expect(world.takeRequests()).toEqual(['patch pods/status']);
  });
});

test('however many evict at a time, the budget is never overdrawn', async () => {
  const spec = fc.oneof(
    fc.record({ minAvailable: fc.constantFrom(1, 3, '50%', '75%') }),
    fc.record({ maxUnavailable: fc.constantFrom(1, 2, '30%') }),
  );
  const burst = fc.record({ evictions: fc.integer({ min: 1, max: 6 }), after: fc.nat(6000) });
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      spec,
      fc.integer({ min: 2, max: 6 }),
      fc.array(burst, { minLength: 1, maxLength: 8 }),
      async (seed, demand, count, bursts) => {
        await start(seed);
        try {
          await replicas(count, demand);
          const { desiredHealthy = 0 } = (await status())!;
          for (const { evictions, after } of bursts) {
            const there = await world.list(pods);
            const outcomes = await Promise.all(there.slice(0, evictions).map(({ metadata }) => evict(metadata.name)));
            const left = healthy(await world.list(pods)).length;
            // One that is not ready may go in any case.
            const bound = outcomes.includes('evicted') ? Math.min(desiredHealthy, healthy(there).length) : 0;
            expect(left).toBeGreaterThanOrEqual(bound);
            await world.clock.step(after);
          }
          await world.clock.step(200_000);
          const { disruptedPods, ...settled } = (await status())!;
          expect({ disruptedPods, healthy: settled.currentHealthy }).toEqual({
            disruptedPods: undefined,
            healthy: count,
          });
        } finally {
          await world.stop();
        }
      },
    ),
    { numRuns: 12 },
  );
});
