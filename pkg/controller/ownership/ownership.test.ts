import { describe, expect, test } from 'vitest';

import { ApiError, type Pod, type ReplicaSet, keyOf, resources } from '#pkg/api';
import { silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';
import { FakeClock, FakeCluster, LaggingInformers, RecordedEvents, pod, replicaSet } from '#pkg/testing';

import { noSelector } from './owners.ts';
import { type OwnershipOptions, ownership } from './ownership.ts';

const { pods, replicaSets } = resources;
const LAG = 1000;

/** Caches are 1 s late. */
async function setUp(options: OwnershipOptions<ReplicaSet> = {}) {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const informers = new LaggingInformers({ cluster, clock, lag: () => LAG });
  const recorder = new RecordedEvents();
  const context = {
    client: cluster.client(),
    informers,
    recorder,
    clock,
    log: silentLogger,
    metrics: new Metrics(),
  };
  const owners = ownership(context, replicaSets, options);
  const owned = owners.ownsPods({ minReadySeconds: ({ spec }) => spec?.minReadySeconds ?? 0 });
  const { signal } = new AbortController();
  informers.start(signal);
  const owner = cluster.create(replicaSets, replicaSet({ name: 'owner' }));
  await clock.step(LAG);
  const template = owner.spec!.template!;
  const create = (count: number) => ({ create: { count, pod: () => owned.fromTemplate(owner, template) } });
  return { clock, cluster, recorder, owners, owned, owner, key: keyOf(owner), signal, create };
}

const gone = new ApiError({ code: 404, reason: 'NotFound' });

describe('every write is awaited', () => {
  test.each<[string, (world: Awaited<ReturnType<typeof setUp>>) => Promise<unknown>]>([
    ['a creation', ({ owned, owner }) => owned.create(owner, pod('a', owner))],
    ['an event-reporting creation', ({ owned, owner, signal }) => owned.createPod(owner, pod('a', owner), signal)],
    ['a status', ({ owners, owner }) => owners.updateStatus({ ...owner, status: { replicas: 1 } })],
    ['a new spec', ({ owners, owner }) => owners.update({ ...owner, spec: { ...owner.spec!, replicas: 7 } })],
  ])('%s', async (_name, write) => {
    const world = await setUp();
    await write(world);
    const { clock, owners, key } = world;
    expect(owners.consistency?.ensureReady(key)).toBeDefined();
    await clock.step(LAG);
    expect(owners.consistency?.ensureReady(key)).toBeUndefined();
  });

  test('an update, a patch, an adoption and a release of a dependent', async () => {
    const { clock, cluster, owners, owned, owner, key, signal } = await setUp();
    const orphan = cluster.create(pods, pod('orphan'));
    const stray = cluster.create(pods, {
      ...pod('stray', owner),
      metadata: { ...pod('stray', owner).metadata, labels: {} },
    });
    const steps: (() => Promise<unknown>)[] = [
      () => owned.claim(owner, signal),
      () => owned.patch(owner, orphan.metadata, 'merge', { metadata: { labels: { seen: 'yes' } } }),
      () => owned.update(owner, { ...cluster.get(pods, keyOf(stray))!, spec: { ...stray.spec!, nodeName: 'node-1' } }),
    ];
    for (const step of steps) {
      await clock.step(LAG);
      expect(owners.consistency?.ensureReady(key)).toBeUndefined();
      await step();
      expect(owners.consistency?.ensureReady(key)).toBeDefined();
    }
    expect(owned.of(owner).map(keyOf)).toEqual(['default/orphan']);
  });

  test('nobody waits where read-your-writes is off, and a refused write is nothing to wait for', async () => {
    const off = await setUp({ readYourWrites: false });
    await off.owned.create(off.owner, pod('a', off.owner));
    expect(off.owners.consistency).toBeUndefined();
    const { cluster, owners, owned, owner, key } = await setUp();
    cluster.fault = () => 'refuse';
    await expect(owned.create(owner, pod('a', owner))).rejects.toThrow('injected refusal');
    expect(owners.consistency?.ensureReady(key)).toBeUndefined();
  });
});

describe('Pods', () => {
  test('changes are expected until the cache shows them, and reported as events', async () => {
    const { clock, owners, owned, owner, key, signal, create, recorder } = await setUp();
    const first = await owned.change(owner, create(2), signal);
    expect(first).toEqual({ created: 2, terminating: false, notCreated: [], notDeleted: [] });
    expect(owned.expectations.satisfied(key)).toBe(false);
    expect(recorder.take()).toHaveLength(2);
    await clock.step(LAG);
    owned.expectations.creationObserved(key, 2);
    const [victim] = owned.of(owner);
    await owned.change(owner, { remove: [victim!] }, signal);
    expect(owned.expectations.satisfied(key)).toBe(false);
    expect(recorder.take()).toEqual([`Normal SuccessfulDelete Deleted pod: ${victim!.metadata.name}`]);
    owners.forget(key);
    expect(owned.expectations.satisfied(key)).toBe(true);
    expect(owners.consistency?.ensureReady(key)).toBeUndefined();
  });

  test('what is refused is a result, and is not expected', async () => {
    const { cluster, owned, owner, key, signal, create } = await setUp();
    cluster.fault = ({ verb }) => (verb === 'create' ? 'refuse' : undefined);
    const { created, notCreated } = await owned.change(owner, create(4), signal);
    expect({ created, refused: notCreated.length }).toEqual({ created: 0, refused: 1 });
    expect(owned.expectations.satisfied(key)).toBe(true);
  });

  test.each([
    ['whose deletion is on its way is awaited', true],
    ['that the cache does not show any more is not', false],
  ])('one that is gone, %s', async (_name, cached) => {
    const { clock, cluster, owned, owner, key, signal } = await setUp();
    const victim = cluster.create(pods, pod('victim', owner));
    if (cached) await clock.step(LAG);
    cluster.fault = ({ verb }) => (verb === 'delete' ? gone : undefined);
    expect((await owned.change(owner, { remove: [victim] }, signal)).notDeleted).toEqual([]);
    expect(owned.expectations.satisfied(key)).toBe(!cached);
  });

  test('a Pod that becomes ready wakes its owner again when it becomes available', async () => {
    const { clock, cluster, owned, owner } = await setUp();
    const patient = cluster.update(replicaSets, { ...owner, spec: { ...owner.spec!, minReadySeconds: 5 } });
    await clock.step(LAG);
    const old: Pod = { ...pod('a', patient), status: {} };
    const ready: Pod = { ...old, status: { conditions: [{ type: 'Ready', status: 'True' }] } };
    const { handlers } = owned.trigger();
    expect(handlers.update?.(old, ready)).toEqual(['default/owner', { key: 'default/owner', after: 5000 }]);
    expect(handlers.update?.(ready, ready)).toEqual(['default/owner']);
  });
});

test('owners without selector are found by name alone', async () => {
  const { clock, cluster, owners, owned, owner } = await setUp({ selector: noSelector });
  const mine = cluster.create(pods, pod('mine', owner));
  const orphan = cluster.create(pods, pod('orphan'));
  await clock.step(LAG);
  expect(owners.controllerOf(mine)).toBe(owners.lister.get(keyOf(owner)));
  expect(owners.matching(orphan)).toEqual([]);
  expect(owned.trigger().handlers.add?.(orphan)).toEqual([]);
  expect(owned.of(owner)).toHaveLength(1);
});
