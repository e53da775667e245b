import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type KubeObject,
  type Pod,
  type ResourceType,
  type StatefulSet,
  isControlledBy,
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
  podTemplate,
  runFakeKubelet,
  statefulSet,
} from '#pkg/testing';

import { ordinalOf, podRevision } from './identity.ts';
import { statefulSetController } from './index.ts';

const { pods, statefulSets, controllerRevisions, persistentVolumeClaims: claims } = resources;
const KEY = 'default/web';
const MAX_LAG = 4000;
const SIZE = 3;

const retention = fc.constantFrom('Retain' as const, 'Delete' as const);
const settings = fc.record({
  /** With the real informers, over lists and watches that may break; they are never late by themselves. */
  realInformers: fc.constant<boolean>(false),
  seed: fc.nat(),
  consistency: fc.boolean(),
  lag: fc.integer({ min: 0, max: MAX_LAG }),
  latency: fc.integer({ min: 0, max: 300 }),
  faults: fc.constantFrom(0, 0.1, 0.4),
  minReadySeconds: fc.constantFrom(0, 5),
  parallel: fc.boolean(),
  partition: fc.constantFrom(0, 0, 1, 2),
  onDelete: fc.constantFrom(false, false, true),
  /** Undefined: without the gate. */
  maxUnavailable: fc.constantFrom(undefined, 1, 2, '50%'),
  claims: fc.option(fc.record({ whenDeleted: retention, whenScaled: retention }), { nil: undefined }),
});
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;

/** What users, nodes and others do. `of` picks a Pod among those there. */
type Action =
  | { readonly do: 'scale'; readonly replicas: number }
  | { readonly do: 'image'; readonly image: string }
  | { readonly do: 'touch' | 'cut' }
  | { readonly do: 'kill' | 'vanish' | 'fail' | 'relabel' | 'unlabel' | 'stray' | 'recreate'; readonly of: number };

const calm: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ do: fc.constant('scale' as const), replicas: fc.integer({ min: 0, max: 6 }) }),
  fc.record({ do: fc.constant('image' as const), image: fc.constantFrom('app:v1', 'app:v2', 'app:v3') }),
  fc.record({ do: fc.constant('touch' as const) }),
);
const wild: fc.Arbitrary<Action> = fc.oneof(
  calm,
  fc.record({
    do: fc.constantFrom(
      'kill' as const,
      'vanish' as const,
      'fail' as const,
      'relabel' as const,
      'unlabel' as const,
      'stray' as const,
      'recreate' as const,
    ),
    of: fc.nat(20),
  }),
);
const cutting: fc.Arbitrary<Action> = fc.oneof(wild, fc.record({ do: fc.constant('cut' as const) }));
const script = (action: fc.Arbitrary<Action>) =>
  fc.array(fc.record({ action, after: fc.nat(12_000) }), { maxLength: 12 });

const CLAIM = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } };

function setOf(set: Settings, replicas = SIZE, image = 'app:v1'): StatefulSet {
  const strategy: NonNullable<StatefulSet['spec']>['updateStrategy'] = set.onDelete
    ? { type: 'OnDelete' }
    : {
        type: 'RollingUpdate',
        rollingUpdate: {
          partition: set.partition,
          ...(set.maxUnavailable === undefined ? {} : { maxUnavailable: set.maxUnavailable }),
        },
      };
  return statefulSet({
    spec: {
      replicas,
      template: podTemplate(image),
      minReadySeconds: set.minReadySeconds,
      podManagementPolicy: set.parallel ? 'Parallel' : 'OrderedReady',
      updateStrategy: strategy,
      revisionHistoryLimit: 1,
      ...(set.claims ? { volumeClaimTemplates: [CLAIM], persistentVolumeClaimRetentionPolicy: set.claims } : {}),
    },
  });
}

