import { afterEach, beforeEach, expect, test } from 'vitest';

import { type Pod, type ReplicaSet, isPodActive, resources } from '#pkg/api';
import { type ServerWorld, createServerWorld, podTemplate } from '#pkg/testing';

import { replicaSetController } from './index.ts';

const { pods, replicaSets } = resources;

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({ controllers: [replicaSetController] });
  await world.start();
});
afterEach(() => world.stop());

const wanted = (replicas: number): Pick<ReplicaSet, 'spec'> => ({
  spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: podTemplate() },
});
const active = async (): Promise<Pod[]> => (await world.list(pods)).filter(isPodActive);
const counted = (requests: readonly string[]): Record<string, number> =>
  Object.fromEntries([...new Set(requests)].map((one) => [one, requests.filter((other) => other === one).length]));

test('a size is reached, with the permissions of the controller and few requests; a settled one costs none', async () => {
  await world.create(replicaSets, { metadata: { name: 'web' }, ...wanted(8) });
  await world.clock.step(10_000);
  expect(await active()).toHaveLength(8);
  expect((await world.get(replicaSets, 'web')).status).toEqual({
    replicas: 8,
    fullyLabeledReplicas: 8,
    readyReplicas: 8,
    availableReplicas: 8,
    terminatingReplicas: 0,
    observedGeneration: 1,
  });
  const { 'create pods': creates, 'update replicasets/status': updates, ...others } = counted(world.takeRequests());
  expect([creates, others]).toEqual([8, {}]);
  expect(updates).toBeLessThan(12);
  await world.clock.step(3_600_000);
  expect(world.takeRequests()).toEqual([]);

  await world.patch(replicaSets, 'web', { spec: { replicas: 2 } });
  await world.clock.step(10_000);
  expect(await world.list(pods)).toHaveLength(2);
  expect((await world.get(replicaSets, 'web')).status).toMatchObject({
    replicas: 2,
    terminatingReplicas: 0,
    observedGeneration: 2,
  });
  expect(counted(world.takeRequests())).toMatchObject({ 'delete pods': 6 });
});

test('orphans are adopted and Pods released by patches that the server takes', async () => {
  const { metadata, spec } = podTemplate();
  await world.create(pods, { metadata: { name: 'stray', labels: metadata!.labels! }, spec: spec! });
  await world.clock.step(5000);
  const owner = await world.create(replicaSets, { metadata: { name: 'web' }, ...wanted(1) });
  await world.clock.step(5000);
  expect((await active()).map((pod) => [pod.metadata.name, pod.metadata.ownerReferences])).toEqual([
    [
      'stray',
      [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'web',
          uid: owner.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    ],
  ]);
  expect(world.takeRequests()).toContain('patch pods');

  await world.patch(pods, 'stray', { metadata: { labels: { app: 'debug' } } });
  await world.clock.step(5000);
  expect((await world.get(pods, 'stray')).metadata.ownerReferences ?? []).toEqual([]);
  expect(await active()).toHaveLength(2);
  expect((await world.get(replicaSets, 'web')).status).toMatchObject({ replicas: 1, availableReplicas: 1 });
});
