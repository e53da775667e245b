import fc from 'fast-check';
import { expect, test } from 'vitest';

import { type KubeObject, type OwnerReference, type ResourceType, apiVersionOf, keyOf, resources } from '#pkg/api';

import { CollectedWorld, type Discoverable, TYPES } from './collected-world.fixture.ts';

const HOLD = 'example.com/hold';
const NAMESPACES = ['a', 'b'];

/** An owner to refer to: one of those that were ever made, as it is or with a mistake. */
interface Reference {
  readonly owner: number;
  readonly mistake: 'none' | 'kind' | 'name' | 'version' | 'uid';
  readonly block: boolean;
}

type Action =
  | {
      readonly do: 'create';
      readonly type: number;
      readonly namespace: number;
      readonly owners: readonly Reference[];
      readonly hold: boolean;
    }
  | { readonly do: 'own'; readonly object: number; readonly owners: readonly Reference[] }
  | { readonly do: 'touch' | 'release'; readonly object: number }
  | { readonly do: 'delete'; readonly object: number; readonly policy: 'Background' | 'Foreground' | 'Orphan' }
  | { readonly do: 'discovery'; readonly tells: Discoverable }
  | { readonly do: 'faults'; readonly share: number }
  | { readonly do: 'restart' | 'cut' };

const index = fc.nat({ max: 30 });
const reference: fc.Arbitrary<Reference> = fc.record({
  owner: index,
  mistake: fc.oneof(
    { weight: 6, arbitrary: fc.constant('none' as const) },
    { weight: 1, arbitrary: fc.constantFrom('kind', 'name', 'version', 'uid') },
  ),
  block: fc.boolean(),
});
const owners = fc.array(reference, { maxLength: 3 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('create' as const),
      type: index,
      namespace: fc.nat({ max: 1 }),
      owners,
      hold: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('delete' as const),
      object: index,
      policy: fc.constantFrom('Background', 'Foreground', 'Orphan'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('own' as const), object: index, owners }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('touch', 'release'), object: index }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('discovery' as const),
      tells: fc.constantFrom<Discoverable>('all', 'stale', 'hidden', 'named', 'nothing'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('faults' as const), share: fc.constantFrom(0, 0.3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('restart', 'cut') }) },
);

const worlds = fc.record({
  seed: fc.integer(),
  lag: fc.constantFrom(0, 50, 2000),
  latency: fc.constantFrom(0, 20, 300),
  realInformers: fc.boolean(),
});
const steps = fc.array(fc.record({ after: fc.constantFrom(0, 1, 10, 100, 5000, 40_000), action }), { maxLength: 40 });

interface Made {
  readonly type: ResourceType;
  readonly uid: string;
  readonly key: string;
  readonly name: string;
}

test(
  'nothing with a live owner is ever deleted, nothing without one survives, and then there is quiet',
  { timeout: 60_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(worlds, steps, async (options, script) => {
        const world = new CollectedWorld(options);
        const made: Made[] = [];
        try {
          world.start();
          for (const { after, action: act } of script) {
            await world.clock.step(after);
            await carryOut(world, made, act);
            expect(world.wrongs).toEqual([]);
          }
          world.discoverable = 'all';
          world.faults = 0;
          for (const { type, object } of world.all())
            setFinalizers(world, type, object, (finalizer) => finalizer !== HOLD);
          await world.clock.step(4 * 3600 * 1000);
          expect(world.wrongs).toEqual([]);
          expect(misfits(world)).toEqual([]);
          const writes = world.cluster.writes.length;
          await world.clock.step(3600 * 1000);
          expect(world.cluster.writes.slice(writes)).toEqual([]);
        } finally {
          await world.stop();
        }
      }),
      { numRuns: 40, endOnFailure: true },
    );
  },
);

/** What should not be there in the end, or not like that. */
function misfits(world: CollectedWorld): string[] {
  const stuck = stuckFor(world);
  return world.all().flatMap(({ type, object }) => {
    const { namespace, ownerReferences = [], deletionTimestamp, uid } = object.metadata;
    const what = `${type.kind} ${keyOf(object)}`;
    if (stuck.has(uid)) return [];
    if (deletionTimestamp !== undefined) return [`${what} is still being deleted`];
    const gone = ownerReferences.filter((each) => world.find(each, namespace) === undefined);
    if (gone.length === ownerReferences.length && gone.length > 0) return [`${what} has no owner left`];
    // Versions are not told apart while the owner is there.
    const wrong = gone.filter(
      (each) => world.find({ ...each, apiVersion: servedVersion(each) }, namespace) === undefined,
    );
    return wrong.length > 0 ? [`${what} refers to ${wrong.map(({ name }) => name).join()}`] : [];
  });
}

/** UIDs of those of which nobody can say whether they have an owner, and of those who have to wait for such. */
function stuckFor(world: CollectedWorld): Set<string> {
  const all = world.all().map(({ object }) => object.metadata);
  const stuck = new Set(
    all
      .filter(({ ownerReferences = [], namespace }) => ownerReferences.some((each) => !isDecidable(each, namespace)))
      .map(({ uid }) => uid),
  );
  for (let before = -1; before < stuck.size;) {
    before = stuck.size;
    for (const { uid, ownerReferences = [] } of all) {
      if (stuck.has(uid)) for (const owner of ownerReferences) if (owner.blockOwnerDeletion) stuck.add(owner.uid);
    }
  }
  return stuck;
}

