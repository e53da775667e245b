import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type Pod, type StatefulSet, type StatefulSetSpec, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { ENDS_SLOWLY, NEVER_READY, type Stage, type Workspace, openStage, template } from '../harness/workspace.ts';

const { statefulSets, pods, persistentVolumeClaims, controllerRevisions } = resources;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ controllers: ['statefulset-controller'] });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

const create = (at: Workspace, spec: Partial<StatefulSetSpec> = {}): Promise<StatefulSet> =>
  at.create(statefulSets, {
    metadata: { name: 'web' },
    spec: {
      replicas: 3,
      serviceName: 'peers',
      selector: { matchLabels: { app: 'web' } },
      template: template('app:v1'),
      ...spec,
    },
  });
const change = (at: Workspace, spec: object): Promise<StatefulSet> => at.merge(statefulSets, { spec });
const image = (at: Workspace, name: string, annotations?: Record<string, string | null>): Promise<StatefulSet> =>
  change(at, {
    template: {
      ...(annotations ? { metadata: { annotations } } : {}),
      spec: { containers: [{ name: 'app', image: name }] },
    },
  });
const byName = (all: readonly Pod[]): Pod[] => all.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
/** `web-0 app:v1`, of Pods that are to stay. */
const running = async (at: Workspace): Promise<string[]> =>
  byName(await at.activePods()).map(({ metadata, spec }) => `${metadata.name} ${spec!.containers[0]!.image}`);

/** Once everything is there and ready, of one revision or two. */
function settled(at: Workspace, replicas: number, updated = replicas): Promise<StatefulSet> {
  return eventually(async () => {
    const set = await at.get(statefulSets);
    expect(set.status).toMatchObject({
      observedGeneration: set.metadata.generation,
      replicas,
      availableReplicas: replicas,
    });
    expect(set.status?.readyReplicas ?? 0).toBe(replicas);
    expect(set.status?.updatedReplicas ?? 0).toBe(updated);
    return set;
  });
}

/** Does something to a Pod, and waits until another has its name. */
async function replaced(at: Workspace, name: string, action: () => Promise<unknown>): Promise<void> {
  const { uid } = (await at.get(pods, name)).metadata;
  await action();
  await eventually(async () => expect((await at.get(pods, name)).metadata.uid).not.toBe(uid));
}

