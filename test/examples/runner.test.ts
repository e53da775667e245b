import { afterEach, expect, test } from 'vitest';

import { controllerOf, resources } from '#pkg/api';
import { type World, createWorld } from '#pkg/testing';

import { runnerController } from '../../docs/examples/runner.ts';

const { configMaps, pods } = resources;
const IMAGE = 'runner.example.com/image';

let world: World;
afterEach(() => world.stop());

async function start(): Promise<void> {
  world = createWorld({ controllers: [runnerController], lag: () => 500 });
  await world.start();
}

const images = (): (string | undefined)[] => world.cluster.list(pods).map(({ spec }) => spec?.containers[0]?.image);

test('one Pod for a ConfigMap that asks, replaced when it dies, gone when nobody asks', async () => {
  await start();
  const { clock, cluster, events } = world;
  cluster.create(configMaps, { metadata: { name: 'silent' } });
  const map = cluster.create(configMaps, { metadata: { name: 'asking', labels: { [IMAGE]: 'app' } } });
  await clock.step(5000);
  expect(images()).toEqual(['app']);
  const [first] = cluster.list(pods);
  expect(controllerOf(first!)?.uid).toBe(map.metadata.uid);
  expect(events.take()).toEqual([`Normal SuccessfulCreate Created pod: ${first!.metadata.name}`]);

  cluster.finish(pods, `default/${first!.metadata.name}`);
  await clock.step(5000);
  expect(images()).toEqual(['app']);

  cluster.change(configMaps, 'default/asking', (old) => ({ ...old, metadata: { ...old.metadata, labels: {} } }));
  await clock.step(5000);
  expect(cluster.list(pods).filter(({ metadata }) => metadata.deletionTimestamp === undefined)).toEqual([]);
  cluster.writes.length = 0;
  world.resync();
  await clock.step(5000);
  expect(cluster.writes).toEqual([]);
});
