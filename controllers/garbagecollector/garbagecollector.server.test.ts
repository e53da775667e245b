import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import {
  type Deployment,
  type KubeObject,
  type NewObject,
  type OwnerReference,
  type ResourceType,
  resources,
} from '#pkg/api';
import { type ServerWorld, createServerWorld } from '#pkg/testing';

import { deploymentController } from '../deployment/index.ts';
import { replicaSetController } from '../replicaset/index.ts';
import { garbageCollectorController } from './index.ts';

const { configMaps, deployments, namespaces, nodes, pods, replicaSets } = resources;

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({ controllers: [deploymentController, replicaSetController, garbageCollectorController] });
  await world.start();
  await world.clock.step(1000);
});
afterEach(() => world.stop());

const wanted: NewObject<Deployment> = {
  metadata: { name: 'web' },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image: 'app:v1' }] } },
  },
};

async function deploy(): Promise<void> {
  await world.create(deployments, wanted);
  await world.clock.step(10_000);
  expect(await world.list(pods)).toHaveLength(3);
  world.takeRequests();
}

/** What the collector asked for, without discovery and what the others do. */
const requests = (): string[] =>
  world
    .takeRequests()
    .filter(
      (request) => !/undefined$|\/status|^(create|update|patch) (deployments|replicasets|pods|events)$/.test(request),
    );
const left = async (): Promise<number[]> => [
  (await world.list(deployments)).length,
  (await world.list(replicaSets)).length,
  (await world.list(pods)).length,
];

function owner(object: KubeObject, type: ResourceType, more: Partial<OwnerReference> = {}): OwnerReference {
  const { name, uid } = object.metadata;
  return {
    apiVersion: type.group === '' ? type.version : `${type.group}/${type.version}`,
    kind: type.kind,
    name,
    uid,
    ...more,
  };
}

describe('a Deployment', () => {
  test('deleted in the background takes everything with it, for one request an object', async () => {
    await deploy();
    await world.client.resource(deployments).delete({ namespace: 'default', name: 'web' });
    await world.clock.step(10_000);
    expect(await left()).toEqual([0, 0, 0]);
    expect(requests()).toEqual(['delete replicasets', 'delete pods', 'delete pods', 'delete pods']);
  });

  test('deleted in the foreground goes last', async () => {
    await deploy();
    await world.client
      .resource(deployments)
      .delete({ namespace: 'default', name: 'web' }, { propagationPolicy: 'Foreground' });
    await world.clock.step(100);
    expect(await left()).toEqual([1, 1, 3]);
    await world.clock.step(10_000);
    expect(await left()).toEqual([0, 0, 0]);
    const made = requests();
    expect(made.filter((request) => request.startsWith('delete'))).toEqual([
      'delete replicasets',
      'delete pods',
      'delete pods',
      'delete pods',
    ]);
    // Both owners once, to see that they wait.
    expect(made.filter((request) => request.startsWith('get'))).toEqual(['get deployments', 'get replicasets']);
  });

  test('deleted with orphans leaves them', async () => {
    await deploy();
    await world.client
      .resource(deployments)
      .delete({ namespace: 'default', name: 'web' }, { propagationPolicy: 'Orphan' });
    await world.clock.step(10_000);
    expect(await left()).toEqual([0, 1, 3]);
    expect((await world.list(replicaSets))[0]!.metadata.ownerReferences).toBeUndefined();
  });
});

