import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  type Deployment,
  type DeploymentSpec,
  type Pod,
  type ReplicaSet,
  isPodActive,
  isPodReady,
  isPodTerminal,
  keyOf,
  resources,
} from '#pkg/api';
import { seededRandom } from '#pkg/base';
import {
  type Fault,
  type LaggingInformers,
  type World,
  createWorld,
  deployment,
  podTemplate,
  runFakeKubelet,
} from '#pkg/testing';

import { replicaSetController } from '../replicaset/index.ts';
import { deploymentController } from './index.ts';
import { fenceposts } from './strategy.ts';

const { deployments, pods, replicaSets } = resources;
const KEY = 'default/web';
/** Pods of an image that begins so never get ready. */
const BROKEN = 'app:broken';

const percentOrCount = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom('0%', '25%', '34%', '50%', '100%'));
const updating = fc.record({
  do: fc.constant('template' as const),
  image: fc.constantFrom('app:v1', 'app:v2', 'app:v3', BROKEN),
});
const scaling = fc.record({ do: fc.constant('scale' as const), replicas: fc.integer({ min: 0, max: 8 }) });
const switching = fc.record({ do: fc.constant('paused' as const), paused: fc.boolean() });
const meddling = fc.record({ do: fc.constantFrom('kill' as const, 'orphan' as const), of: fc.nat(20) });
type Action =
  | { do: 'template'; image: string }
  | { do: 'scale'; replicas: number }
  | { do: 'paused'; paused: boolean }
  | { do: 'kill' | 'orphan'; of: number };

const script = <A extends Action>(action: fc.Arbitrary<A>) =>
  fc.array(fc.record({ action, after: fc.nat(12_000) }), { maxLength: 8 });
const settings = fc.record({
  seed: fc.nat(),
  replicas: fc.integer({ min: 0, max: 8 }),
  maxSurge: percentOrCount,
  maxUnavailable: percentOrCount,
  minReadySeconds: fc.constantFrom(0, 3),
  lag: fc.constantFrom(0, 200, 4000),
  latency: fc.constantFrom(0, 50, 500),
  faults: fc.constantFrom(0, 0.1, 0.4),
});
type Settings = typeof settings extends fc.Arbitrary<infer S> ? S : never;

function build(set: Settings, strategy: DeploymentSpec['strategy']): { world: World; endKubelet: () => void } {
  const chance = seededRandom(set.seed);
  const world = createWorld({
    controllers: [deploymentController, replicaSetController],
    seed: set.seed,
    lag: () => Math.floor(chance() * set.lag),
    latency: () => Math.floor(chance() * set.latency),
  });
  const { cluster, clock } = world;
  const endKubelet = runFakeKubelet({
    cluster,
    clock,
    startAfter: (pod) => (imageOf(pod.spec).startsWith(BROKEN) ? undefined : chance() * 4000),
    endAfter: () => chance() * 6000,
    // With several, ReplicaSets take one of two Pods of a node before one that has been ready for a shorter time.
    nodes: ['a'],
  });
  const { replicas, minReadySeconds } = set;
  const { status: _, ...fresh } = deployment({
    spec: { replicas, minReadySeconds, strategy: strategy!, progressDeadlineSeconds: 60 },
  });
  cluster.create(deployments, fresh);
  return { world, endKubelet };
}

const imageOf = (spec: Pod['spec']): string => spec!.containers[0]!.image!;
const live = ({ cluster }: World): Deployment => cluster.get(deployments, KEY)!;

function change(world: World, spec: Partial<DeploymentSpec>): void {
  world.cluster.change(deployments, KEY, (object) => ({ ...object, spec: { ...object.spec!, ...spec } }));
}

