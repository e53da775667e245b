import { describe, expect, test } from 'vitest';

import { type ConfigMap, resources } from '#pkg/api';
import { ReplicaHandler, informerWorld, settle } from '#pkg/testing';

function configMap(name: string): ConfigMap {
  return {
    metadata: { name, namespace: 'default', uid: '', resourceVersion: '', creationTimestamp: '' },
    data: { a: 'b' },
  };
}

const whole = (object: ConfigMap): ConfigMap => object;

describe('one informer a resource', () => {
  test('whoever asks gets the same, and metadata-only is another', () => {
    const { factory } = informerWorld();
    const first = factory.informer(resources.configMaps);
    expect(factory.informer(resources.configMaps)).toBe(first);
    expect(factory.metadataInformer(resources.configMaps)).not.toBe(first);
    expect(factory.metadataInformer(resources.configMaps)).toBe(factory.metadataInformer(resources.configMaps));
  });

  test('two ideas of what to keep are a mistake', () => {
    const { factory } = informerWorld();
    factory.informer(resources.configMaps, { transform: whole });
    factory.informer(resources.configMaps, { transform: whole });
    const conflict = expect.objectContaining({ code: 'TransformConflict' });
    expect(() => factory.informer(resources.configMaps)).toThrow(conflict);
    expect(() => factory.informer(resources.configMaps, { transform: (object) => object })).toThrow(conflict);
  });

  test('asks for what it was told to: one namespace, metadata alone', async () => {
    const { factory, configMaps, collection, stop } = informerWorld({ namespace: 'kube-system' });
    factory.metadataInformer(resources.configMaps);
    factory.informer(resources.nodes);
    factory.start(stop.signal);
    await settle();
    expect(configMaps.requests[0]?.options).toMatchObject({ namespace: 'kube-system', metadataOnly: true });
    expect(collection(resources.nodes).requests[0]?.options).not.toHaveProperty('namespace');
    stop.abort();
    await factory.shutdown();
  });
});

describe('start and stop', () => {
  test('starts what was asked for so far, once, and later what was asked for since', async () => {
    const { factory, configMaps, collection, stop } = informerWorld();
    factory.informer(resources.configMaps);
    factory.start(stop.signal);
    factory.start(stop.signal);
    factory.informer(resources.nodes);
    await settle();
    expect([configMaps.requests.length, collection(resources.nodes).requests.length]).toEqual([1, 0]);
    factory.start(stop.signal);
    await settle();
    expect([configMaps.requests.length, collection(resources.nodes).requests.length]).toEqual([1, 1]);
    stop.abort();
    await factory.shutdown();
  });

  test('shutdown ends watches, timers and resyncs, whatever state they are in', async () => {
    for (const prepare of ['watching', 'backing off', 'listing'] as const) {
      const { factory, configMaps, clock, stop } = informerWorld({ defaultResync: 60_000 });
      factory.informer(resources.configMaps).addEventHandler({});
      if (prepare === 'backing off') configMaps.failNext('stream', new Error('refused'), 10);
      if (prepare === 'listing') configMaps.silent = true;
      factory.start(stop.signal);
      await settle();
      const timers = clock.pending;
      stop.abort(new Error('stop'));
      await factory.shutdown();
      expect({ prepare, timers, left: clock.pending, open: configMaps.open }).toEqual({
        prepare,
        timers: expect.toSatisfy((n) => n > 0),
        left: 0,
        open: 0,
      });
    }
  });

  test('a factory that was stopped starts again, and tells only what changed meanwhile', async () => {
    const { factory, configMaps, stop } = informerWorld();
    const informer = factory.informer(resources.configMaps);
    const replica = new ReplicaHandler<ConfigMap>();
    informer.addEventHandler(replica);
    configMaps.put(configMap('a'));
    configMaps.put(configMap('b'));
    factory.start(stop.signal);
    await settle();
    stop.abort();
    const second = new AbortController();
    // At once, without waiting for the first run to end.
    factory.start(second.signal);
    expect(informer.hasSynced()).toBe(false);
    configMaps.remove('default/b');
    configMaps.put(configMap('c'));
    await factory.waitForCacheSync(second.signal);
    await settle();
    expect(replica.log).toEqual(['add default/a@101', 'add default/b@102', 'add default/c@104', 'lost default/b@102']);
    expect(configMaps.open).toBe(1);
    second.abort();
    await factory.shutdown();
    expect(configMaps.open).toBe(0);
  });

  test('sixty informers put one listener on the signal', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on('warning', onWarning);
    const { factory, stop } = informerWorld();
    for (let i = 0; i < 60; i++) factory.informer({ ...resources.configMaps, resource: `kind-${i}` });
    factory.start(stop.signal);
    await factory.waitForCacheSync(stop.signal);
    stop.abort();
    await factory.shutdown();
    await settle();
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });
});

describe('waitForCacheSync', () => {
  test('names every ten seconds what is missing', async () => {
    const { factory, configMaps, clock, lines, stop } = informerWorld();
    factory.informer(resources.configMaps);
    factory.metadataInformer(resources.pods);
    factory.informer(resources.nodes);
    configMaps.silent = true;
    factory.start(stop.signal);
    const waiting = factory.waitForCacheSync(stop.signal);
    await clock.step(21_000);
    expect(lines.filter((line) => line.includes('Still waiting'))).toEqual([
      'warning Still waiting for caches to sync missing=configmaps',
      'warning Still waiting for caches to sync missing=configmaps',
    ]);
    configMaps.silent = false;
    await clock.step(20_000);
    await waiting;
    stop.abort();
    await factory.shutdown();
    expect(clock.pending).toBe(0);
  });

  test('ends with the signal’s reason', async () => {
    const { factory, configMaps, clock, stop } = informerWorld();
    factory.informer(resources.configMaps);
    configMaps.silent = true;
    factory.start(stop.signal);
    const waiting = factory.waitForCacheSync(stop.signal);
    stop.abort(new Error('lost the lease'));
    await expect(waiting).rejects.toThrow('lost the lease');
    await factory.shutdown();
    expect(clock.pending).toBe(0);
  });
});

test('metrics tell what is cached, how stale it is, and what was asked of the server', async () => {
  const { factory, configMaps, clock, sample, stop } = informerWorld();
  factory.informer(resources.configMaps);
  configMaps.put(configMap('a'));
  factory.start(stop.signal);
  await clock.step(5000);
  configMaps.put(configMap('b'));
  configMaps.failNext('watch', new Error('refused'), 1);
  await settle();
  configMaps.dropWatches(new Error('cut'));
  await clock.step(20_000);
  const labels = ['name="test"', 'group=""', 'version="v1"', 'resource="configmaps"'];
  expect(await sample('informer_objects{', ...labels)).toBe(2);
  expect(await sample('informer_queued_items{', ...labels)).toBe(0);
  expect(await sample('informer_processing_latency_seconds_count{', ...labels)).toBe(2);
  expect(await sample('informer_requests_total{', ...labels, 'kind="stream"')).toBe(1);
  expect(await sample('informer_requests_total{', ...labels, 'kind="watch"')).toBe(2);
  expect(await sample('informer_failures_total{', ...labels, 'reason="broken"')).toBe(2);
  expect(await sample('informer_last_contact_timestamp_seconds{', ...labels)).toBe(
    Date.parse('2026-01-01T00:00:05Z') / 1000,
  );
  stop.abort();
  await factory.shutdown();
});