describe('owners that are none', () => {
  const config = async (name: string, namespace: string, ...ownerReferences: OwnerReference[]): Promise<KubeObject> =>
    world.create(configMaps, { metadata: { name, namespace, ownerReferences } });
  const has = async (name: string, namespace = 'default'): Promise<boolean> =>
    (await world.client.resource(configMaps).list({ namespace })).items.some(({ metadata }) => metadata.name === name);

  test('in another namespace: told of, and not counted', async () => {
    await world.client.resource(namespaces).create({ metadata: { name: 'other' } });
    const parent = await config('parent', 'default');
    await config('child', 'other', owner(parent, configMaps));
    await config('good', 'default', owner(parent, configMaps));
    await world.clock.step(5000);
    expect([await has('parent'), await has('good'), await has('child', 'other')]).toEqual([true, true, false]);
    const told = world.events.take().filter((line) => line.includes('OwnerRefInvalidNamespace'));
    expect(told).toEqual([
      `Warning OwnerRefInvalidNamespace ownerRef [v1/ConfigMap, namespace: other, name: parent, uid: ${parent.metadata.uid}] does not exist in namespace "other"`,
    ]);
  });

  test('gone before: references to them go while there is another', async () => {
    const parent = await config('parent', 'default');
    await config('child', 'default', owner(parent, configMaps), {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: 'gone',
      uid: 'gone',
    });
    await config('lost', 'default', { apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'gone' });
    await world.clock.step(5000);
    expect([await has('child'), await has('lost')]).toEqual([true, false]);
    expect((await world.get(configMaps, 'child')).metadata.ownerReferences).toEqual([owner(parent, configMaps)]);
  });

  test('of no kind that is served: nobody can tell', async () => {
    await config('child', 'default', { apiVersion: 'example.com/v1', kind: 'Nothing', name: 'x', uid: 'x' });
    await world.clock.step(60_000);
    expect(await has('child')).toBe(true);
  });

  test('in a namespace, of what is in none: nobody can tell', async () => {
    const parent = await config('parent', 'default');
    await world.client
      .resource(nodes)
      .create({ metadata: { name: 'child', ownerReferences: [owner(parent, configMaps)] } });
    await world.client.resource(configMaps).delete({ namespace: 'default', name: 'parent' });
    await world.clock.step(60_000);
    expect((await world.client.resource(nodes).get({ name: 'child' })).metadata.name).toBe('child');
  });
});

test('custom resources are collected as soon as they are served, and what they owned when they no longer are', async () => {
  const definitions: ResourceType = {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    resource: 'customresourcedefinitions',
    kind: 'CustomResourceDefinition',
    namespaced: false,
  };
  const widgets: ResourceType = {
    group: 'example.com',
    version: 'v1',
    resource: 'widgets',
    kind: 'Widget',
    namespaced: true,
  };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const definition = {
    metadata: { name: 'widgets.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'widgets', kind: 'Widget' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
  await world.client.resource(definitions).create(definition);
  await world.clock.step(1000);
  const own = async (name: string): Promise<void> => {
    const widget = await world.create(widgets, { metadata: { name } });
    await world.create(widgets, {
      metadata: { name: `${name}-child`, ownerReferences: [owner(widget, widgets, { blockOwnerDeletion: true })] },
    });
    await world.create(configMaps, {
      metadata: { name, ownerReferences: [owner(widget, widgets, { blockOwnerDeletion: true })] },
    });
  };
  const names = async (): Promise<string[]> =>
    [...(await world.list(widgets)), ...(await world.list(configMaps))].map(({ metadata }) => metadata.name);
  for (const name of ['a', 'b', 'c']) await own(name);
  await world.clock.step(10_000);
  await world.client.resource(widgets).delete({ namespace: 'default', name: 'a' }, { propagationPolicy: 'Foreground' });
  await world.client.resource(widgets).delete({ namespace: 'default', name: 'b' }, { propagationPolicy: 'Orphan' });
  await world.clock.step(10_000);
  expect((await names()).filter((name) => /^[abc]/.test(name))).toEqual(['b-child', 'c', 'c-child', 'b', 'c']);
  await world.client.resource(definitions).delete({ name: 'widgets.example.com' });
  await world.clock.step(60_000);
  expect(
    (await world.list(configMaps)).map(({ metadata }) => metadata.name).filter((name) => /^[abc]$/.test(name)),
  ).toEqual(['b']);
});

test('shows its graph', async () => {
  await deploy();
  const [replicaSet] = await world.list(replicaSets);
  const collector = world.controllers.find(({ name }) => name === 'garbage-collector-controller')!;
  const answer = await collector.debug?.('/graph', new URLSearchParams({ uid: replicaSet!.metadata.uid }));
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'text/vnd.graphviz' } });
  expect(answer?.body.match(/ -> /g)).toHaveLength(4);
  expect(await collector.debug?.('/', new URLSearchParams())).toBeUndefined();
});

test('can be switched off', async () => {
  const off = createServerWorld({
    controllers: [garbageCollectorController],
    options: { 'enable-garbage-collector': false },
  });
  expect(off.controllers).toEqual([]);
  await off.stop();
});
