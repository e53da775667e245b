import { expect, test } from 'vitest';

import { type ConfigMap, type KubeObject, resources } from '#pkg/api';
import { type Clock, seededRandom } from '#pkg/base';
import { silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';
import { ReplicaHandler, ScriptedCollection, settle, versionsOf } from '#pkg/testing';

import { createInformerFactory } from './factory.ts';
import type { InformerFactory } from './types.ts';

/** A clock on which every look takes a while, so that work takes time by how much of it there is, on any machine. */
function workingClock(cost: number): Clock {
  let now = 0;
  return { now: () => now, monotonic: () => (now += cost), setTimeout: () => ({ cancel: () => {} }) };
}

function configMap(name: string): ConfigMap {
  return { metadata: { name, namespace: 'default', uid: '', resourceVersion: '', creationTimestamp: '' } };
}

function factoryFor(configMaps: ScriptedCollection<ConfigMap>, clock: Clock, metrics = new Metrics()): InformerFactory {
  return createInformerFactory({
    client: { resource: <T extends KubeObject>() => configMaps as unknown as ScriptedCollection<T> },
    clock,
    random: seededRandom(1),
    log: silentLogger,
    metrics,
  });
}

test('what happens while a late handler is replayed the cache waits its turn', async () => {
  const configMaps = new ScriptedCollection<ConfigMap>();
  for (let i = 0; i < 5000; i++) configMaps.put(configMap(`m-${i}`));
  const metrics = new Metrics();
  const queued = async (): Promise<number | undefined> => {
    const metric = await metrics.registry.getSingleMetric('informer_queued_items')?.get();
    return metric?.values[0]?.value;
  };
  const factory = factoryFor(configMaps, workingClock(0.01), metrics);
  const informer = factory.informer(resources.configMaps);
  const stop = new AbortController();
  factory.start(stop.signal);
  await informer.whenSynced(stop.signal);
  const late = new ReplicaHandler<ConfigMap>();
  const registration = informer.addEventHandler(late);
  await settle();
  const midway = late.log.length;
  expect(await queued()).toBeGreaterThan(0);
  for (const name of ['m-0', 'm-4999']) configMaps.put(configMap(name));
  for (const name of ['m-1', 'm-4998']) configMaps.remove(`default/${name}`);
  configMaps.put(configMap('new'));
  while (!registration.hasSynced() || !informer.hasReached(configMaps.resourceVersion)) await settle();
  await settle();
  expect(midway).toBeGreaterThan(0);
  expect(midway).toBeLessThan(5000);
  expect(await queued()).toBe(0);
  expect(late.faults).toEqual([]);
  expect(late.versions()).toEqual(versionsOf(configMaps.objects()));
  stop.abort();
  await factory.shutdown();
});

test.each(['streamed', 'in pages'])(
  'a large list, %s, its relist and a late handler leave everyone else their turns',
  async (how) => {
    const configMaps = new ScriptedCollection<ConfigMap>();
    configMaps.canStream = how === 'streamed';
    for (let i = 0; i < 20_000; i++) {
      configMaps.put(configMap(`m-${i}`));
    }
    const clock = workingClock(0.01);
    const factory = factoryFor(configMaps, clock);
    const informer = factory.informer(resources.configMaps);

    /** The longest time between two turns of a bystander while `done` does not hold. */
    async function longestPause(done: () => boolean): Promise<number> {
      let longest = 0;
      for (let last = clock.now(); !done(); last = clock.now()) {
        await new Promise((resolve) => setImmediate(resolve));
        longest = Math.max(longest, clock.now() - last);
      }
      return longest;
    }

    const stop = new AbortController();
    factory.start(stop.signal);
    const first = await longestPause(() => informer.hasSynced());
    expect(informer.lister.size).toBe(20_000);

    let told = 0;
    const registration = informer.addEventHandler({ onAdd: () => told++ });
    const late = await longestPause(() => registration.hasSynced());
    expect(told).toBe(20_000);

    stop.abort();
    const again = new AbortController();
    factory.start(again.signal);
    const relist = await longestPause(() => informer.hasSynced());
    again.abort();
    await factory.shutdown();
    for (const pause of [first, late, relist]) expect(pause).toBeLessThan(30);
    // Without slices each of these is one piece of work of hundreds of these milliseconds.
    expect(clock.now()).toBeGreaterThan(600);
  },
);
