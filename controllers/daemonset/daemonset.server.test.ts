import { afterEach, beforeEach, expect, test } from 'vitest';

import { type DaemonSet, type Pod, resources } from '#pkg/api';
import { type ServerWorld, createServerWorld, podTemplate } from '#pkg/testing';

import { daemonSetController } from './index.ts';

const { controllerRevisions, daemonSets, nodes, pods } = resources;

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({ controllers: [daemonSetController], simulation: { nodes: 4 } });
  await world.start();
});
afterEach(() => world.stop());

const wanted = (image: string): Pick<DaemonSet, 'spec'> => ({
  spec: { selector: { matchLabels: { app: 'web' } }, template: podTemplate(image) },
});
const where = async (): Promise<string[]> => (await world.list(pods)).map((pod: Pod) => pod.spec!.nodeName!).toSorted();

test('the scheduler puts one on each node, by the permissions of the controller; a settled one costs nothing', async () => {
  await world.create(daemonSets, { metadata: { name: 'agent' }, ...wanted('app:v1') });
  await world.clock.step(10_000);
  expect(await where()).toEqual(['node-1', 'node-2', 'node-3', 'node-4']);
  expect((await world.get(daemonSets, 'agent')).status).toEqual({
    currentNumberScheduled: 4,
    desiredNumberScheduled: 4,
    numberAvailable: 4,
    numberMisscheduled: 0,
    numberReady: 4,
    observedGeneration: 1,
    updatedNumberScheduled: 4,
  });
  const requests = world.takeRequests();
  expect(requests.filter((request) => request === 'create pods')).toHaveLength(4);
  expect(new Set(requests)).toEqual(new Set(['create controllerrevisions', 'create pods', 'update daemonsets/status']));
  await world.clock.step(3_600_000);
  expect(world.takeRequests()).toEqual([]);
});

test('a new image, node by node; a cordoned node is no exception', async () => {
  await world.create(daemonSets, { metadata: { name: 'agent' }, ...wanted('app:v1') });
  await world.clock.step(10_000);
  await world.client.resource(nodes).patch({ name: 'node-2' }, 'merge', { spec: { unschedulable: true } });
  await world.patch(daemonSets, 'agent', wanted('app:v2'));
  await world.clock.step(30_000);
  expect(await where()).toEqual(['node-1', 'node-2', 'node-3', 'node-4']);
  expect(new Set((await world.list(pods)).map((pod) => pod.spec!.containers[0]!.image))).toEqual(new Set(['app:v2']));
  const revisions = await world.list(controllerRevisions);
  expect(revisions.map(({ revision }) => revision).toSorted((a, b) => a - b)).toEqual([1, 2]);
  const newest = revisions.find(({ revision }) => revision === 2)!;
  expect(newest.metadata.annotations).toEqual({ 'deprecated.daemonset.template.generation': '2' });
  expect(newest.metadata.labels).toEqual({
    app: 'web',
    'controller-revision-hash': newest.metadata.name.replace('agent-', ''),
  });
});