function build(set: Settings): World {
  const chance = seededRandom(set.seed);
  const world = createWorld({
    controllers: [statefulSetController],
    seed: set.seed,
    realInformers: set.realInformers,
    gates: {
      StaleControllerConsistencyStatefulSet: set.consistency,
      MaxUnavailableStatefulSet: set.maxUnavailable !== undefined,
    },
    lag: () => Math.floor(chance() * set.lag),
    latency: () => Math.floor(chance() * set.latency),
  });
  world.cluster.create(statefulSets, setOf(set));
  return world;
}

/** New Pods are Pending, as the API server has it; what has owners goes with the last of them. */
function runNodes({ cluster, clock }: World, seed: number): () => void {
  const chance = seededRandom(seed + 7);
  const endKubelet = runFakeKubelet({
    cluster,
    clock,
    startAfter: () => 100 + chance() * 3000,
    endAfter: () => chance() * 5000,
  });
  const end = cluster.onChange(({ type, resource, object }) => {
    if (resource.kind === 'Pod' && type === 'ADDED') clock.setTimeout(() => pend(object), 0);
    if (type === 'DELETED' || resource.kind !== 'StatefulSet') clock.setTimeout(collect, chance() * 3000);
  });
  function pend(one: KubeObject): void {
    const live = cluster.get(pods, keyOf(one));
    if (live?.metadata.uid === one.metadata.uid && !live.status?.phase)
      cluster.change(pods, keyOf(one), (old) => ({ ...old, status: { phase: 'Pending' } }));
  }
  function collect(): void {
    const alive = new Set([...cluster.list(pods), ...cluster.list(statefulSets)].map(({ metadata }) => metadata.uid));
    for (const type of [pods, claims, controllerRevisions] as readonly ResourceType[]) {
      for (const one of cluster.list(type)) {
        const owners = one.metadata.ownerReferences ?? [];
        if (owners.length > 0 && !owners.some(({ uid }) => alive.has(uid))) cluster.finish(type, keyOf(one));
      }
    }
  }
  return () => {
    end();
    endKubelet();
  };
}

function act(world: World, action: Action, set: Settings): void {
  const { cluster } = world;
  const live = cluster.get(statefulSets, KEY)!;
  const all = cluster.list(pods);
  switch (action.do) {
    case 'scale':
      return void cluster.update(statefulSets, { ...live, spec: { ...live.spec!, replicas: action.replicas } });
    case 'image':
      return void cluster.update(statefulSets, {
        ...live,
        spec: { ...live.spec!, template: podTemplate(action.image) },
      });
    case 'touch':
      return touch(world);
    case 'cut':
      return cluster.cutWatches();
    case 'recreate':
      cluster.finish(statefulSets, KEY);
      for (const one of all) cluster.change(pods, keyOf(one), orphaned);
      for (const one of cluster.list(controllerRevisions)) cluster.change(controllerRevisions, keyOf(one), orphaned);
      for (const one of cluster.list(claims)) cluster.change(claims, keyOf(one), orphaned);
      return void cluster.create(statefulSets, setOf(set, live.spec!.replicas));
    case 'stray': {
      const name = `web-${action.of % 8}`;
      if (!cluster.get(pods, `default/${name}`)) cluster.create(pods, pod(name));
      return undefined;
    }
    default:
      if (all.length > 0) meddle(world, action.do, all[action.of % all.length]!);
  }
}

function orphaned<T extends KubeObject>(object: T): T {
  return { ...object, metadata: { ...object.metadata, ownerReferences: [] } };
}

function meddle({ cluster }: World, how: string, chosen: Pod): void {
  const key = keyOf(chosen);
  const labelled = (labels: Record<string, string>): void =>
    void cluster.change(pods, key, (old) => ({ ...old, metadata: { ...old.metadata, labels } }));
  if (how === 'kill') cluster.delete(pods, key);
  else if (how === 'vanish') cluster.finish(pods, key);
  else if (how === 'fail') cluster.change(pods, key, (old) => ({ ...old, status: { phase: 'Failed' } }));
  else if (how === 'relabel') labelled({ app: 'other' });
  else labelled({ app: 'web' });
}

