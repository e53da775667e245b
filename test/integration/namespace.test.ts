import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type KubeObject, type Namespace, type ResourceType, isNotFound, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { ENDS_SLOWLY, type Stage, type Workspace, openStage, template } from '../harness/workspace.ts';

const { configMaps, deployments, namespaces, pods, secrets, services } = resources;
const HOLD = 'test.example/hold';
/** Namespaces are left alone for 5 s; what is left in them is looked at again every few seconds. */
const PATIENCE = 60_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ controllers: ['namespace-controller'] });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

function remove({ client, namespace }: Workspace): Promise<void> {
  return client.resource(namespaces).delete({ name: namespace });
}

async function live({ client, namespace }: Workspace): Promise<Namespace | undefined> {
  try {
    return await client.resource(namespaces).get({ name: namespace });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function gone(at: Workspace): Promise<void> {
  return eventually(async () => expect(await live(at)).toBeUndefined(), PATIENCE);
}

/** `type=status reason: message`, of those that are asked for. */
async function conditions(at: Workspace, ...types: readonly string[]): Promise<string[]> {
  const all = (await live(at))?.status?.conditions ?? [];
  return all
    .filter(({ type }) => types.includes(type))
    .map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`);
}

async function release<T extends KubeObject>(at: Workspace, type: ResourceType<T>, name: string): Promise<void> {
  await at.merge(type, { metadata: { finalizers: null } }, name);
}

function defining(group: string): object {
  return {
    metadata: { name: `gadgets.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural: 'gadgets', kind: 'Gadget' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
    },
  };
}

describe.concurrent(`namespaces on the ${controlPlaneKind()}`, { timeout: 180_000 }, () => {
  test('go with all that is in them, and nothing comes in meanwhile', async ({ at }) => {
    await at.create(configMaps, { metadata: { name: 'a' } });
    await at.create(secrets, { metadata: { name: 'a' } });
    await at.create(services, { metadata: { name: 'a' }, spec: { ports: [{ port: 80 }] } });
    await at.createDeployment({ replicas: 0 });
    await remove(at);
    const late = at.create(configMaps, { metadata: { name: 'late' } });
    await expect(late).rejects.toThrow(
      `configmaps "late" is forbidden: unable to create new content in namespace ${at.namespace} because it is being terminated`,
    );
    expect((await live(at))?.status?.phase).toBe('Terminating');
    await gone(at);
    for (const type of [configMaps, secrets, services, deployments])
      expect(await at.list<KubeObject>(type)).toEqual([]);
  });

  test('wait for their Pods before anything else goes', async ({ at }) => {
    await at.create(configMaps, { metadata: { name: 'a' } });
    await at.create(pods, {
      metadata: { name: 'p', finalizers: [HOLD], annotations: ENDS_SLOWLY },
      spec: template('app:v1').spec!,
    });
    await remove(at);
    await eventually(async () => expect((await at.get(pods, 'p')).metadata.deletionTimestamp).toBeDefined(), PATIENCE);
    await eventually(async () => {
      expect(await conditions(at, 'NamespaceDeletionContentFailure', 'NamespaceDeletionDiscoveryFailure')).toHaveLength(
        2,
      );
    }, PATIENCE);
    expect((await at.get(configMaps, 'a')).metadata.deletionTimestamp).toBeUndefined();
    await release(at, pods, 'p');
    await gone(at);
  });

  test('say what keeps them', async ({ at }) => {
    for (const name of ['a', 'b']) await at.create(configMaps, { metadata: { name, finalizers: [HOLD] } });
    await at.createDeployment({ replicas: 0 }, { finalizers: [HOLD] });
    await remove(at);
    await eventually(async () => {
      expect(await conditions(at, 'NamespaceContentRemaining', 'NamespaceFinalizersRemaining')).toEqual([
        'NamespaceContentRemaining=True SomeResourcesRemain: Some resources are remaining: configmaps. has 2 resource instances, deployments.apps has 1 resource instances',
        `NamespaceFinalizersRemaining=True SomeFinalizersRemain: Some content in the namespace has finalizers remaining: ${HOLD} in 3 resource instances`,
      ]);
    }, PATIENCE);
    for (const name of ['a', 'b']) await release(at, configMaps, name);
    await eventually(async () => {
      expect(await conditions(at, 'NamespaceContentRemaining')).toEqual([
        'NamespaceContentRemaining=True SomeResourcesRemain: Some resources are remaining: deployments.apps has 1 resource instances',
      ]);
    }, PATIENCE);
    await release(at, deployments, 'web');
    await gone(at);
  });

  test('wait, empty, for others that hold them', async ({ at }) => {
    await at.create(configMaps, { metadata: { name: 'a' } });
    await at.client.resource(namespaces).patch({ name: at.namespace }, 'merge', { metadata: { finalizers: [HOLD] } });
    await remove(at);
    await eventually(async () => expect((await live(at))?.spec?.finalizers ?? []).toEqual([]), PATIENCE);
    expect(await at.list(configMaps)).toEqual([]);
    expect(await live(at)).toBeDefined();
    await at.client.resource(namespaces).patch({ name: at.namespace }, 'merge', { metadata: { finalizers: null } });
    await gone(at);
  });

  test('take custom resources with them', async ({ at }) => {
    const group = `${at.namespace}.example.com`;
    const gadgets: ResourceType = { group, version: 'v1', resource: 'gadgets', kind: 'Gadget', namespaced: true };
    const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await at.client.request({ method: 'POST', path, body: defining(group) });
    await eventually(() => at.create(gadgets, { metadata: { name: 'g', finalizers: [HOLD] } }));
    await remove(at);
    await eventually(async () => {
      expect(await conditions(at, 'NamespaceContentRemaining')).toEqual([
        `NamespaceContentRemaining=True SomeResourcesRemain: Some resources are remaining: gadgets.${group} has 1 resource instances`,
      ]);
    }, PATIENCE);
    await release(at, gadgets, 'g');
    await gone(at);
    await at.client.request({ method: 'DELETE', path: `${path}/gadgets.${group}` });
  });
});
