import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type Pod,
  type ReplicaSet,
  controllerOf,
  isControlledBy,
  isPodActive,
  isPodReady,
  keyOf,
  resources,
} from '#pkg/api';
import { seededRandom } from '#pkg/base';
import {
  type ClusterRequest,
  type Fault,
  type World,
  createWorld,
  pod,
  replicaSet,
  runFakeKubelet,
} from '#pkg/testing';

import { replicaSetController } from './index.ts';

const { pods, replicaSets } = resources;
const KEY = 'default/web-1';
const MAX_LAG = 4000;

/** What users, nodes and other controllers do. `of` picks a Pod among those there. */
const scaling = fc.record({ do: fc.constant('scale' as const), replicas: fc.integer({ min: 0, max: 7 }) });
const touching = fc.record({ do: fc.constant('touch' as const) });
const meddling = fc.record({
  do: fc.constantFrom(
    'kill' as const,
    'vanish' as const,
    'fail' as const,
    'relabel' as const,
    'stray' as const,
    'recreate' as const,
  ),
  of: fc.nat(20),
});
type Action = { readonly do: 'scale'; readonly replicas: number } | { readonly do: string; readonly of?: number };

const script = (action: fc.Arbitrary<Action>) =>
  fc.array(fc.record({ action, after: fc.nat(6000) }), { maxLength: 12 });
const cutting = fc.record({ do: fc.constant('cut' as const) });
const settings = fc.record({
  /** With the real informers, over lists and watches that may break; they are never late by themselves. */
  realInformers: fc.constant<boolean>(false),
  seed: fc.nat(),
  consistency: fc.boolean(),
  lag: fc.integer({ min: 0, max: MAX_LAG }),
  latency: fc.integer({ min: 0, max: 300 }),
  faults: fc.constantFrom(0, 0.1, 0.4),
  minReadySeconds: fc.constantFrom(0, 5),
});
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;

function build({ realInformers, seed, consistency, lag, latency, minReadySeconds }: Settings): {
  world: World;
  endKubelet: () => void;
} {
  const chance = seededRandom(seed);
  const world = createWorld({
    controllers: [replicaSetController],
    seed,
    realInformers,
    gates: { StaleControllerConsistencyReplicaSet: consistency },
    lag: () => Math.floor(chance() * lag),
    latency: () => Math.floor(chance() * latency),
  });
  const { cluster, clock } = world;
  const endKubelet = runFakeKubelet({
    cluster,
    clock,
    startAfter: () => chance() * 3000,
    endAfter: () => chance() * 5000,
    nodes: ['a', 'b', 'c'],
  });
  create(world, 3, minReadySeconds);
  return { world, endKubelet };
}

function create({ cluster }: World, replicas: number, minReadySeconds: number): void {
  const { status: _, ...owner } = replicaSet({ replicas });
  cluster.create(replicaSets, { ...owner, spec: { ...owner.spec!, minReadySeconds } });
}

function act({ cluster }: World, action: Action, minReadySeconds: number): void {
  const all = cluster.list(pods);
  const chosen = all.length === 0 ? undefined : all[('of' in action ? (action.of ?? 0) : 0) % all.length];
  const live = cluster.get(replicaSets, KEY)!;
  if ('replicas' in action)
    cluster.update(replicaSets, { ...live, spec: { ...live.spec!, replicas: action.replicas } });
  else if (action.do === 'touch') touch(cluster);
  else if (action.do === 'cut') cluster.cutWatches();
  else if (action.do === 'stray') cluster.create(pods, pod(`stray-${cluster.resourceVersion}`));
  else if (action.do === 'recreate') {
    // Deleted with its Pods left behind, and created again under the same name.
    cluster.finish(replicaSets, KEY);
    for (const one of all)
      cluster.change(pods, keyOf(one), (old) => ({ ...old, metadata: { ...old.metadata, ownerReferences: [] } }));
    create({ cluster } as World, live.spec!.replicas!, minReadySeconds);
  } else if (chosen) meddle(cluster, action.do, chosen);
}

/** A change that asks for a sync and for nothing else. */
function touch(cluster: World['cluster']): void {
  const annotations = { touched: cluster.resourceVersion };
  cluster.change(replicaSets, KEY, (owner) => ({ ...owner, metadata: { ...owner.metadata, annotations } }));
}

function meddle(cluster: World['cluster'], how: string, chosen: Pod): void {
  const key = keyOf(chosen);
  if (how === 'kill') cluster.delete(pods, key);
  else if (how === 'vanish') cluster.finish(pods, key);
  else if (how === 'fail') cluster.change(pods, key, (old) => ({ ...old, status: { ...old.status, phase: 'Failed' } }));
  else cluster.change(pods, key, (old) => ({ ...old, metadata: { ...old.metadata, labels: { app: 'other' } } }));
}