function act(world: World, action: Action): void {
  const { cluster } = world;
  if (action.do === 'template') change(world, { template: podTemplate(action.image) });
  else if (action.do === 'scale') change(world, { replicas: action.replicas });
  else if (action.do === 'paused') change(world, { paused: action.paused });
  else if (action.do === 'kill') {
    const all = cluster.list(pods);
    if (all.length > 0) cluster.delete(pods, keyOf(all[action.of % all.length]!));
  } else {
    const all = cluster.list(replicaSets);
    const chosen = all[action.of % all.length];
    if (chosen)
      cluster.change(replicaSets, keyOf(chosen), (old) => ({
        ...old,
        metadata: { ...old.metadata, ownerReferences: [] },
      }));
  }
}

/** What must hold when nothing disturbs any more, and long enough has gone by. */
async function expectSettled(world: World): Promise<void> {
  const { cluster, clock } = world;
  cluster.fault = () => undefined;
  change(world, {
    paused: false,
    ...(imageOf(live(world).spec!.template.spec).startsWith(BROKEN) ? { template: podTemplate('app:v9') } : {}),
  });
  await clock.step(2_400_000);
  const { spec, status, metadata } = live(world);
  const wanted = spec!.replicas!;
  const image = imageOf(spec!.template.spec);
  const running = cluster.list(replicaSets).filter((one) => one.spec!.replicas! > 0);
  expect(running.map((one) => [imageOf(one.spec!.template!.spec), one.spec!.replicas])).toEqual(
    wanted > 0 ? [[image, wanted]] : [],
  );
  const active = cluster.list(pods).filter(isPodActive);
  expect(active).toHaveLength(wanted);
  expect(active.every((one) => isPodReady(one) && imageOf(one.spec) === image)).toBe(true);
  const counts = { replicas: wanted, updatedReplicas: wanted, readyReplicas: wanted, availableReplicas: wanted };
  const { conditions, collisionCount: _, ...rest } = status!;
  expect(rest).toEqual({
    observedGeneration: metadata.generation,
    terminatingReplicas: 0,
    ...(wanted > 0 ? counts : {}),
  });
  const told = conditions!.map(({ type, reason }) => `${type}: ${reason}`).toSorted();
  expect(told).toEqual(['Available: MinimumReplicasAvailable', 'Progressing: NewReplicaSetAvailable']);

  const writes = cluster.writes.length;
  (world.informers as LaggingInformers).resync();
  await clock.step(600_000);
  expect(cluster.writes.slice(writes)).toEqual([]);
}

interface Run {
  readonly set: Settings;
  readonly strategy: DeploymentSpec['strategy'];
  readonly steps: readonly { action: Action; after: number }[];
  readonly watch?: (world: World) => void;
  /** Whether a write may be carried out and answered with an error: what happened is then unknown until the cache shows it. */
  readonly lose?: boolean;
}

async function run({ set, strategy, steps, watch, lose = false }: Run): Promise<void> {
  const { world, endKubelet } = build(set, strategy);
  const chance = seededRandom(set.seed + 1);
  world.cluster.fault = (): Fault => (chance() < set.faults ? (lose && chance() < 0.5 ? 'lose' : 'refuse') : undefined);
  try {
    watch?.(world);
    await world.start();
    for (const { action, after } of steps) {
      await world.clock.step(after);
      act(world, action);
    }
    await expectSettled(world);
  } finally {
    await world.stop();
    endKubelet();
  }
}

const rolling = ({ maxSurge, maxUnavailable }: Settings): DeploymentSpec['strategy'] => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxSurge, maxUnavailable },
});

/** Of the writes that scale two ReplicaSets in proportion, the second is not made; then all is as large as it should be. */
const SCALED_HALFWAY: [Settings, { action: Action; after: number }[], boolean] = [
  { seed: 0, replicas: 2, maxSurge: '0%', maxUnavailable: '0%', minReadySeconds: 0, lag: 0, latency: 0, faults: 0.4 },
  [
    { action: { do: 'template', image: 'app:v3' }, after: 0 },
    { action: { do: 'template', image: 'app:v1' }, after: 0 },
    { action: { do: 'scale', replicas: 1 }, after: 0 },
    { action: { do: 'paused', paused: false }, after: 0 },
  ],
  false,
];

