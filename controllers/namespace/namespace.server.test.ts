import { afterEach, beforeEach, expect, test } from 'vitest';

import { type ConfigMap, type KubeObject, type Namespace, resources } from '#pkg/api';
import { type ServerWorld, createServerWorld } from '#pkg/testing';

import { namespaceController } from './index.ts';

const { configMaps, namespaces, pods, secrets } = resources;

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({ controllers: [namespaceController] });
  await world.start();
});
afterEach(() => world.stop());

async function namespace(name = 'team', metadata: Partial<KubeObject['metadata']> = {}): Promise<Namespace> {
  return world.client.resource(namespaces).create({ metadata: { name, ...metadata } });
}

function live(name = 'team'): Promise<Namespace> {
  return world.client.resource(namespaces).get({ name });
}

async function gone(name = 'team'): Promise<boolean> {
  const { items } = await world.client.resource(namespaces).list();
  return !items.some(({ metadata }) => metadata.name === name);
}

function put(name: string, finalizers?: readonly string[]): Promise<ConfigMap> {
  const metadata = { name, namespace: 'team', ...(finalizers ? { finalizers } : {}) };
  return world.client.resource(configMaps).create({ metadata });
}

async function conditions(name = 'team'): Promise<Record<string, string>> {
  const { status } = await live(name);
  return Object.fromEntries(
    (status?.conditions ?? []).map((one) => [one.type, `${one.status} ${one.reason}: ${one.message}`]),
  );
}

const podSpec = { terminationGracePeriodSeconds: 30, containers: [{ name: 'main', image: 'app:v1' }] };

test('a namespace goes five seconds after its deletion, with what is in it, and others stay', async () => {
  await namespace();
  await put('a');
  await world.client.resource(secrets).create({ metadata: { name: 's', namespace: 'team' } });
  await world.create(configMaps, { metadata: { name: 'stays' } });
  await world.client.resource(namespaces).delete({ name: 'team' });
  await world.clock.step(4900);
  expect(await gone()).toBe(false);
  expect(world.takeRequests()).toEqual([]);
  await world.clock.step(200);
  expect(await gone()).toBe(true);
  expect((await world.list(configMaps)).map(({ metadata }) => metadata.name)).toContain('stays');
});

test('one request for a resource of which there is nothing, one more for others', async () => {
  await namespace();
  await put('a');
  await world.client.resource(namespaces).delete({ name: 'team' });
  await world.clock.step(6000);
  const requests = world.takeRequests();
  const lists = requests.filter((request) => request.startsWith('list '));
  expect(lists).toEqual(['list configmaps']);
  expect(requests.find((request) => request.startsWith('deletecollection '))).toBe('deletecollection pods');
  const others = requests.filter((request) => !/^(list|deletecollection) /.test(request));
  const discovery = ['get undefined', 'get undefined'];
  expect(others).toEqual(['get namespaces', ...discovery, 'update namespaces/status', 'update namespaces/finalize']);
});

test('Pods go first; nothing else does while one is there', async () => {
  await namespace();
  await put('a');
  const pod = {
    metadata: { name: 'p', namespace: 'team', annotations: { 'simulation.kubernetes.io/termination-delay': '20s' } },
    spec: podSpec,
  };
  await world.client.resource(pods).create(pod);
  await world.clock.step(3000);
  expect((await world.client.resource(pods).get({ namespace: 'team', name: 'p' })).spec?.nodeName).toBeDefined();
  await world.client.resource(namespaces).delete({ name: 'team' });
  await world.clock.step(5500);
  expect(
    (await world.client.resource(pods).list({ namespace: 'team' })).items.map(
      ({ metadata }) => metadata.deletionTimestamp,
    ),
  ).toEqual([expect.any(String)]);
  expect((await world.client.resource(configMaps).list({ namespace: 'team' })).items).toHaveLength(1);
  expect(await conditions()).toEqual({
    NamespaceDeletionDiscoveryFailure: 'False ResourcesDiscovered: All resources successfully discovered',
    NamespaceDeletionGroupVersionParsingFailure: 'False ParsedGroupVersions: All legacy kube types successfully parsed',
    NamespaceDeletionContentFailure:
      'False ContentDeleted: All content successfully deleted, may be waiting on finalization',
    NamespaceContentRemaining: 'False ContentRemoved: All content successfully removed',
    NamespaceFinalizersRemaining: 'False ContentHasNoFinalizers: All content-preserving finalizers finished',
  });
  await world.clock.step(60_000);
  expect(await gone()).toBe(true);
});

test('its conditions say what keeps it, and in the end it goes', async () => {
  await namespace();
  await put('held', ['example.com/hold']);
  await put('held-too', ['example.com/hold']);
  await world.client.resource(namespaces).delete({ name: 'team' });
  await world.clock.step(5500);
  expect(await conditions()).toMatchObject({
    NamespaceDeletionContentFailure:
      'False ContentDeleted: All content successfully deleted, may be waiting on finalization',
    NamespaceContentRemaining:
      'True SomeResourcesRemain: Some resources are remaining: configmaps. has 2 resource instances',
    NamespaceFinalizersRemaining:
      'True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: example.com/hold in 2 resource instances',
  });
  await world.clock.step(60_000);
  world.takeRequests();
  await world.clock.step(20_000);
  // It is looked at again, and nothing new is to be said.
  expect(world.takeRequests().filter((request) => request.startsWith('update'))).toEqual([]);
  for (const name of ['held', 'held-too'])
    await world.client
      .resource(configMaps)
      .patch({ namespace: 'team', name }, 'merge', { metadata: { finalizers: null } });
  await world.clock.step(20_000);
  expect(await gone()).toBe(true);
});

test('another who holds the namespace keeps it, empty', async () => {
  await namespace('team', { finalizers: ['example.com/hold'] });
  await put('a');
  await world.client.resource(namespaces).delete({ name: 'team' });
  await world.clock.step(30_000);
  expect((await live()).spec?.finalizers ?? []).toEqual([]);
  expect((await world.client.resource(configMaps).list({ namespace: 'team' })).items).toEqual([]);
  world.takeRequests();
  await world.clock.step(60 * 60_000);
  expect(world.takeRequests().filter((request) => !request.startsWith('get'))).toEqual([]);
});

test('custom resources go, too', async () => {
  await world.client.request({
    method: 'POST',
    path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    body: {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'gadgets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'gadgets', kind: 'Gadget' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    },
  });
  const gadgets = { group: 'example.com', version: 'v1', resource: 'gadgets', kind: 'Gadget', namespaced: true };
  await namespace();
  await world.client
    .resource(gadgets)
    .create({ metadata: { name: 'g', namespace: 'team', finalizers: ['example.com/hold'] } });
  await world.client.resource(namespaces).delete({ name: 'team' });
  await world.clock.step(6000);
  expect((await conditions())['NamespaceContentRemaining']).toBe(
    'True SomeResourcesRemain: Some resources are remaining: gadgets.example.com has 1 resource instances',
  );
  await world.client
    .resource(gadgets)
    .patch({ namespace: 'team', name: 'g' }, 'merge', { metadata: { finalizers: [] } });
  await world.clock.step(20_000);
  expect(await gone()).toBe(true);
});
