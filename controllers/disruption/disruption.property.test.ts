import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type Pod, type PodDisruptionBudget, isPodReady, keyOf, resources } from '#pkg/api';
import { seededRandom } from '#pkg/base';
import { type Fault, type World, createWorld, pod, runFakeKubelet } from '#pkg/testing';

import { Evictions, demandsOf, newBudget, runWorkloads } from './budgets.fixture.ts';
import { disruptionController } from './index.ts';

const { deployments, podDisruptionBudgets, pods } = resources;
const KEY = 'default/web';

const settings = fc.record({
  /** With the real informers, over lists and watches that may break; they are never late by themselves. */
  realInformers: fc.constant<boolean>(false),
  seed: fc.nat(),
  lag: fc.integer({ min: 0, max: 4000 }),
  /** How much later than that Pods are seen: after the budget that tells of their evictions. */
  podLag: fc.constantFrom(0, 0, 6000),
  latency: fc.integer({ min: 0, max: 300 }),
  faults: fc.constantFrom(0, 0.1, 0.4),
  deployed: fc.integer({ min: 0, max: 5 }),
  bare: fc.integer({ min: 0, max: 3 }),
});
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;
type Spec = NonNullable<PodDisruptionBudget['spec']>;

const share = fc.constantFrom('0%', '30%', '50%', '99%');
const demand: fc.Arbitrary<Spec> = fc.oneof(
  fc.record({ minAvailable: fc.oneof(fc.nat(6), share) }),
  fc.record({ maxUnavailable: fc.oneof(fc.nat(4), share) }),
  fc.record({ minAvailable: fc.nat(6), unhealthyPodEvictionPolicy: fc.constantFrom('AlwaysAllow', 'IfHealthyBudget') }),
);

/** What users, drains and nodes do. `of` picks a Pod among those there. */
type Action =
  | { readonly do: 'demand'; readonly spec: Spec }
  | { readonly do: 'scale'; readonly replicas: number }
  | { readonly do: 'touch' | 'cut' | 'recreate' }
  | {
      readonly do: 'evict' | 'evict newest' | 'half' | 'kill' | 'vanish' | 'fail' | 'relabel' | 'bare';
      readonly of: number;
    };

/** Whatever of a Pod's health changes for the worse is an eviction: the budget must hold then. */
const calm: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('evict' as const, 'evict' as const, 'evict newest' as const, 'half' as const),
      of: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('demand' as const), spec: demand }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('touch' as const) }) },
);
const wild: fc.Arbitrary<Action> = fc.oneof(
  calm,
  // A budget made anew knows of no evictions.
  fc.record({ do: fc.constant('recreate' as const) }),
  fc.record({ do: fc.constant('scale' as const), replicas: fc.nat(5) }),
  fc.record({
    do: fc.constantFrom('kill' as const, 'vanish' as const, 'fail' as const, 'relabel' as const, 'bare' as const),
    of: fc.nat(20),
  }),
);
const cutting: fc.Arbitrary<Action> = fc.oneof(wild, fc.record({ do: fc.constant('cut' as const) }));
/** Evictions come in bursts. */
const script = (action: fc.Arbitrary<Action>) =>
  fc.array(fc.record({ action, after: fc.oneof(fc.constant(0), fc.nat(200), fc.nat(8000), fc.constant(125_000)) }), {
    maxLength: 25,
  });

function build(set: Settings, spec: Spec): { world: World; evictions: Evictions; end: () => void } {
  const chance = seededRandom(set.seed);
  const world = createWorld({
    controllers: [disruptionController],
    seed: set.seed,
    realInformers: set.realInformers,
    lag: ({ kind }) => Math.floor(chance() * set.lag) + (kind === 'Pod' ? set.podLag : 0),
    latency: () => Math.floor(chance() * set.latency),
  });
  const { cluster, clock } = world;
  const endKubelet = runFakeKubelet({
    cluster,
    clock,
    startAfter: () => 100 + chance() * 3000,
    endAfter: () => chance() * 5000,
  });
  const endWorkloads = runWorkloads(world, set, () => chance() * 2000);
  cluster.create(podDisruptionBudgets, newBudget(selecting(spec)));
  const faults = seededRandom(set.seed + 1);
  cluster.fault = (): Fault => (faults() < set.faults ? (faults() < 0.5 ? 'lose' : 'refuse') : undefined);
  const evictions = new Evictions(world, () => Math.floor(chance() * 100));
  return {
    world,
    evictions,
    end() {
      endWorkloads();
      endKubelet();
    },
  };
}

function selecting(spec: Spec): Spec {
  return { ...spec, selector: { matchLabels: { app: 'web' } } };
}

