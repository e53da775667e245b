import { expect, test } from 'vitest';

import { type Pod, resources } from '#pkg/api';
import { seededRandom } from '#pkg/base';
import { createInformerFactory } from '#pkg/cache';
import { silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';
import { FakeClock, FakeCluster, pod } from '#pkg/testing';

import { fieldsRead, projectedInformers, reads } from './reads.ts';

const { pods, nodes, services } = resources;
const one = { name: 'one', reads: [reads(pods, 'status.phase', 'spec.nodeName'), reads(nodes)] };
const two = { name: 'two', reads: [reads(pods, 'status.phase', 'status.conditions'), reads(nodes, 'spec.taints')] };

test('the fields read are those of all; whole objects if anyone wants them', () => {
  expect([...fieldsRead([one, two])]).toEqual([
    ['pods', ['spec.nodeName', 'status.conditions', 'status.phase']],
    ['nodes', undefined],
  ]);
  expect([...fieldsRead([two, one])]).toEqual([
    ['pods', ['spec.nodeName', 'status.conditions', 'status.phase']],
    ['nodes', undefined],
  ]);
  expect(fieldsRead([one, two, { name: 'does not say' }]).size).toBe(0);
});

test('one cache keeps what all of them read, and refuses what none declared', async () => {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  cluster.create(pods, pod('a'));
  const factory = createInformerFactory({
    client: cluster.client(),
    clock,
    random: seededRandom(1),
    log: silentLogger,
    metrics: new Metrics(),
  });
  const informers = projectedInformers(factory, [one, two]);
  const informer = informers.informer(pods);
  expect(informers.informer(pods)).toBe(informer);
  expect(() => informers.informer(services)).toThrow('no controller declares that it reads services');
  const end = new AbortController();
  informers.start(end.signal);
  await clock.stepUntil(() => informer.hasSynced());
  const { spec, status, metadata }: Pod = informer.lister.get('default/a')!;
  expect([spec, status, metadata.labels]).toEqual([{}, pod('a').status, { app: 'web' }]);
  end.abort(new DOMException('ends', 'AbortError'));
  await informers.shutdown();
});
