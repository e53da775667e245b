import { afterEach, beforeEach, expect, test } from 'vitest';

import { type StatefulSet, type StatefulSetSpec, resources } from '#pkg/api';
import { type ServerWorld, createServerWorld, podTemplate } from '#pkg/testing';

import { statefulSetController } from './index.ts';

const { pods, statefulSets, controllerRevisions, persistentVolumeClaims } = resources;

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({ controllers: [statefulSetController] });
  await world.start();
});
afterEach(() => world.stop());

const CLAIM = {
  metadata: { name: 'data', labels: { kind: 'volume' } },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
} as const;

/** What mounts the claim, of which the template itself has no volume. */
const MOUNTING = {
  ...podTemplate(),
  spec: { containers: [{ name: 'app', image: 'app:v1', volumeMounts: [{ name: 'data', mountPath: '/data' }] }] },
};

const create = (spec: Partial<StatefulSetSpec>): Promise<StatefulSet> =>
  world.create(statefulSets, {
    metadata: { name: 'web' },
    spec: {
      replicas: 1,
      serviceName: 'peers',
      selector: { matchLabels: { app: 'web' } },
      template: podTemplate(),
      ...spec,
    },
  });
const get = (): Promise<StatefulSet> => world.get(statefulSets, 'web');
const podNames = async (): Promise<string[]> =>
  (await world.list(pods)).map(({ metadata }) => metadata.name).toSorted();
const imagesOf = async (): Promise<(string | undefined)[]> =>
  (await world.list(pods))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
    .map(({ spec }) => spec?.containers[0]?.image);