const owned = ({ cluster }: World): Pod[] =>
  cluster.list(pods).filter((one) => isPodActive(one) && isControlledBy(one, cluster.get(replicaSets, KEY)!));

/** What must hold when nothing disturbs any more, and long enough has gone by. Answers what is written after that. */
async function expectSettled(world: World): Promise<readonly ClusterRequest[]> {
  const { cluster, clock } = world;
  cluster.fault = () => undefined;
  await clock.step(1_200_000);
  const owner = cluster.get(replicaSets, KEY)!;
  const wanted = owner.spec!.replicas!;
  expect(owned(world)).toHaveLength(wanted);
  // A Pod made for an owner that was gone by then is the garbage collector's.
  const strays = cluster.list(pods).filter((one) => isPodActive(one) && !controllerOf(one));
  expect(strays.filter((one) => one.metadata.labels?.['app'] === 'web')).toEqual([]);
  expect(owned(world).every((one) => one.metadata.labels?.['app'] === 'web' && isPodReady(one))).toBe(true);
  expect(owner.status).toEqual({
    replicas: wanted,
    ...(wanted > 0 ? { fullyLabeledReplicas: wanted, readyReplicas: wanted, availableReplicas: wanted } : {}),
    terminatingReplicas: 0,
    observedGeneration: owner.metadata.generation,
  } satisfies ReplicaSet['status']);

  const writes = cluster.writes.length;
  touch(cluster);
  await clock.step(600_000);
  return cluster.writes.slice(writes);
}

async function run(
  set: Settings,
  steps: readonly { action: Action; after: number }[],
  watch: (world: World) => void,
): Promise<readonly ClusterRequest[]> {
  const { world, endKubelet } = build(set);
  try {
    watch(world);
    await world.start();
    for (const { action, after } of steps) {
      await world.clock.step(after);
      act(world, action, set.minReadySeconds);
    }
    return await expectSettled(world);
  } finally {
    await world.stop();
    endKubelet();
  }
}

describe('random worlds', () => {
  test('whatever is done and fails, the Pods come to the wanted number, and then nothing is written', async () => {
    await fc.assert(
      fc.asyncProperty(settings, script(fc.oneof(scaling, touching, meddling)), async (set, steps) => {
        const chance = seededRandom(set.seed + 1);
        const late = await run(set, steps, ({ cluster }) => {
          cluster.fault = (): Fault => (chance() < set.faults ? (chance() < 0.5 ? 'lose' : 'refuse') : undefined);
        });
        expect(late).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('the same with real informers whose watches break', async () => {
    const real = settings.map((set) => ({ ...set, realInformers: true }));
    await fc.assert(
      fc.asyncProperty(real, script(fc.oneof(scaling, touching, meddling, cutting)), async (set, steps) => {
        const chance = seededRandom(set.seed + 1);
        const late = await run(set, steps, ({ cluster }) => {
          cluster.fault = (): Fault => (chance() < set.faults ? (chance() < 0.5 ? 'lose' : 'refuse') : undefined);
        });
        expect(late).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  test('where only the size changes, there are never more Pods than were wanted, nor fewer than were wanted and there', async () => {
    await fc.assert(
      fc.asyncProperty(settings, script(fc.oneof(scaling, touching)), async (set, steps) => {
        const chance = seededRandom(set.seed + 1);
        const problems: string[] = [];
        const late = await run(set, steps, (world) => {
          const { cluster, clock } = world;
          // Sizes that a cache may still show, and a sync under way may still act on.
          const sizes: { since: number; replicas: number }[] = [{ since: 0, replicas: 3 }];
          cluster.onChange(({ resource, object }) => {
            if (resource.kind === 'ReplicaSet')
              sizes.push({ since: clock.monotonic(), replicas: (object as ReplicaSet).spec!.replicas! });
          });
          const possible = (): number[] => {
            const horizon = clock.monotonic() - 2 * MAX_LAG - 20 * set.latency;
            const at = sizes.findLastIndex(({ since }) => since <= horizon);
            return sizes.slice(Math.max(0, at)).map(({ replicas }) => replicas);
          };
          cluster.fault = ({ verb, type }): Fault => {
            if (chance() < set.faults) return 'refuse';
            if (type.kind !== 'Pod') return undefined;
            const count = owned(world).length;
            if (verb === 'create' && count + 1 > Math.max(...possible()))
              problems.push(`${count + 1} Pods, wanted ${possible().join()}`);
            if (verb === 'delete' && count - 1 < Math.min(...possible()))
              problems.push(`${count - 1} Pods, wanted ${possible().join()}`);
            return undefined;
          };
        });
        expect({ problems, late }).toEqual({ problems: [], late: [] });
      }),
      { numRuns: 60 },
    );
  });
});