const DATA = {
  metadata: { name: 'data' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
};
const ownersOf = async (at: Workspace, name: string): Promise<string[]> =>
  ((await at.get(persistentVolumeClaims, name)).metadata.ownerReferences ?? []).map(
    (owner) => `${owner.kind} ${owner.name}`,
  );

describe.concurrent(`StatefulSets on the ${controlPlaneKind()}`, { timeout: 90_000 }, () => {
  test('get their Pods in order, each with its name, labels and claim', async ({ at }) => {
    const { metadata } = await create(at, { volumeClaimTemplates: [DATA] });
    const { status } = await settled(at, 3);
    expect(await running(at)).toEqual(['web-0 app:v1', 'web-1 app:v1', 'web-2 app:v1']);
    const pod = await at.get(pods, 'web-2');
    expect(pod.metadata.labels).toEqual({
      app: 'web',
      'apps.kubernetes.io/pod-index': '2',
      'controller-revision-hash': status!.updateRevision,
      'statefulset.kubernetes.io/pod-name': 'web-2',
    });
    expect(pod.metadata.ownerReferences).toEqual([
      {
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        name: 'web',
        uid: metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    expect(pod.spec).toMatchObject({ hostname: 'web-2', subdomain: 'peers' });
    expect(pod.spec!.volumes!.find(({ name }) => name === 'data')).toEqual({
      name: 'data',
      persistentVolumeClaim: { claimName: 'data-web-2' },
    });
    const told = [0, 1, 2].flatMap((ordinal) => [
      `Normal SuccessfulCreate Create Claim data-web-${ordinal} Pod web-${ordinal} in StatefulSet web success`,
      `Normal SuccessfulCreate Create Pod web-${ordinal} in StatefulSet web successful`,
    ]);
    await eventually(async () => expect((await at.events('StatefulSet')).toSorted()).toEqual(told.toSorted()));
  });

  test('name their revision as every manager of this version does', async ({ at }) => {
    await create(at, { replicas: 0 });
    const { status } = await settled(at, 0);
    expect(status).toMatchObject({
      currentRevision: 'web-6986cb69d8',
      updateRevision: 'web-6986cb69d8',
      collisionCount: 0,
    });
  });

  test('wait with the next Pod for one that is not ready, unless they are Parallel', async ({ at }) => {
    await create(at, { template: template('app:v1', NEVER_READY) });
    await eventually(async () => expect((await at.get(pods, 'web-0')).status?.phase).toBe('Running'));
    await at.create(statefulSets, {
      metadata: { name: 'par' },
      spec: {
        replicas: 3,
        podManagementPolicy: 'Parallel',
        serviceName: 'x',
        selector: { matchLabels: { app: 'par' } },
        template: template('app:v1', NEVER_READY, { app: 'par' }),
      },
    });
    await eventually(async () =>
      expect((await at.activePods()).map(({ metadata }) => metadata.name).toSorted()).toEqual([
        'par-0',
        'par-1',
        'par-2',
        'web-0',
      ]),
    );
  });

  test('are updated from the highest ordinal, to the partition, and back', async ({ at }) => {
    await create(at, { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } });
    const before = (await settled(at, 3)).status!;
    await image(at, 'app:v2');
    const between = (await settled(at, 3, 2)).status!;
    expect(await running(at)).toEqual(['web-0 app:v1', 'web-1 app:v2', 'web-2 app:v2']);
    expect(between).toMatchObject({ currentRevision: before.updateRevision, currentReplicas: 1 });
    // Below the partition a Pod comes back as it was.
    await replaced(at, 'web-0', () => at.client.resource(pods).delete({ namespace: at.namespace, name: 'web-0' }));
    await settled(at, 3, 2);
    expect(await running(at)).toContain('web-0 app:v1');

    await change(at, { updateStrategy: { rollingUpdate: { partition: 0 } } });
    const after = (await settled(at, 3)).status!;
    expect(after.currentRevision).toBe(between.updateRevision);
    await image(at, 'app:v1');
    expect((await settled(at, 3)).status).toMatchObject({ currentRevision: before.updateRevision });
    expect((await at.list(controllerRevisions)).map(({ revision }) => revision).toSorted((a, b) => a - b)).toEqual([
      2, 3,
    ]);
  });

  test('leave the update to the user with OnDelete', async ({ at }) => {
    await create(at, { replicas: 2, updateStrategy: { type: 'OnDelete' } });
    await settled(at, 2);
    await image(at, 'app:v2');
    await settled(at, 2, 0);
    await replaced(at, 'web-0', () => at.client.resource(pods).delete({ namespace: at.namespace, name: 'web-0' }));
    await settled(at, 2, 1);
    expect(await running(at)).toEqual(['web-0 app:v2', 'web-1 app:v1']);
  });

  test('replace what failed', async ({ at }) => {
    await create(at, { replicas: 2 });
    await settled(at, 2);
    const fail = { status: { phase: 'Failed' } };
    await replaced(at, 'web-0', () =>
      at.client
        .resource(pods)
        .patch({ namespace: at.namespace, name: 'web-0' }, 'merge', fail, { subresource: 'status' }),
    );
    await settled(at, 2);
  });

  test('scale down from the highest ordinal, one at a time, and follow their start', async ({ at }) => {
    await create(at, { template: template('app:v1', ENDS_SLOWLY) });
    await settled(at, 3);
    await change(at, { replicas: 1 });
    await eventually(async () => expect(await running(at)).toEqual(['web-0 app:v1', 'web-1 app:v1']));
    await settled(at, 1);
    const told = [2, 1].map(
      (ordinal) => `Normal SuccessfulDelete Delete Pod web-${ordinal} in StatefulSet web successful`,
    );
    await eventually(async () =>
      expect((await at.events('StatefulSet')).filter((line) => line.includes('Delete'))).toEqual(told),
    );
    await change(at, { ordinals: { start: 4 } });
    await eventually(async () => expect(await running(at)).toEqual(['web-4 app:v1']));
    await settled(at, 1);
  });

  test('give claims to the set or the Pod, as the retention policy says', async ({ at }) => {
    const persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Delete' };
    await create(at, {
      replicas: 2,
      volumeClaimTemplates: [DATA],
      persistentVolumeClaimRetentionPolicy,
      template: template('app:v1', ENDS_SLOWLY),
    });
    await settled(at, 2);
    await eventually(async () =>
      expect([await ownersOf(at, 'data-web-0'), await ownersOf(at, 'data-web-1')]).toEqual([
        ['StatefulSet web'],
        ['StatefulSet web'],
      ]),
    );
    await change(at, { replicas: 1 });
    await eventually(async () =>
      expect([await ownersOf(at, 'data-web-0'), await ownersOf(at, 'data-web-1')]).toEqual([
        ['StatefulSet web'],
        ['Pod web-1'],
      ]),
    );
    await change(at, { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' } });
    await eventually(async () => expect(await ownersOf(at, 'data-web-0')).toEqual([]));
  });

  test('keep as many old revisions as asked for', async ({ at }) => {
    await create(at, { replicas: 0, revisionHistoryLimit: 1 });
    for (const version of [2, 3, 4]) {
      await image(at, `app:v${version}`);
      await settled(at, 0);
    }
    await eventually(async () =>
      expect((await at.list(controllerRevisions)).map(({ revision }) => revision).toSorted((a, b) => a - b)).toEqual([
        3, 4,
      ]),
    );
  });

  test('adopt Pods of their names, and no others', async ({ at }) => {
    const { spec } = template('app:v1');
    for (const name of ['web-0', 'stray'])
      await at.create(pods, { metadata: { name, labels: { app: 'web' } }, spec: spec! });
    const { metadata } = await create(at, { replicas: 1 });
    await eventually(async () =>
      expect((await at.get(pods, 'web-0')).metadata.ownerReferences).toMatchObject([
        { uid: metadata.uid, controller: true },
      ]),
    );
    await eventually(async () =>
      expect((await at.get(pods, 'web-0')).metadata.labels).toMatchObject({
        'controller-revision-hash': expect.any(String) as string,
      }),
    );
    expect((await at.get(pods, 'stray')).metadata.ownerReferences ?? []).toEqual([]);
  });
});
