import { afterEach, beforeEach, expect, test } from 'vitest';

import { resources } from '#pkg/api';
import { type ServerWorld, createServerWorld, podTemplate } from '#pkg/testing';

import { podGarbageCollectorController } from './index.ts';

const { nodes, pods } = resources;

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({
    controllers: [podGarbageCollectorController],
    options: { 'terminated-pod-gc-threshold': 2 },
  });
  await world.start();
});
afterEach(() => world.stop());

async function running(name: string, finalizers: readonly string[] = []): Promise<string> {
  await world.create(pods, { metadata: { name, finalizers }, spec: podTemplate().spec! });
  await world.clock.step(5000);
  return (await world.get(pods, name)).spec!.nodeName!;
}

test('orphans fail and go, by the permissions of the controller and in words that the server takes', async () => {
  const node = await running('a', ['example.com/hold']);
  await world.client.resource(nodes).delete({ name: node });
  await world.clock.step(90_000);
  expect(world.takeRequests()).toEqual(['get nodes 404', 'patch pods/status', 'delete pods']);
  const { metadata, status } = await world.get(pods, 'a');
  expect(metadata).toMatchObject({ deletionGracePeriodSeconds: 0, finalizers: ['example.com/hold'] });
  expect(status).toMatchObject({ phase: 'Failed', observedGeneration: 1 });
  expect(status!.conditions!.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
    status: 'True',
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
    observedGeneration: 1,
  });
  await world.client
    .resource(pods)
    .patch({ namespace: 'default', name: 'a' }, 'merge', { metadata: { finalizers: null } });
  await world.clock.step(600_000);
  expect(await world.list(pods)).toEqual([]);
  expect(world.takeRequests()).toEqual([]);
});

test('on a node that is out of service nobody waits for the kubelet', async () => {
  const node = await running('a');
  await world.client.resource(nodes).patch({ name: node }, 'merge', {
    spec: { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] },
    metadata: { annotations: null },
  });
  await world.client
    .resource(nodes)
    .patch(
      { name: node },
      'strategic',
      { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
      { subresource: 'status' },
    );
  await world.client.resource(pods).delete({ namespace: 'default', name: 'a' });
  await world.clock.step(25_000);
  expect(await world.list(pods)).toEqual([]);
  expect(world.takeRequests()).toEqual(['patch pods/status', 'delete pods']);
});

test('of ended Pods the threshold stays', async () => {
  for (const name of ['a', 'b', 'c']) {
    await world.create(pods, {
      metadata: { name, annotations: { 'simulation.kubernetes.io/run-duration': '1s' } },
      spec: { ...podTemplate().spec!, restartPolicy: 'Never' },
    });
    await world.clock.step(5000);
  }
  await world.clock.step(60_000);
  expect((await world.list(pods)).map(({ metadata }) => metadata.name)).toEqual(['b', 'c']);
  expect(world.takeRequests()).toEqual(['delete pods']);
});
