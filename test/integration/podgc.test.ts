import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type Pod, isAlreadyExists, isNotFound, isPodReady, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { type Stage, type Workspace, openStage, template } from '../harness/workspace.ts';

const { nodes, pods } = resources;
const HOLD = ['test.example/hold'];
/** A look every 20 s, and before that 40 s of quarantine; the rest is for a machine that is busy. */
const LONG = 110_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ controllers: ['pod-garbage-collector-controller'] });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

/** A Pod that runs on a node of its own, which nobody else runs Pods on. */
async function onNode(at: Workspace, node: string, finalizers: readonly string[] = []): Promise<void> {
  await at.client.resource(nodes).create({ metadata: { name: node } });
  const { spec } = template('app:v1');
  await at.create(pods, {
    metadata: { name: 'a', finalizers },
    spec: { ...spec!, nodeName: node, tolerations: [{ operator: 'Exists' }] },
  });
  await eventually(async () => expect((await at.get(pods, 'a')).spec!.nodeName).toBe(node));
}

const failed = (at: Workspace, name = 'a'): Promise<Pod> =>
  eventually(async () => {
    const pod = await at.get(pods, name);
    expect(pod.status?.phase).toBe('Failed');
    return pod;
  }, LONG);

async function release(at: Workspace, name = 'a'): Promise<void> {
  await at.merge(pods, { metadata: { finalizers: null } }, name);
  await eventually(async () => expect(await at.list(pods)).toEqual([]));
}

const disruption = ({ status }: Pod): object | undefined =>
  status?.conditions?.find(({ type }) => type === 'DisruptionTarget');

describe.concurrent(`Pods that nobody clears away, on the ${controlPlaneKind()}`, { timeout: LONG + 40_000 }, () => {
  test('fail and go with their node, and it is said why', async ({ at }) => {
    await onNode(at, at.namespace, HOLD);
    await at.client.resource(nodes).delete({ name: at.namespace });
    const pod = await failed(at);
    expect(disruption(pod)).toMatchObject({
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
      observedGeneration: 1,
    });
    await eventually(async () =>
      expect((await at.get(pods, 'a')).metadata).toMatchObject({ deletionGracePeriodSeconds: 0 }),
    );
    await release(at);
  });

  test('go at once, failed, from a node that is out of service', async ({ at }) => {
    await onNode(at, at.namespace, HOLD);
    const readiness = { type: 'Ready', status: 'Unknown' };
    await at.client
      .resource(nodes)
      .patch({ name: at.namespace }, 'strategic', { status: { conditions: [readiness] } }, { subresource: 'status' });
    await at.client.resource(nodes).patch({ name: at.namespace }, 'merge', {
      spec: { taints: [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] },
    });
    await at.client.resource(pods).delete({ namespace: at.namespace, name: 'a' });
    expect(disruption(await failed(at))).toBeUndefined();
    await release(at);
    await at.client.resource(nodes).delete({ name: at.namespace });
  });

  test('fail when they are deleted before they have a node', async ({ at }) => {
    const { spec } = template('app:v1');
    await at.create(pods, {
      metadata: { name: 'a', finalizers: HOLD },
      spec: { ...spec!, schedulingGates: [{ name: 'test.example/closed' }] },
    });
    await at.client.resource(pods).delete({ namespace: at.namespace, name: 'a' });
    expect(disruption(await failed(at))).toBeUndefined();
    await release(at);
  });

  test('are none of those whose node is there', async ({ at }) => {
    await ensureNode(at, 'test-node');
    const { spec } = template('app:v1');
    await at.create(pods, { metadata: { name: 'a' }, spec: spec! });
    await eventually(async () => expect(isPodReady(await at.get(pods, 'a'))).toBe(true));
    await new Promise((resolve) => setTimeout(resolve, 65_000));
    expect(isPodReady(await at.get(pods, 'a'))).toBe(true);
  });
});

/** Where the harness runs Pods on a real API server; the embedded one has nodes of its own. */
async function ensureNode(at: Workspace, name: string): Promise<void> {
  try {
    await at.client.resource(nodes).get({ name });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await at.client
      .resource(nodes)
      .create({ metadata: { name } })
      .catch((refused: unknown) => {
        if (!isAlreadyExists(refused)) throw refused;
      });
  }
}
