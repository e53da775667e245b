import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type KubeObject, type Pod, controllerOf, resources } from '#pkg/api';
import { HOSTILE_NAME } from '#pkg/testing';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { type Stage, type Workspace, openStage, template } from '../harness/workspace.ts';

const { daemonSets, deployments, nodes, pods, replicaSets, statefulSets } = resources;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({
    controllers: ['deployment-controller', 'replicaset-controller', 'daemonset-controller', 'statefulset-controller'],
  });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

const spec = template('app:v1').spec!;
const podsOf = async (at: Workspace, { metadata }: KubeObject): Promise<readonly Pod[]> =>
  (await at.list(pods)).filter((pod) => controllerOf(pod)?.uid === metadata.uid);

describe.concurrent(`Names that every plain object has, on the ${controlPlaneKind()}`, { timeout: 60_000 }, () => {
  test('a Deployment that asks for their absence has one ReplicaSet', async ({ at }) => {
    await at.create(deployments, {
      metadata: { name: HOSTILE_NAME, annotations: { toString: 'a', valueOf: 'b' } },
      spec: {
        replicas: 2,
        selector: {
          matchLabels: { app: 'd' },
          matchExpressions: [{ key: 'constructor', operator: 'DoesNotExist' }],
        },
        template: { metadata: { labels: { app: 'd', hasOwnProperty: 'q' }, annotations: { toString: 'y' } }, spec },
      },
    });
    await eventually(async () =>
      expect((await at.get(deployments, HOSTILE_NAME)).status).toMatchObject({ availableReplicas: 2 }),
    );
    const [only, ...others] = await at.list(replicaSets);
    expect(others).toEqual([]);
    expect(only!.metadata.annotations).toMatchObject({ valueOf: 'b' });
    expect(only!.spec!.template!.metadata!.labels).toMatchObject({ hasOwnProperty: 'q' });
  });

  test('a ReplicaSet that asks for one takes no Pod without it', async ({ at }) => {
    for (const name of ['orphan-a', 'orphan-b'])
      await at.create(pods, { metadata: { name, labels: { app: 'mine' } }, spec });
    const thief = await at.create(replicaSets, {
      metadata: { name: 'thief' },
      spec: {
        replicas: 1,
        selector: { matchExpressions: [{ key: 'constructor', operator: 'Exists' }] },
        template: { metadata: { labels: { constructor: 'x' } }, spec },
      },
    });
    await eventually(async () => expect(await podsOf(at, thief)).toHaveLength(1));
    await at.merge(replicaSets, { spec: { replicas: 0 } }, 'thief');
    await eventually(async () => expect(await podsOf(at, thief)).toEqual([]));
    const left = (await at.list(pods)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    expect(left.map(({ metadata }) => metadata.name).toSorted()).toEqual(['orphan-a', 'orphan-b']);
    expect(left.flatMap(({ metadata }) => metadata.ownerReferences ?? [])).toEqual([]);
  });

  test('a DaemonSet runs on the nodes without such a label', async ({ at }) => {
    const affinity = (operator: string): object => ({
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'toString', operator }] }],
        },
      },
    });
    const sets = await Promise.all(
      ['Exists', 'DoesNotExist'].map((operator) =>
        at.create(daemonSets, {
          metadata: { name: operator.toLowerCase() },
          spec: {
            selector: { matchLabels: { app: operator } },
            template: { metadata: { labels: { app: operator } }, spec: { ...spec, affinity: affinity(operator) } },
          },
        }),
      ),
    );
    const count = (await at.client.resource(nodes).list()).items.length;
    await eventually(async () => expect(await podsOf(at, sets[1]!)).toHaveLength(count));
    expect(await podsOf(at, sets[0]!)).toEqual([]);
  });

  test('a StatefulSet owns its Pod', async ({ at }) => {
    const set = await at.create(statefulSets, {
      metadata: { name: HOSTILE_NAME },
      spec: {
        serviceName: HOSTILE_NAME,
        replicas: 1,
        selector: { matchLabels: { app: 's' }, matchExpressions: [{ key: 'toString', operator: 'DoesNotExist' }] },
        template: { metadata: { labels: { app: 's' } }, spec },
      },
    });
    await eventually(async () => expect(await podsOf(at, set)).toHaveLength(1));
    await eventually(async () =>
      expect((await at.get(statefulSets, HOSTILE_NAME)).status).toMatchObject({ readyReplicas: 1 }),
    );
  });
});