function isDecidable({ apiVersion, kind }: OwnerReference, namespace: string | undefined): boolean {
  const type = TYPES.find((each) => each.kind === kind && apiVersionOf(each) === apiVersion);
  return type !== undefined && !(type.namespaced && namespace === undefined);
}

const servedVersion = ({ apiVersion, kind }: OwnerReference): string => {
  const type = TYPES.find((each) => each.kind === kind);
  return type ? apiVersionOf(type) : apiVersion;
};

async function carryOut(world: CollectedWorld, made: Made[], act: Action): Promise<void> {
  const { cluster } = world;
  switch (act.do) {
    case 'create': {
      const type = TYPES[act.type % TYPES.length]!;
      const name = `o${made.length}`;
      const ownerReferences = referencesTo(made, act.owners, made.length);
      const namespace = type.namespaced ? { namespace: NAMESPACES[act.namespace]! } : {};
      const metadata = {
        name,
        ...namespace,
        ...(ownerReferences.length > 0 ? { ownerReferences } : {}),
        ...(act.hold ? { finalizers: [HOLD] } : {}),
      };
      const { metadata: stored } = cluster.create(type, { apiVersion: apiVersionOf(type), kind: type.kind, metadata });
      made.push({ type, uid: stored.uid, name, key: type.namespaced ? `${stored.namespace}/${name}` : name });
      return;
    }
    case 'own':
      return change(world, made, act.object, (object, position) => {
        const { ownerReferences: _, ...metadata } = object.metadata;
        // A newer object may own an older one, but no two each other: they would wait for each other for ever.
        const ownerReferences = referencesTo(made, act.owners, position);
        return { ...object, metadata: { ...metadata, ...(ownerReferences.length > 0 ? { ownerReferences } : {}) } };
      });
    case 'touch':
      return change(world, made, act.object, (object) => ({
        ...object,
        metadata: { ...object.metadata, labels: { touched: object.metadata.resourceVersion } },
      }));
    case 'release': {
      const target = made[act.object % Math.max(1, made.length)];
      const object = target && cluster.get(target.type, target.key);
      if (target && object) setFinalizers(world, target.type, object, (finalizer) => finalizer !== HOLD);
      return;
    }
    case 'delete': {
      const target = made[act.object % Math.max(1, made.length)];
      const object = target && cluster.get(target.type, target.key);
      // Who changes the policy under way races with what is done about the first.
      if (target && object && object.metadata.deletionTimestamp === undefined)
        cluster.delete(target.type, target.key, { propagationPolicy: act.policy });
      return;
    }
    case 'discovery':
      world.discoverable = act.tells;
      return;
    case 'faults':
      world.faults = act.share;
      return;
    case 'cut':
      cluster.cutWatches();
      return;
    case 'restart':
      await world.stop();
      world.start();
  }
}

function change(
  world: CollectedWorld,
  made: readonly Made[],
  at: number,
  how: (object: KubeObject, position: number) => KubeObject,
): void {
  const position = at % Math.max(1, made.length);
  const target = made[position];
  if (target && world.cluster.get(target.type, target.key))
    world.cluster.change(target.type, target.key, (object) => how(object, position));
}

function setFinalizers(
  world: CollectedWorld,
  type: ResourceType,
  object: KubeObject,
  keep: (finalizer: string) => boolean,
): void {
  if (!object.metadata.finalizers?.some((finalizer) => !keep(finalizer))) return;
  world.cluster.change(type, keyOf(object), (live) => {
    const { finalizers = [], ...metadata } = live.metadata;
    const kept = finalizers.filter(keep);
    return { ...live, metadata: { ...metadata, ...(kept.length > 0 ? { finalizers: kept } : {}) } };
  });
}

/** To objects that were made before, whether they are there or not. */
function referencesTo(made: readonly Made[], wanted: readonly Reference[], before: number): OwnerReference[] {
  if (before === 0) return [];
  const references = wanted.map(({ owner, mistake, block }): OwnerReference => {
    const { type, name, uid } = made[owner % before]!;
    const right = {
      apiVersion: apiVersionOf(type),
      kind: type.kind,
      name,
      uid,
      ...(block ? { blockOwnerDeletion: true } : {}),
    };
    switch (mistake) {
      case 'none':
        return right;
      case 'kind':
        return { ...right, apiVersion: 'v1', kind: resources.pods.kind };
      case 'name':
        return { ...right, name: 'nobody' };
      case 'version':
        return { ...right, apiVersion: `${right.apiVersion}alpha1` };
      case 'uid':
        return { ...right, uid: `${uid}-other` };
    }
  });
  // The server keeps one reference to each owner.
  return references.filter((each, i) => references.findIndex(({ uid }) => uid === each.uid) === i);
}
