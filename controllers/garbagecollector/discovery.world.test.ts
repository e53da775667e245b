import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { type KubeObject, type OwnerReference, type ResourceType, apiVersionOf, resources } from '#pkg/api';

import { CollectedWorld, widgets } from './collected-world.fixture.ts';

const { configMaps, pods } = resources;

function owner({ metadata }: KubeObject, type: ResourceType): OwnerReference {
  return { apiVersion: apiVersionOf(type), kind: type.kind, name: metadata.name, uid: metadata.uid };
}

const GONE: OwnerReference = { apiVersion: 'v1', kind: 'Pod', name: 'gone', uid: 'gone' };

describe.each([false, true])('what cannot be discovered (real informers: %s)', (realInformers) => {
  let world: CollectedWorld;
  beforeEach(async () => {
    world = new CollectedWorld({ seed: 1, lag: 0, latency: 0, realInformers });
    world.start();
    await world.clock.step(1000);
  });
  afterEach(() => world.stop());

  const create = (type: ResourceType, name: string, ...ownerReferences: OwnerReference[]): KubeObject =>
    world.cluster.create(type, {
      apiVersion: apiVersionOf(type),
      kind: type.kind,
      metadata: { name, namespace: 'default', ...(ownerReferences.length > 0 ? { ownerReferences } : {}) },
    });
  const has = (type: ResourceType, name: string): boolean => world.cluster.get(type, `default/${name}`) !== undefined;
  const own = (type: ResourceType, name: string, ...ownerReferences: OwnerReference[]): void =>
    void world.cluster.change(type, `default/${name}`, (object) => ({
      ...object,
      metadata: { ...object.metadata, ownerReferences },
    }));

  test.each(['stale', 'hidden', 'named', 'nothing'] as const)('is not taken to have gone: %s', async (tells) => {
    const parent = create(widgets, 'parent');
    for (const name of ['a', 'b', 'c']) create(configMaps, name, owner(parent, widgets));
    await world.clock.step(1000);
    world.discoverable = tells;
    await world.clock.step(90_000);
    // Whatever makes it look at a dependent now.
    own(configMaps, 'b', owner(parent, widgets), GONE);
    create(configMaps, 'late', owner(parent, widgets));
    create(configMaps, 'lost', GONE);
    await world.clock.step(90_000);
    expect(['a', 'b', 'c', 'late', 'lost'].map((name) => has(configMaps, name))).toEqual([
      true,
      true,
      true,
      true,
      false,
    ]);
    world.discoverable = 'all';
    await world.clock.step(90_000);
    expect(['a', 'b', 'c', 'late'].map((name) => has(configMaps, name))).toEqual([true, true, true, true]);
    expect(world.cluster.get(configMaps, 'default/b')?.metadata.ownerReferences).toEqual([owner(parent, widgets)]);
    world.cluster.delete(widgets, 'default/parent');
    await world.clock.step(90_000);
    expect(['a', 'b', 'c', 'late'].map((name) => has(configMaps, name))).toEqual([false, false, false, false]);
  });

  test('is known to have gone where that was seen before, or comes to be known when it is discovered again', async () => {
    const [seen, missed] = [create(widgets, 'seen'), create(widgets, 'missed')];
    create(configMaps, 'a', owner(seen, widgets));
    create(configMaps, 'b', owner(missed, widgets));
    await world.clock.step(1000);
    world.cluster.delete(widgets, 'default/seen');
    await world.clock.step(10);
    world.discoverable = 'hidden';
    await world.clock.step(90_000);
    expect([has(configMaps, 'a'), has(configMaps, 'b')]).toEqual([false, true]);
    world.cluster.delete(widgets, 'default/missed');
    await world.clock.step(90_000);
    expect(has(configMaps, 'b')).toBe(true);
    world.discoverable = 'all';
    await world.clock.step(90_000);
    expect(has(configMaps, 'b')).toBe(false);
  });

  test.each(['stale', 'hidden', 'named'] as const)(
    'does not keep the rest from being collected at a start: %s',
    async (tells) => {
      world.discoverable = tells;
      await world.stop();
      const parent = create(pods, 'parent');
      create(configMaps, 'a', owner(parent, pods));
      create(configMaps, 'lost', GONE);
      const widget = create(widgets, 'w');
      create(configMaps, 'b', owner(widget, widgets));
      world.start();
      await world.clock.step(60_000);
      expect(['a', 'b', 'lost'].map((name) => has(configMaps, name))).toEqual([true, true, false]);
      world.cluster.delete(pods, 'default/parent');
      await world.clock.step(1000);
      expect(['a', 'b'].map((name) => has(configMaps, name))).toEqual([false, true]);
    },
  );
});
