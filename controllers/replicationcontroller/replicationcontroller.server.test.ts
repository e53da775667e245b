import { afterEach, beforeEach, expect, test } from 'vitest';

import { type Pod, type ReplicationController, isPodActive, resources } from '#pkg/api';
import { type ServerWorld, createServerWorld, podTemplate } from '#pkg/testing';

import { replicationControllerController } from './index.ts';

const { pods, replicationControllers } = resources;

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({ controllers: [replicationControllerController] });
  await world.start();
});
afterEach(() => world.stop());

const active = async (): Promise<Pod[]> => (await world.list(pods)).filter(isPodActive);
const create = (spec: ReplicationController['spec']): Promise<ReplicationController> =>
  world.create(replicationControllers, { metadata: { name: 'web' }, spec });

test('a size is reached and followed, the status has what its API knows, and a settled one costs no request', async () => {
  const owner = await create({ replicas: 4, template: podTemplate() });
  await world.clock.step(10_000);
  expect((await active()).map((pod) => pod.metadata.ownerReferences)).toEqual(
    Array.from({ length: 4 }, () => [
      {
        apiVersion: 'v1',
        kind: 'ReplicationController',
        name: 'web',
        uid: owner.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]),
  );
  expect((await active()).every((pod) => pod.metadata.generateName === 'web-')).toBe(true);
  expect((await world.get(replicationControllers, 'web')).status).toEqual({
    replicas: 4,
    fullyLabeledReplicas: 4,
    readyReplicas: 4,
    availableReplicas: 4,
    observedGeneration: 1,
  });
  world.takeRequests();
  await world.clock.step(3_600_000);
  expect(world.takeRequests()).toEqual([]);

  await world.patch(replicationControllers, 'web', { spec: { replicas: 1 } });
  await world.clock.step(10_000);
  expect(await world.list(pods)).toHaveLength(1);
  expect((await world.get(replicationControllers, 'web')).status).toMatchObject({ replicas: 1, observedGeneration: 2 });
  expect(new Set(world.events.take().map((event) => event.split(' ', 2).join(' ')))).toEqual(
    new Set(['Normal SuccessfulCreate', 'Normal SuccessfulDelete']),
  );
});

test('orphans are adopted, strangers are left alone, and Pods of other labels released', async () => {
  const { metadata, spec } = podTemplate();
  await world.create(pods, { metadata: { name: 'stray', labels: metadata!.labels! }, spec: spec! });
  await world.create(pods, { metadata: { name: 'stranger', labels: { app: 'other' } }, spec: spec! });
  await create({ replicas: 1, template: podTemplate() });
  await world.clock.step(5000);
  expect(
    (await active())
      .map(({ metadata: { name, ownerReferences } }) => `${name} ${ownerReferences?.length ?? 0}`)
      .toSorted(),
  ).toEqual(['stranger 0', 'stray 1']);
  await world.patch(pods, 'stray', { metadata: { labels: { app: 'debug' } } });
  await world.clock.step(5000);
  expect((await world.get(pods, 'stray')).metadata.ownerReferences ?? []).toEqual([]);
  expect((await world.get(replicationControllers, 'web')).status).toMatchObject({ replicas: 1, availableReplicas: 1 });
});