function act(world: World, action: Action, evictions: Evictions): void {
  const { cluster } = world;
  const budget = cluster.get(podDisruptionBudgets, KEY)!;
  switch (action.do) {
    case 'demand':
      return void cluster.update(podDisruptionBudgets, { ...budget, spec: selecting(action.spec) });
    case 'scale':
      return void cluster.change(deployments, KEY, (live) => ({
        ...live,
        spec: { ...live.spec!, replicas: action.replicas },
      }));
    case 'touch':
      return touch(world);
    case 'cut':
      return cluster.cutWatches();
    case 'recreate':
      cluster.finish(podDisruptionBudgets, KEY);
      return void cluster.create(podDisruptionBudgets, newBudget(budget.spec));
    case 'bare':
      return void (cluster.get(pods, `default/stray-${action.of}`) ?? cluster.create(pods, pod(`stray-${action.of}`)));
    default: {
      const there = cluster.list(pods);
      const newest = there.filter((one) => isPodReady(one)).at(-1);
      if (action.do === 'evict newest') return newest && void evictions.evict(newest, false);
      if (there.length > 0) meddle(world, action.do, there[action.of % there.length]!, evictions);
    }
  }
}

function meddle({ cluster }: World, how: string, chosen: Pod, evictions: Evictions): void {
  const key = keyOf(chosen);
  if (how === 'evict' || how === 'half') void evictions.evict(chosen, how === 'half');
  else if (how === 'kill') cluster.delete(pods, key);
  else if (how === 'vanish') cluster.finish(pods, key);
  else if (how === 'fail')
    cluster.change(pods, key, (old) => ({
      ...old,
      status: { ...old.status, conditions: [{ type: 'Ready', status: 'False' }] },
    }));
  else {
    const app = chosen.metadata.labels?.['app'] === 'web' ? 'other' : 'web';
    cluster.change(pods, key, (old) => ({ ...old, metadata: { ...old.metadata, labels: { app } } }));
  }
}

/** A change that asks for a sync and for nothing else. */
function touch({ cluster }: World): void {
  const annotations = { touched: cluster.resourceVersion };
  cluster.change(podDisruptionBudgets, KEY, (budget) => ({ ...budget, metadata: { ...budget.metadata, annotations } }));
}

async function expectSettled(world: World): Promise<void> {
  const { cluster, clock } = world;
  cluster.fault = () => undefined;
  // Watches that broke may take a minute to come back, evictions are given up after two, and failures wait up to 17.
  await clock.step(1_300_000);
  const budget = cluster.get(podDisruptionBudgets, KEY)!;
  const { selected, expectedPods, desiredHealthy } = demandsOf(world, budget);
  const currentHealthy = selected.filter(
    (one) => isPodReady(one) && one.metadata.deletionTimestamp === undefined,
  ).length;
  const disruptionsAllowed = expectedPods === 0 ? 0 : Math.max(0, currentHealthy - desiredHealthy);
  const { conditions, ...counts } = budget.status!;
  expect(counts).toEqual({
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptionsAllowed,
    observedGeneration: budget.metadata.generation,
  });
  expect(conditions).toMatchObject([{ reason: disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods' }]);

  cluster.writes.length = 0;
  touch(world);
  await clock.step(600_000);
  expect(cluster.writes).toEqual([]);
}

async function run(set: Settings, spec: Spec, steps: readonly { action: Action; after: number }[]): Promise<Evictions> {
  const { world, evictions, end } = build(set, spec);
  await world.start();
  try {
    await world.clock.step(20_000);
    for (const { action, after } of steps) {
      await world.clock.step(after);
      act(world, action, evictions);
    }
    await world.clock.step(10_000);
    await expectSettled(world);
    return evictions;
  } finally {
    await world.stop();
    end();
  }
}

describe('random worlds', () => {
  test('whatever is done and fails, the status comes to say what there is, and then nothing is written', async () => {
    await fc.assert(
      fc.asyncProperty(settings, demand, script(wild), async (set, spec, steps) => void (await run(set, spec, steps))),
      { numRuns: 60 },
    );
  });

  test('the same with real informers whose watches break', async () => {
    const real = settings.map((set) => ({ ...set, realInformers: true }));
    await fc.assert(
      fc.asyncProperty(real, demand, script(cutting), async (set, spec, steps) => void (await run(set, spec, steps))),
      { numRuns: 20 },
    );
  });

  test('no budget is overdrawn, however evictions and syncs meet', async () => {
    let granted = 0;
    // A controller that has lost all of its Pods is not counted, and a late cache may go on not to count it.
    const single = settings.map((set) => ({ ...set, bare: 0 }));
    await fc.assert(
      fc.asyncProperty(single, demand, script(calm), async (set, spec, steps) => {
        const evictions = await run(set, spec, steps);
        granted += evictions.granted;
        expect(evictions.overdrawn).toEqual([]);
      }),
      { numRuns: 120 },
    );
    expect(granted).toBeGreaterThan(50);
  });
});