test('Pods come one after the other with names, claims and labels; a settled set costs nothing', async () => {
  const set = await create({ replicas: 3, template: MOUNTING, volumeClaimTemplates: [CLAIM] });
  await world.clock.step(60_000);
  expect(await podNames()).toEqual(['web-0', 'web-1', 'web-2']);
  const [revision] = await world.list(controllerRevisions);
  const pod = await world.get(pods, 'web-1');
  expect(pod.metadata).toMatchObject({
    generateName: 'web-',
    labels: {
      app: 'web',
      'apps.kubernetes.io/pod-index': '1',
      'controller-revision-hash': revision!.metadata.name,
      'statefulset.kubernetes.io/pod-name': 'web-1',
    },
    ownerReferences: [
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        name: 'web',
        uid: set.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  });
  expect(pod.spec).toMatchObject({ hostname: 'web-1', subdomain: 'peers' });
  expect(pod.spec?.volumes?.[0]).toEqual({ name: 'data', persistentVolumeClaim: { claimName: 'data-web-1' } });
  expect((await world.get(persistentVolumeClaims, 'data-web-1')).metadata.labels).toEqual({
    app: 'web',
    kind: 'volume',
  });
  expect((await get()).status).toEqual({
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    currentRevision: revision!.metadata.name,
    updateRevision: revision!.metadata.name,
    collisionCount: 0,
  });
  expect(world.events.take()).toEqual(
    [0, 1, 2].flatMap((ordinal) => [
      `Normal SuccessfulCreate Create Claim data-web-${ordinal} Pod web-${ordinal} in StatefulSet web success`,
      `Normal SuccessfulCreate Create Pod web-${ordinal} in StatefulSet web successful`,
    ]),
  );
  world.takeRequests();
  await world.clock.step(3_600_000);
  expect(world.takeRequests()).toEqual([]);
});

test('an update goes from the highest ordinal down, back is the old revision under a new number', async () => {
  await create({ replicas: 3, podManagementPolicy: 'Parallel' });
  await world.clock.step(30_000);
  const before = (await get()).status!.updateRevision;
  world.events.take();
  await world.patch(statefulSets, 'web', { spec: { template: podTemplate('app:v2') } });
  await world.clock.step(120_000);
  expect(await imagesOf()).toEqual(['app:v2', 'app:v2', 'app:v2']);
  expect(world.events.take().filter((event) => event.includes('Delete'))).toEqual(
    [2, 1, 0].map((ordinal) => `Normal SuccessfulDelete Delete Pod web-${ordinal} in StatefulSet web successful`),
  );
  const { status } = await get();
  expect(status!.currentRevision).toBe(status!.updateRevision);
  expect(status!.updateRevision).not.toBe(before);

  await world.patch(statefulSets, 'web', { spec: { template: podTemplate('app:v1') } });
  await world.clock.step(120_000);
  expect((await get()).status).toMatchObject({ currentRevision: before, updateRevision: before, updatedReplicas: 3 });
  expect((await world.list(controllerRevisions)).map(({ revision }) => revision).toSorted((a, b) => a - b)).toEqual([
    2, 3,
  ]);
});

test('claims follow the retention policy and a Pod waits until a claim that goes is gone', async () => {
  const set = await create({
    replicas: 2,
    volumeClaimTemplates: [CLAIM],
    persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Delete' },
  });
  await world.clock.step(30_000);
  const ownersOf = async (name: string): Promise<string[]> =>
    ((await world.get(persistentVolumeClaims, name)).metadata.ownerReferences ?? []).map(({ uid }) => uid);
  expect(await ownersOf('data-web-1')).toEqual([set.metadata.uid]);
  await world.patch(statefulSets, 'web', { spec: { replicas: 1 } });
  await world.clock.step(60_000);
  const [pod] = (await world.get(persistentVolumeClaims, 'data-web-1')).metadata.ownerReferences ?? [];
  expect([pod?.kind, pod?.name, await podNames()]).toEqual(['Pod', 'web-1', ['web-0']]);

  await world.patch(statefulSets, 'web', { spec: { replicas: 2 } });
  await world.clock.step(60_000);
  expect(await podNames()).toEqual(['web-0']);
  // As the garbage collector does.
  await world.patch(persistentVolumeClaims, 'data-web-1', { metadata: { finalizers: null } });
  await world.client.resource(persistentVolumeClaims).delete({ namespace: 'default', name: 'data-web-1' });
  await world.clock.step(60_000);
  expect([await podNames(), await ownersOf('data-web-1')]).toEqual([['web-0', 'web-1'], [set.metadata.uid]]);

  await world.patch(statefulSets, 'web', {
    spec: { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' } },
  });
  await world.clock.step(60_000);
  expect([await ownersOf('data-web-0'), await ownersOf('data-web-1')]).toEqual([[], []]);
});

test('under MaxUnavailableStatefulSet several Pods are updated at a time, and metrics say how many may be and are away', async () => {
  await world.stop();
  world = createServerWorld({ controllers: [statefulSetController], gates: { MaxUnavailableStatefulSet: true } });
  await world.start();
  await create({
    replicas: 4,
    podManagementPolicy: 'Parallel',
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 2 } },
  });
  await world.clock.step(30_000);
  world.takeRequests();
  await world.patch(statefulSets, 'web', { spec: { template: podTemplate('app:v2') } });
  await world.clock.step(1);
  expect(world.takeRequests().filter((request) => request === 'delete pods')).toHaveLength(2);
  await world.clock.step(60_000);
  expect(await imagesOf()).toEqual(['app:v2', 'app:v2', 'app:v2', 'app:v2']);
  const labels = '{statefulset_namespace="default",statefulset_name="web",pod_management_policy="Parallel"}';
  const exposed = await world.metrics.expose();
  expect(exposed).toContain(`statefulset_controller_statefulset_max_unavailable${labels} 2`);
  expect(exposed).toContain(`statefulset_controller_statefulset_unavailable_replicas${labels} 0`);
  await world.client.resource(statefulSets).delete({ namespace: 'default', name: 'web' });
  await world.clock.step(10_000);
  expect(await world.metrics.expose()).not.toContain(labels);
});
