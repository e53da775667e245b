import fc from 'fast-check';
import { expect, test } from 'vitest';

import { type Pod, isPodActive, isPodReady, keyOf, resources } from '#pkg/api';
import { seededRandom } from '#pkg/base';
import { type ClusterRequest, type Fault, type World, createWorld, podTemplate, runFakeKubelet } from '#pkg/testing';

import { daemonSet, node, rolling } from './daemon.fixture.ts';
import { daemonSetController } from './index.ts';
import { HASH, targetNode } from './template.ts';

const { controllerRevisions, daemonSets, nodes, pods } = resources;
const KEY = 'default/agent';
const GENERATION = 'deprecated.daemonset.template.generation';
const NAMES = ['a', 'b', 'c', 'd', 'e'];

type Action =
  | { readonly do: 'image'; readonly version: number }
  | { readonly do: 'touch' }
  | { readonly do: 'taint' | 'relabel' | 'remove' | 'add' | 'kill' | 'fail' | 'vanish' | 'stray'; readonly of: number };

const image: fc.Arbitrary<Action> = fc.record({
  do: fc.constant('image' as const),
  version: fc.integer({ min: 1, max: 3 }),
});
const touch: fc.Arbitrary<Action> = fc.record({ do: fc.constant('touch' as const) });
const meddle: fc.Arbitrary<Action> = fc.record({
  do: fc.constantFrom(
    'taint' as const,
    'relabel' as const,
    'remove' as const,
    'add' as const,
    'kill' as const,
    'fail' as const,
    'vanish' as const,
    'stray' as const,
  ),
  of: fc.nat(20),
});
const settings = fc.record({
  seed: fc.nat(),
  consistency: fc.boolean(),
  lag: fc.integer({ min: 0, max: 4000 }),
  latency: fc.integer({ min: 0, max: 300 }),
  faults: fc.constantFrom(0, 0.1, 0.4),
  surge: fc.boolean(),
  limit: fc.integer({ min: 1, max: 3 }),
  minReadySeconds: fc.constantFrom(0, 5),
});
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;

function act({ cluster }: World, action: Action): void {
  if (action.do === 'image') {
    const live = cluster.get(daemonSets, KEY)!;
    if (live.spec!.template.spec!.containers[0]!.image === `app:v${action.version}`) return;
    const metadata = {
      ...live.metadata,
      annotations: { [GENERATION]: String(Number(live.metadata.annotations![GENERATION]) + 1) },
    };
    cluster.update(daemonSets, {
      ...live,
      metadata,
      spec: { ...live.spec!, template: podTemplate(`app:v${action.version}`) },
    });
    return;
  }
  if (action.do === 'touch') {
    cluster.change(daemonSets, KEY, (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: { touched: cluster.resourceVersion } },
    }));
    return;
  }
  const name = NAMES[action.of % NAMES.length]!;
  const all = cluster.list(pods);
  const pod = all.length > 0 ? all[action.of % all.length] : undefined;
  const there = cluster.get(nodes, name) !== undefined;
  if (action.do === 'add' && !there) cluster.create(nodes, node(name));
  else if (action.do === 'remove' && there) removeNode(cluster, name);
  else if (action.do === 'taint' && there) {
    const effect = ['NoSchedule', 'NoExecute'][action.of % 2]!;
    cluster.change(nodes, name, (live) => ({
      ...live,
      spec: live.spec?.taints ? {} : { taints: [{ key: 'x', effect }] },
    }));
  } else if (action.do === 'relabel' && pod) {
    cluster.change(pods, keyOf(pod), (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: { ...live.metadata.labels, app: 'other' } },
    }));
  } else if (action.do === 'stray' && pod) {
    const { labels } = pod.metadata;
    cluster.create(pods, {
      ...pod,
      metadata: { name: `stray-${cluster.resourceVersion}`, labels: { ...labels, app: 'web' } },
      status: { phase: 'Pending' },
    });
  } else if (pod) meddlePod(cluster, action.do, pod);
}

/** As the Pod garbage collector does: Pods of a node that is gone go with it. */
function removeNode(cluster: World['cluster'], name: string): void {
  cluster.finish(nodes, name);
  for (const pod of cluster.list(pods)) if (pod.spec?.nodeName === name) cluster.finish(pods, keyOf(pod));
}

function meddlePod(cluster: World['cluster'], how: Action['do'], pod: Pod): void {
  if (how === 'kill') cluster.delete(pods, keyOf(pod));
  else if (how === 'vanish') cluster.finish(pods, keyOf(pod));
  else if (how === 'fail') cluster.change(pods, keyOf(pod), (live) => ({ ...live, status: { phase: 'Failed' } }));
}

const owned = ({ cluster }: World): Pod[] =>
  cluster
    .list(pods)
    .filter(
      (pod) =>
        isPodActive(pod) &&
        pod.metadata.ownerReferences?.some(({ uid }) => uid === cluster.get(daemonSets, KEY)!.metadata.uid),
    );

