import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type DaemonSet, type Pod, isApiError, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { createTestClient } from '../harness/test-client.ts';
import { eventually } from '../harness/eventually.ts';
import { type Stage, type Workspace, openStage, template } from '../harness/workspace.ts';

const { controllerRevisions, daemonSets, nodes } = resources;
const LABEL = 'test.example/daemons';
const NODES = ['daemon-a', 'daemon-b', 'daemon-c'];

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ controllers: ['daemonset-controller'] });
  const access = await createTestClient(stage.plane.adminKubeconfig);
  const client = access.client.resource(nodes);
  for (const name of NODES) {
    const metadata = { name, labels: { [LABEL]: 'yes' }, annotations: { 'simulation.kubernetes.io/managed': 'true' } };
    await client.create({ metadata }).catch((error: unknown) => {
      if (!isApiError(error, 'AlreadyExists')) throw error;
    });
    // The API server taints new nodes until they are ready, which nobody is there to say.
    await client.patch({ name }, 'merge', { spec: { taints: null } });
  }
  await access.close();
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

function spec(image: string): NonNullable<DaemonSet['spec']> {
  const { metadata, spec: podSpec } = template(image);
  return {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: metadata!, spec: { ...podSpec!, nodeSelector: { [LABEL]: 'yes' } } },
  };
}

const where = (pods: readonly Pod[]): string[] => pods.map((pod) => pod.spec!.nodeName!).toSorted();

function settled(at: Workspace): Promise<DaemonSet> {
  return eventually(async () => {
    const found = await at.get(daemonSets);
    expect(found.status).toEqual({
      currentNumberScheduled: 3,
      desiredNumberScheduled: 3,
      numberAvailable: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      updatedNumberScheduled: 3,
      observedGeneration: found.metadata.generation,
    });
    return found;
  }, 30_000);
}

describe.concurrent(`DaemonSets on the ${controlPlaneKind()}`, { timeout: 90_000 }, () => {
  test('get a Pod on each node that they select', async ({ at }) => {
    await at.create(daemonSets, { metadata: { name: 'web' }, spec: spec('app:v1') });
    await settled(at);
    expect(where(await at.activePods())).toEqual(NODES);
  });

  test('go from one template to another and back, each with its revision', async ({ at }) => {
    await at.create(daemonSets, { metadata: { name: 'web' }, spec: spec('app:v1') });
    await settled(at);
    const [first] = await at.list(controllerRevisions);
    await at.merge(daemonSets, { spec: spec('app:v2') });
    await settled(at);
    expect(new Set((await at.activePods()).map((pod) => pod.spec!.containers[0]!.image))).toEqual(new Set(['app:v2']));
    await at.merge(daemonSets, { spec: spec('app:v1') });
    await settled(at);
    const revisions = (await at.list(controllerRevisions)).toSorted((a, b) => a.revision - b.revision);
    expect(revisions.map(({ revision }) => revision)).toEqual([2, 3]);
    expect(revisions[1]!.metadata.name).toBe(first!.metadata.name);
  });
});