/** A change that asks for a sync and for nothing else. */
function touch({ cluster }: World): void {
  const annotations = { touched: cluster.resourceVersion };
  cluster.change(statefulSets, KEY, (owner) => ({ ...owner, metadata: { ...owner.metadata, annotations } }));
}

/** What must hold when nothing disturbs any more, and long enough has gone by. Answers what is written after that. */
async function expectSettled(world: World, set: Settings): Promise<readonly ClusterRequest[]> {
  const { cluster, clock } = world;
  cluster.fault = () => undefined;
  // What was let go has a name that the set needs.
  const isStranger = (one: Pod): boolean =>
    !isControlledBy(one, cluster.get(statefulSets, KEY)!) && one.metadata.labels?.['app'] !== 'web';
  const strangers = (): Pod[] => cluster.list(pods).filter(isStranger);
  // Watches that broke may take a minute to come back, and nothing is let go before.
  await clock.step(200_000);
  for (const one of strangers()) cluster.finish(pods, keyOf(one));
  await clock.step(2_400_000);
  const owner = cluster.get(statefulSets, KEY)!;
  const wanted = owner.spec!.replicas!;
  const there = cluster.list(pods).toSorted((a, b) => ordinalOf(a) - ordinalOf(b));
  expect(there.map(({ metadata }) => metadata.name)).toEqual(Array.from({ length: wanted }, (_, i) => `web-${i}`));
  expect(there.every((one) => isPodReady(one) && isControlledBy(one, owner))).toBe(true);
  const { updateRevision, currentRevision, ...counts } = owner.status!;
  if (!set.onDelete) {
    expect(there.slice(set.partition).map(podRevision)).toEqual(there.slice(set.partition).map(() => updateRevision));
  }
  expect(counts).toMatchObject({
    replicas: wanted,
    readyReplicas: wanted,
    availableReplicas: wanted,
    observedGeneration: owner.metadata.generation,
  });
  expect(counts.updatedReplicas).toBe(there.filter((one) => podRevision(one) === updateRevision).length);
  if (counts.updatedReplicas === wanted && !set.onDelete) expect(currentRevision).toBe(updateRevision);
  expectClaims(world, owner);

  const writes = cluster.writes.length;
  touch(world);
  await clock.step(600_000);
  return cluster.writes.slice(writes);
}

function expectClaims({ cluster }: World, owner: StatefulSet): void {
  const policy = owner.spec!.volumeClaimTemplates ? owner.spec!.persistentVolumeClaimRetentionPolicy : undefined;
  if (!policy) return;
  for (const claim of cluster.list(claims)) {
    const inRange = ordinalOf(claim) < owner.spec!.replicas!;
    const owners = (claim.metadata.ownerReferences ?? []).map(({ uid }) => uid);
    if (inRange) expect(owners).toEqual(policy.whenDeleted === 'Delete' ? [owner.metadata.uid] : []);
    else if (policy.whenScaled === 'Delete' && cluster.get(pods, `default/web-${ordinalOf(claim)}`))
      expect(owners).not.toContain(owner.metadata.uid);
  }
}

async function run(
  set: Settings,
  steps: readonly { action: Action; after: number }[],
  watch: (world: World) => void,
): Promise<readonly ClusterRequest[]> {
  const world = build(set);
  watch(world);
  const endNodes = runNodes(world, set.seed);
  await world.start();
  try {
    for (const { action, after } of steps) {
      await world.clock.step(after);
      act(world, action, set);
    }
    return await expectSettled(world, set);
  } finally {
    await world.stop();
    endNodes();
  }
}

const faulty =
  (set: Settings) =>
  ({ cluster }: World): void => {
    const chance = seededRandom(set.seed + 1);
    cluster.fault = (): Fault => (chance() < set.faults ? (chance() < 0.5 ? 'lose' : 'refuse') : undefined);
  };

