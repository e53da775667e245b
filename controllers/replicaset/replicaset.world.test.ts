import { afterEach, describe, expect, test } from 'vitest';

import { type Pod, type ReplicaSet, isPodActive, isPodReady, keyOf, resources } from '#pkg/api';
import { type World, createWorld, pod, podTemplate, replicaSet, runFakeKubelet } from '#pkg/testing';

import { replicaSetController } from './index.ts';

const { pods, replicaSets } = resources;
const KEY = 'default/web-1';

let world: World;
afterEach(() => world.stop());

async function started(options: Omit<Parameters<typeof createWorld>[0], 'controllers'> = {}): Promise<World> {
  world = createWorld({ controllers: [replicaSetController], ...options });
  await world.start();
  return world;
}

/** A ReplicaSet as a user creates it. */
function fresh(replicas: number, parts: Parameters<typeof replicaSet>[0] = {}): ReplicaSet {
  const { status: _, ...rest } = replicaSet({ replicas, ...parts });
  return rest;
}

function scaleTo(replicas: number): void {
  const live = world.cluster.get(replicaSets, KEY)!;
  world.cluster.update(replicaSets, { ...live, spec: { ...live.spec!, replicas } });
}

const active = (): Pod[] => world.cluster.list(pods).filter(isPodActive);
const status = (): ReplicaSet['status'] => world.cluster.get(replicaSets, KEY)?.status;

describe.each([{ realInformers: false }, { realInformers: true }])('a ReplicaSet, %o', (informers) => {
  test('gets its Pods, reports them, and is left alone once settled', async () => {
    const { cluster, clock, events } = await started(informers);
    runFakeKubelet({ cluster, clock, startAfter: () => 500 });
    cluster.create(replicaSets, fresh(3));
    await clock.step(5000);

    expect(active().map(isPodReady)).toEqual([true, true, true]);
    for (const { metadata, spec } of active()) {
      expect(metadata.name).toMatch(/^web-1-[a-z0-9]{5}$/);
      expect(metadata.labels).toEqual({ app: 'web' });
      expect(metadata.ownerReferences).toEqual([
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'web-1',
          uid: cluster.get(replicaSets, KEY)!.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ]);
      expect(spec?.containers).toEqual(podTemplate().spec!.containers);
    }
    expect(status()).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      terminatingReplicas: 0,
      observedGeneration: 1,
    });
    expect(events.take().toSorted()).toEqual(active().map(({ metadata }) => `Normal SuccessfulCreate Created pod: ${metadata.name}`).toSorted());

    const writes = cluster.writes.length;
    cluster.change(pods, keyOf(active()[0]!), (live) => ({ ...live, metadata: { ...live.metadata, annotations: { seen: 'yes' } } }));
    await clock.step(3_600_000);
    expect(cluster.writes.slice(writes)).toEqual([]);
  });

  test('follows its size and replaces what dies', async () => {
    const { cluster, clock, events } = await started(informers);
    runFakeKubelet({ cluster, clock, endAfter: () => 20_000 });
    cluster.create(replicaSets, fresh(2));
    await clock.step(1000);
    scaleTo(5);
    await clock.step(1000);
    expect(active()).toHaveLength(5);
    events.take();
    scaleTo(1);
    await clock.step(5000);
    expect(active()).toHaveLength(1);
    expect(status()).toMatchObject({ replicas: 1, terminatingReplicas: 4, observedGeneration: 3 });
    expect(events.take()).toHaveLength(4);
    await clock.step(20_000);
    expect(status()).toMatchObject({ replicas: 1, terminatingReplicas: 0 });

    const [last] = active();
    cluster.delete(pods, keyOf(last!));
    await clock.step(1000);
    expect(active()).toHaveLength(1);
    expect(active()[0]!.metadata.name).not.toBe(last!.metadata.name);
  });
});

describe('adoption and release', () => {
  test('adopts matching orphans before creating, releases what matches no longer', async () => {
    const { cluster, clock } = await started();
    cluster.create(pods, pod('stray'));
    const owner = cluster.create(replicaSets, fresh(2));
    await clock.step(1000);
    expect(active()).toHaveLength(2);
    expect(cluster.get(pods, 'default/stray')!.metadata.ownerReferences).toMatchObject([{ uid: owner.metadata.uid, controller: true }]);
    expect(cluster.writes.filter(({ verb }) => verb === 'patch').map(({ body }) => body)).toEqual([
      {
        metadata: {
          uid: cluster.get(pods, 'default/stray')!.metadata.uid,
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-1', uid: owner.metadata.uid, controller: true, blockOwnerDeletion: true },
          ],
        },
      },
    ]);

    cluster.change(pods, 'default/stray', (live) => ({ ...live, metadata: { ...live.metadata, labels: { app: 'debug' } } }));
    await clock.step(1000);
    expect(cluster.get(pods, 'default/stray')!.metadata.ownerReferences).toEqual([]);
    expect(active()).toHaveLength(3);
    expect(status()?.replicas).toBe(2);
  });

  test('an owner under deletion neither adopts nor creates nor deletes', async () => {
    const { cluster, clock } = await started();
    cluster.create(pods, pod('stray'));
    cluster.create(replicaSets, fresh(2, { metadata: { finalizers: ['foregroundDeletion'] } }));
    cluster.delete(replicaSets, KEY);
    await clock.step(1000);
    expect(cluster.writes.filter(({ type }) => type.kind === 'Pod')).toEqual([]);
    expect(status()).toMatchObject({ replicas: 0, observedGeneration: 2 });
  });

  test('an owner deleted on the server but not yet in the cache adopts nothing', async () => {
    const { cluster, clock } = await started({ lag: (resource) => (resource.kind === 'ReplicaSet' ? 5000 : 0) });
    cluster.create(replicaSets, fresh(0, { metadata: { finalizers: ['foregroundDeletion'] } }));
    await clock.step(6000);
    cluster.delete(replicaSets, KEY);
    cluster.create(pods, pod('stray'));
    await clock.step(1000);
    expect(cluster.get(pods, 'default/stray')!.metadata.ownerReferences ?? []).toEqual([]);
    expect(cluster.writes.filter(({ type }) => type.kind === 'Pod')).toEqual([]);
  });
});
