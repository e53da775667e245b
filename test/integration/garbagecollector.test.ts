import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import {
  type ConfigMap,
  type KubeObject,
  type OwnerReference,
  type ResourceType,
  apiVersionOf,
  resources,
} from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { type Stage, type Workspace, openStage } from '../harness/workspace.ts';

const { configMaps, deployments, pods, replicaSets } = resources;
const HOLD = 'example.com/hold';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({
    controllers: ['deployment-controller', 'replicaset-controller', 'garbage-collector-controller'],
  });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

function owner(object: KubeObject, type: ResourceType, more: Partial<OwnerReference> = {}): OwnerReference {
  const { name, uid } = object.metadata;
  return { apiVersion: apiVersionOf(type), kind: type.kind, name, uid, ...more };
}

function config(
  at: Workspace,
  name: string,
  ownerReferences: readonly OwnerReference[] = [],
  more: Partial<ConfigMap['metadata']> = {},
): Promise<ConfigMap> {
  return at.create(configMaps, { metadata: { name, ownerReferences, ...more } });
}

const blocking = { blockOwnerDeletion: true };
const names = async <T extends KubeObject>(at: Workspace, type: ResourceType<T>): Promise<string[]> =>
  (await at.list(type))
    .map(({ metadata }) => metadata.name)
    .filter((name) => name !== 'kube-root-ca.crt')
    .toSorted();

async function remove(
  at: Workspace,
  type: ResourceType,
  name: string,
  propagationPolicy: 'Background' | 'Foreground' | 'Orphan',
): Promise<void> {
  await at.client.resource(type).delete({ namespace: at.namespace, name }, { propagationPolicy });
}

async function rollOut(at: Workspace): Promise<void> {
  await at.createDeployment();
  await eventually(async () => expect((await at.deployment()).status).toMatchObject({ availableReplicas: 3 }));
}

const left = async (at: Workspace): Promise<number[]> => [
  (await at.list(deployments)).length,
  (await at.list(replicaSets)).length,
  (await at.list(pods)).length,
];

describe.concurrent(`the garbage collector on the ${controlPlaneKind()}`, { timeout: 90_000 }, () => {
  test('deletes what a Deployment has made, after it', async ({ at }) => {
    await rollOut(at);
    await remove(at, deployments, 'web', 'Background');
    await eventually(async () => expect(await left(at)).toEqual([0, 0, 0]));
  });

  test('deletes what a Deployment has made, before it', async ({ at }) => {
    await rollOut(at);
    const [pod] = await at.activePods();
    await at.merge(pods, { metadata: { finalizers: [HOLD] } }, pod!.metadata.name);
    await remove(at, deployments, 'web', 'Foreground');
    await eventually(async () => expect(await left(at)).toEqual([1, 1, 1]));
    await at.merge(pods, { metadata: { finalizers: null } }, pod!.metadata.name);
    await eventually(async () => expect(await left(at)).toEqual([0, 0, 0]));
  });

  test('lets what a Deployment has made live on', async ({ at }) => {
    await rollOut(at);
    await remove(at, deployments, 'web', 'Orphan');
    await eventually(async () => expect(await left(at)).toEqual([0, 1, 3]));
    expect((await at.replicaSets())[0]!.metadata.ownerReferences).toBeUndefined();
  });

  test('keeps what has another owner, and lets an owner go that it does not block', async ({ at }) => {
    const [going, staying] = [await config(at, 'going'), await config(at, 'staying')];
    await config(at, 'both', [owner(going, configMaps, blocking), owner(staying, configMaps)]);
    await config(at, 'held', [owner(going, configMaps)], { finalizers: [HOLD] });
    await remove(at, configMaps, 'going', 'Foreground');
    await eventually(async () => expect(await names(at, configMaps)).toEqual(['both', 'held', 'staying']));
    await eventually(async () =>
      expect((await at.get(configMaps, 'both')).metadata.ownerReferences).toEqual([owner(staying, configMaps)]),
    );
    await at.merge(configMaps, { metadata: { finalizers: null } }, 'held');
    await eventually(async () => expect(await names(at, configMaps)).toEqual(['both', 'staying']));
  });

  test('tells of owners in other namespaces, and does not count them', async ({ at }) => {
    const other = await stage.workspace('the other namespace');
    const parent = await config(other, 'parent');
    await config(other, 'child', [owner(parent, configMaps)]);
    await config(at, 'stray', [owner(parent, configMaps)]);
    await eventually(async () => expect(await names(at, configMaps)).toEqual([]));
    const reference = `[v1/ConfigMap, namespace: ${at.namespace}, name: parent, uid: ${parent.metadata.uid}]`;
    await eventually(async () =>
      expect(await at.events('ConfigMap')).toEqual([
        `Warning OwnerRefInvalidNamespace ownerRef ${reference} does not exist in namespace "${at.namespace}"`,
      ]),
    );
    expect(await names(other, configMaps)).toEqual(['child', 'parent']);
  });

  test('deletes what names an owner that never was, and not where nobody can tell', async ({ at }) => {
    await config(at, 'lost', [
      { apiVersion: 'v1', kind: 'ConfigMap', name: 'nobody', uid: '11111111-2222-3333-4444-555555555555' },
    ]);
    await config(at, 'unknown', [
      {
        apiVersion: 'unknown.example.com/v1',
        kind: 'Unknown',
        name: 'nobody',
        uid: '11111111-2222-3333-4444-666666666666',
      },
    ]);
    await eventually(async () => expect(await names(at, configMaps)).toEqual(['unknown']));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(await names(at, configMaps)).toEqual(['unknown']);
  });

  test('collects custom resources, also when their definition goes', async ({ at }) => {
    const definitions: ResourceType = {
      group: 'apiextensions.k8s.io',
      version: 'v1',
      resource: 'customresourcedefinitions',
      kind: 'CustomResourceDefinition',
      namespaced: false,
    };
    const group = `${at.namespace}.example.com`;
    const widgets: ResourceType = { group, version: 'v1', resource: 'widgets', kind: 'Widget', namespaced: true };
    const versions = [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ];
    const definition = {
      metadata: { name: `widgets.${group}` },
      spec: { group, scope: 'Namespaced', names: { plural: 'widgets', kind: 'Widget' }, versions },
    };
    await at.client.resource(definitions).create(definition);
    const family = async (name: string): Promise<void> => {
      const parent = await eventually(() => at.create(widgets, { metadata: { name } }));
      await at.create(widgets, {
        metadata: { name: `${name}-child`, ownerReferences: [owner(parent, widgets, blocking)] },
      });
      await config(at, name, [owner(parent, widgets, blocking)]);
    };
    for (const name of ['a', 'b', 'c', 'd']) await family(name);
    await remove(at, widgets, 'a', 'Background');
    await remove(at, widgets, 'b', 'Foreground');
    await eventually(
      async () =>
        expect([await names(at, widgets), await names(at, configMaps)]).toEqual([
          ['c', 'c-child', 'd', 'd-child'],
          ['c', 'd'],
        ]),
      60_000,
    );
    await remove(at, widgets, 'c', 'Orphan');
    await eventually(async () =>
      expect([await names(at, widgets), await names(at, configMaps)]).toEqual([
        ['c-child', 'd', 'd-child'],
        ['c', 'd'],
      ]),
    );
    await at.client.resource(definitions).delete({ name: `widgets.${group}` });
    await eventually(async () => expect(await names(at, configMaps)).toEqual(['c']), 60_000);
  });
});