/** A watcher for what the controller asks for while nobody but it touches Pods. */
function rulesOf(set: Settings, problems: string[]): (world: World) => void {
  return (world) => {
    const { cluster, clock } = world;
    const sizes: { since: number; replicas: number }[] = [{ since: 0, replicas: SIZE }];
    cluster.onChange(({ resource, object }) => {
      if (resource.kind === 'StatefulSet')
        sizes.push({ since: clock.monotonic(), replicas: (object as StatefulSet).spec!.replicas! });
    });
    /** Sizes that a cache may still show, and a sync under way may still act on. */
    const possible = (): number[] => {
      const horizon = clock.monotonic() - 2 * MAX_LAG - 20 * set.latency;
      return sizes
        .slice(
          Math.max(
            0,
            sizes.findLastIndex(({ since }) => since <= horizon),
          ),
        )
        .map(({ replicas }) => replicas);
    };
    const chance = seededRandom(set.seed + 1);
    cluster.fault = ({ verb, type, key, body }): Fault => {
      if (chance() < set.faults) return 'refuse';
      if (type.kind !== 'Pod') return undefined;
      const all = cluster.list(pods);
      const name = verb === 'create' ? (body as Pod).metadata.name : key.split('/')[1]!;
      const ordinal = ordinalOf({ metadata: { name } });
      const fit = (one: Pod | undefined): boolean =>
        one !== undefined && isPodReady(one) && one.metadata.deletionTimestamp === undefined;
      const at = (i: number): Pod | undefined => cluster.get(pods, `default/web-${i}`);
      if (verb === 'create' && !at(ordinal)) {
        if (ordinal >= Math.max(...possible())) problems.push(`${name} created, wanted ${possible().join()}`);
        if (!set.parallel && !Array.from({ length: ordinal }, (_, i) => i).every((i) => fit(at(i))))
          problems.push(`${name} created before those below were ready`);
      }
      if (verb === 'delete') {
        const inRange = ordinal < Math.min(...possible());
        if (at(ordinal)?.metadata.deletionTimestamp !== undefined) problems.push(`${name} deleted twice`);
        if (inRange && (set.onDelete || ordinal < set.partition))
          problems.push(`${name} deleted for an update that spares it`);
        const wanted = Math.min(...possible());
        const matters = (one: Pod): boolean =>
          ordinalOf(one) !== ordinal && (inRange || ordinalOf(one) < wanted || ordinalOf(one) > ordinal);
        if (!set.parallel && set.maxUnavailable === undefined && !all.filter(matters).every(fit))
          problems.push(`${name} deleted while another was not ready`);
        const allowed =
          set.maxUnavailable === '50%'
            ? Math.max(1, Math.floor(Math.max(...possible()) / 2))
            : Number(set.maxUnavailable ?? 1);
        // Without the gate an update looks at nothing below the Pod that it takes.
        const from = set.maxUnavailable === undefined ? ordinal + 1 : 0;
        const down = Array.from({ length: wanted }, (_, i) => i).filter(
          (i) => i >= from && i !== ordinal && !fit(at(i)),
        ).length;
        if (inRange && down + 1 > allowed && fit(at(ordinal)))
          problems.push(`${name} deleted while ${down} were not ready`);
      }
      return undefined;
    };
  };
}

describe('random worlds', () => {
  test('whatever is done and fails, every ordinal comes to have its Pod, and then nothing is written', async () => {
    await fc.assert(
      fc.asyncProperty(settings, script(wild), async (set, steps) => {
        expect(await run(set, steps, faulty(set))).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('the same with real informers whose watches break', async () => {
    const real = settings.map((set) => ({ ...set, realInformers: true }));
    await fc.assert(
      fc.asyncProperty(real, script(cutting), async (set, steps) => {
        expect(await run(set, steps, faulty(set))).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });

  test('where only the set changes and a key waits for its writes, Pods come and go in order', async () => {
    const waiting = settings.map((set) => ({ ...set, consistency: true }));
    await fc.assert(
      fc.asyncProperty(waiting, script(calm), async (set, steps) => {
        const problems: string[] = [];
        const late = await run(set, steps, rulesOf(set, problems));
        expect({ problems, late }).toEqual({ problems: [], late: [] });
      }),
      { numRuns: 60 },
    );
  });
});