async function run(
  set: Settings,
  steps: readonly { action: Action; after: number }[],
  watch: (world: World) => void,
): Promise<readonly ClusterRequest[]> {
  const chance = seededRandom(set.seed);
  const world = createWorld({
    controllers: [daemonSetController],
    seed: set.seed,
    gates: { StaleControllerConsistencyDaemonSet: set.consistency },
    lag: () => Math.floor(chance() * set.lag),
    latency: () => Math.floor(chance() * set.latency),
  });
  const { cluster, clock } = world;
  const endKubelet = runFakeKubelet({
    cluster,
    clock,
    nodeOf: targetNode,
    startAfter: () => chance() * 3000,
    endAfter: () => chance() * 5000,
  });
  for (const name of NAMES) cluster.create(nodes, node(name));
  const updateStrategy = set.surge ? rolling(0, set.limit) : rolling(set.limit);
  cluster.create(
    daemonSets,
    daemonSet({ updateStrategy, minReadySeconds: set.minReadySeconds, revisionHistoryLimit: 1 }),
  );
  try {
    await world.start();
    await clock.step(60_000);
    watch(world);
    for (const { action, after } of steps) {
      await clock.step(after);
      act(world, action);
    }
    return await expectSettled(world);
  } finally {
    await world.stop();
    endKubelet();
  }
}

/** What must hold when nothing disturbs any more, and long enough has gone by. Answers what is written after that. */
async function expectSettled(world: World): Promise<readonly ClusterRequest[]> {
  const { cluster, clock } = world;
  cluster.fault = () => undefined;
  await clock.step(1_500_000);
  const set = cluster.get(daemonSets, KEY)!;
  const open = cluster.list(nodes).filter((one) => !one.spec?.taints);
  const shut = cluster.list(nodes).filter((one) => one.spec?.taints);
  const all = owned(world);
  const on = (name: string): number => all.filter((pod) => targetNode(pod) === name).length;
  expect(open.map((one) => on(one.metadata.name))).toEqual(open.map(() => 1));
  expect(all.every(isPodReady)).toBe(true);
  for (const one of shut)
    expect(on(one.metadata.name)).toBeLessThanOrEqual(one.spec!.taints![0]!.effect === 'NoExecute' ? 0 : 1);

  const revisions = cluster.list(controllerRevisions).toSorted((a, b) => a.revision - b.revision);
  const newest = revisions.at(-1)!.metadata.labels![HASH];
  expect(
    all
      .filter((pod) => open.some((one) => one.metadata.name === targetNode(pod)))
      .every((pod) => pod.metadata.labels![HASH] === newest),
  ).toBe(true);
  // Old Pods may stay on nodes that take no new ones, and their revisions with them.
  expect(revisions.length).toBeLessThanOrEqual(2 + shut.length);
  expect(set.status).toMatchObject({
    desiredNumberScheduled: open.length,
    currentNumberScheduled: open.length,
    numberReady: open.length,
  });
  expect(set.status?.numberMisscheduled).toBe(shut.filter((one) => on(one.metadata.name) > 0).length);

  const writes = cluster.writes.length;
  act(world, { do: 'touch' });
  world.resync();
  await clock.step(600_000);
  return cluster.writes.slice(writes);
}

const script = (action: fc.Arbitrary<Action>): fc.Arbitrary<{ action: Action; after: number }[]> =>
  fc.array(fc.record({ action, after: fc.nat(20_000) }), { maxLength: 12 });

test('whatever is done and fails, each node comes to have what belongs there, and then nothing is written', async () => {
  await fc.assert(
    fc.asyncProperty(settings, script(fc.oneof(image, touch, meddle)), async (set, steps) => {
      const chance = seededRandom(set.seed + 1);
      const late = await run(set, steps, ({ cluster }) => {
        cluster.fault = (): Fault => (chance() < set.faults ? (chance() < 0.5 ? 'lose' : 'refuse') : undefined);
      });
      expect(late).toEqual([]);
    }),
    { numRuns: 50, endOnFailure: true },
  );
});

test('where only the template changes, never fewer are available nor more surge than was allowed', async () => {
  await fc.assert(
    fc.asyncProperty(settings, script(fc.oneof(image, touch)), async (set, steps) => {
      const chance = seededRandom(set.seed + 1);
      const problems: string[] = [];
      const late = await run(set, steps, (world) => {
        const { cluster } = world;
        const live = (): Pod[] => owned(world);
        cluster.onChange(({ resource, type }) => {
          if (resource.kind !== 'Pod') return;
          const ready = live().filter(isPodReady).length;
          if (ready < NAMES.length - (set.surge ? 0 : set.limit)) problems.push(`${ready} ready`);
          const most = NAMES.length + (set.surge ? set.limit : 0);
          if (type === 'ADDED' && live().length > most) problems.push(`${live().length} Pods`);
        });
        cluster.fault = (): Fault => (chance() < set.faults ? 'refuse' : undefined);
      });
      expect([problems, late]).toEqual([[], []]);
    }),
    { numRuns: 40, endOnFailure: true },
  );
});
