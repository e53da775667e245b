import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type ReplicationController, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { type Stage, type Workspace, openStage, template } from '../harness/workspace.ts';

const { replicationControllers, pods } = resources;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ controllers: ['replicationcontroller-controller'] });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

const create = (at: Workspace, replicas: number): Promise<ReplicationController> =>
  at.create(replicationControllers, { metadata: { name: 'web' }, spec: { replicas, template: template('app:v1') } });

function settled(at: Workspace, replicas: number): Promise<ReplicationController> {
  const counts =
    replicas > 0 ? { fullyLabeledReplicas: replicas, readyReplicas: replicas, availableReplicas: replicas } : {};
  return eventually(async () => {
    const found = await at.get(replicationControllers);
    expect(found.status).toEqual({ replicas, ...counts, observedGeneration: found.metadata.generation });
    return found;
  });
}

describe.concurrent(`ReplicationControllers on the ${controlPlaneKind()}`, { timeout: 60_000 }, () => {
  test('get their Pods, report them and follow their size', async ({ at }) => {
    const { metadata } = await create(at, 3);
    await settled(at, 3);
    const [pod] = await at.activePods();
    expect(pod!.metadata).toMatchObject({ generateName: 'web-', labels: { app: 'web' } });
    expect(pod!.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'v1',
        kind: 'ReplicationController',
        name: 'web',
        uid: metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    await at.merge(replicationControllers, { spec: { replicas: 1 } });
    await settled(at, 1);
    await eventually(async () => {
      const told = (await at.events('ReplicationController')).map((line) => line.replace(/web-.*/, 'web-…'));
      expect(told.toSorted()).toEqual([
        ...Array<string>(3).fill('Normal SuccessfulCreate Created pod: web-…'),
        ...Array<string>(2).fill('Normal SuccessfulDelete Deleted pod: web-…'),
      ]);
    });
  });

  test('adopt what their labels match and release what they match no longer', async ({ at }) => {
    const { metadata, spec } = template('app:v1');
    await at.create(pods, { metadata: { name: 'stray', labels: metadata!.labels! }, spec: spec! });
    await create(at, 2);
    await settled(at, 2);
    expect((await at.get(pods, 'stray')).metadata.ownerReferences).toHaveLength(1);
    await at.merge(pods, { metadata: { labels: { app: 'debug' } } }, 'stray');
    await eventually(async () => expect((await at.get(pods, 'stray')).metadata.ownerReferences ?? []).toEqual([]));
    await eventually(async () => expect(await at.activePods()).toHaveLength(3));
    await settled(at, 2);
  });
});