describe('random worlds', () => {
  test('whatever is done and fails, the rollout ends complete, and then nothing is written', async () => {
    await fc.assert(
      fc.asyncProperty(
        settings,
        script(fc.oneof(updating, scaling, switching, meddling)),
        fc.boolean(),
        async (set, steps, recreate) => {
          const whole = run({ set, steps, lose: true, strategy: recreate ? { type: 'Recreate' } : rolling(set) });
          await expect(whole).resolves.toBeUndefined();
        },
      ),
      { numRuns: 60, examples: [SCALED_HALFWAY] },
    );
  });

  test('a rolling update asks for no more Pods than surge allows, and takes none that must stay available', async () => {
    await fc.assert(
      fc.asyncProperty(settings, script(updating), async (random, steps) => {
        // ReplicaSets do not look at availability when they choose which of the ready Pods to end.
        const set = { ...random, minReadySeconds: 0 as const };
        const problems: string[] = [];
        await run({
          set,
          // Never back to an earlier template: what its ReplicaSet reports may still be of the time before it shrank.
          steps: steps.map(({ action, after }, i) => ({ action: { ...action, image: `${action.image}-${i}` }, after })),
          strategy: rolling(set),
          watch: (world) => watchBounds(world, set, problems),
        });
        expect(problems).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });

  test('Recreate never runs two versions at once', async () => {
    await fc.assert(
      fc.asyncProperty(settings, script(updating), async (set, steps) => {
        const problems: string[] = [];
        await run({ set, steps, strategy: { type: 'Recreate' }, watch: (world) => watchVersions(world, problems) });
        expect(problems).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});

/**
 * Sizes asked for are the Deployment controller's; which Pods are there follows them, in the ReplicaSets' own time. A Pod
 * that has become available a moment ago may go as one that is not: nobody who ends it can know yet.
 */
function watchBounds(world: World, { lag, latency, faults }: Settings, problems: string[]): void {
  const { cluster, clock } = world;
  const { maxSurge, maxUnavailable } = fenceposts(live(world));
  const { replicas } = live(world).spec!;
  // Twice refused, a decision of back then may still be carried out.
  const known = (4 * lag + 10 * latency + 2000) * (faults > 0 ? 3 : 1);
  const readySince = new Map<string, number>();
  const readyFor = (pod: Pod): number => clock.now() - (readySince.get(pod.metadata.uid) ?? Infinity);
  cluster.onChange(({ resource, object, type }) => {
    if (resource.kind === 'ReplicaSet') {
      const asked = cluster.list(replicaSets).reduce((sum, one: ReplicaSet) => sum + one.spec!.replicas!, 0);
      if (asked > replicas! + maxSurge) problems.push(`${asked} replicas asked for`);
    } else if (resource.kind === 'Pod') {
      const pod = object as Pod;
      const ends = type === 'DELETED' || pod.metadata.deletionTimestamp !== undefined;
      if (isPodReady(pod) && !readySince.has(pod.metadata.uid)) readySince.set(pod.metadata.uid, clock.now());
      if (!ends || readyFor(pod) < known) return;
      readySince.delete(pod.metadata.uid);
      const left = cluster.list(pods).filter((one) => isPodActive(one) && readyFor(one) >= 0).length;
      if (left < replicas! - maxUnavailable) problems.push(`${left} available at ${clock.now()}`);
    }
  });
}

function watchVersions(world: World, problems: string[]): void {
  world.cluster.onChange(({ resource, type, object }) => {
    if (resource.kind !== 'Pod' || type !== 'ADDED') return;
    const others = world.cluster
      .list(pods)
      .filter((pod) => !isPodTerminal(pod) && imageOf(pod.spec) !== imageOf((object as Pod).spec));
    if (others.length > 0) problems.push(`${others.length} Pods of another version at ${world.clock.now()}`);
  });
}
