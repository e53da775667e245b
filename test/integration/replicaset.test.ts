import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type Pod, type ReplicaSet, isPodReady, resources } from '#pkg/api';
import type { Client } from '#pkg/client';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { ENDS_SLOWLY, NEVER_READY, type Stage, type Workspace, openStage, template } from '../harness/workspace.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

const live = (at: Workspace): Promise<ReplicaSet> => at.get(resources.replicaSets);

/** The ReplicaSet once its status is of this generation and shows `status`. */
function settled(at: Workspace, status: NonNullable<ReplicaSet['status']>): Promise<ReplicaSet> {
  return eventually(async () => {
    const found = await live(at);
    expect(found.status).toEqual({ ...status, observedGeneration: found.metadata.generation });
    return found;
  });
}

const full = (replicas: number): NonNullable<ReplicaSet['status']> => ({
  replicas,
  fullyLabeledReplicas: replicas,
  readyReplicas: replicas,
  availableReplicas: replicas,
  terminatingReplicas: 0,
});

const scale = (at: Workspace, replicas: number): Promise<ReplicaSet> =>
  at.merge(resources.replicaSets, { spec: { replicas } });

function annotatePod({ client, namespace }: Workspace, pod: Pod, annotations: Record<string, string>): Promise<Pod> {
  return client
    .resource(resources.pods)
    .patch({ namespace, name: pod.metadata.name }, 'merge', { metadata: { annotations } });
}

function removePod(client: Client, pod: Pod): Promise<void> {
  return client.resource(resources.pods).delete(pod.metadata, { gracePeriodSeconds: 0 });
}

describe.concurrent(`ReplicaSets on the ${controlPlaneKind()}`, { timeout: 60_000 }, () => {
  test('get their Pods, report them, and are left alone', async ({ at }) => {
    const { metadata } = await at.createReplicaSet();
    const done = await settled(at, full(3));
    const pods = await at.activePods();
    for (const pod of pods) {
      expect(pod.metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      expect(pod.metadata.generateName).toBe('web-');
      expect(pod.metadata.labels).toEqual({ app: 'web' });
      expect(pod.metadata.ownerReferences).toEqual([
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'web',
          uid: metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ]);
    }
    const created = pods.map((pod) => `Normal SuccessfulCreate Created pod: ${pod.metadata.name}`).toSorted();
    await eventually(async () => expect((await at.events('ReplicaSet')).toSorted()).toEqual(created));
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await live(at)).metadata.resourceVersion).toBe(done.metadata.resourceVersion);
  });

  test('follow their size, also by the scale subresource', async ({ at }) => {
    await at.createReplicaSet({ replicas: 1 });
    await settled(at, full(1));
    const path = `/apis/apps/v1/namespaces/${at.namespace}/replicasets/web/scale`;
    interface Scale {
      readonly spec: { readonly replicas: number };
      readonly status: { readonly replicas: number; readonly selector: string };
    }
    const current = await at.client.request<Scale>({ method: 'GET', path });
    expect(current).toMatchObject({
      kind: 'Scale',
      spec: { replicas: 1 },
      status: { replicas: 1, selector: 'app=web' },
    });
    await at.client.request({ method: 'PUT', path, body: { ...current, spec: { replicas: 8 } } });
    await settled(at, full(8));
    await scale(at, 2);
    await settled(at, full(2));
    expect(await at.activePods()).toHaveLength(2);
    await eventually(async () => {
      const deleted = (await at.events('ReplicaSet')).filter((line) =>
        line.startsWith('Normal SuccessfulDelete Deleted pod: web-'),
      );
      expect(deleted).toHaveLength(6);
    });
    await scale(at, 0);
    await settled(at, { replicas: 0, terminatingReplicas: 0 });
  });

  test('replace Pods that were deleted, and those that failed', async ({ at }) => {
    await at.createReplicaSet({ replicas: 3 });
    await settled(at, full(3));
    const [gone, failed, kept] = await at.activePods();
    await removePod(at.client, gone!);
    const failing = { status: { phase: 'Failed' } };
    await at.client.resource(resources.pods).patch(failed!.metadata, 'merge', failing, { subresource: 'status' });
    await settled(at, full(3));
    await eventually(async () => {
      const names = (await at.activePods()).map(({ metadata }) => metadata.name);
      expect(names).toHaveLength(3);
      expect(names).toContain(kept!.metadata.name);
      expect(names).not.toContain(gone!.metadata.name);
      expect(names).not.toContain(failed!.metadata.name);
    });
  });

  test('end first the Pods that cost least, and those that are not ready before all others', async ({ at }) => {
    await at.createReplicaSet({ replicas: 3 });
    await settled(at, full(3));
    const [cheap, dear, middle] = await at.activePods();
    await annotatePod(at, cheap!, { 'controller.kubernetes.io/pod-deletion-cost': '-10' });
    await annotatePod(at, dear!, { 'controller.kubernetes.io/pod-deletion-cost': '10' });
    // Grown by Pods that never get ready: these go first whatever they cost.
    await at.merge(resources.replicaSets, { spec: { replicas: 5, template: template('app:v1', NEVER_READY) } });
    await eventually(async () => expect((await live(at)).status).toMatchObject({ replicas: 5, readyReplicas: 3 }));
    for (const pod of await at.activePods()) {
      if (!isPodReady(pod)) await annotatePod(at, pod, { 'controller.kubernetes.io/pod-deletion-cost': '100' });
    }
    const names = async (): Promise<string[]> =>
      (await at.activePods()).map(({ metadata }) => metadata.name).toSorted();
    await scale(at, 3);
    await settled(at, full(3));
    expect(await names()).toEqual([cheap, dear, middle].map((pod) => pod!.metadata.name).toSorted());
    await scale(at, 2);
    await settled(at, full(2));
    expect(await names()).toEqual([dear, middle].map((pod) => pod!.metadata.name).toSorted());
    await scale(at, 1);
    await settled(at, full(1));
    expect(await names()).toEqual([dear!.metadata.name]);
  });

  test('adopt matching Pods and release those that no longer match', async ({ at }) => {
    await at.create(resources.pods, {
      metadata: { name: 'stray', labels: { app: 'web' } },
      spec: template('app:v0').spec!,
    });
    const { metadata } = await at.createReplicaSet({ replicas: 2 });
    await settled(at, full(2));
    const pods = await at.activePods();
    expect(pods.map((pod) => pod.metadata.ownerReferences?.[0]?.uid)).toEqual([metadata.uid, metadata.uid]);
    expect(pods.map((pod) => pod.metadata.name)).toContain('stray');

    await at.merge(resources.pods, { metadata: { labels: { app: 'debug' } } }, 'stray');
    await eventually(async () =>
      expect((await at.get(resources.pods, 'stray')).metadata.ownerReferences ?? []).toEqual([]),
    );
    await settled(at, full(2));
    expect(await at.activePods()).toHaveLength(3);
  });

  test('count Pods that lack labels of the template, and those available after minReadySeconds', async ({ at }) => {
    const labels = { app: 'web', tier: 'front' };
    await at.create(resources.pods, {
      metadata: { name: 'plain', labels: { app: 'web' } },
      spec: template('app:v0').spec!,
    });
    await at.createReplicaSet({ replicas: 2, minReadySeconds: 3, template: template('app:v1', undefined, labels) });
    await eventually(async () => {
      const { status } = await live(at);
      expect([status?.fullyLabeledReplicas, status?.readyReplicas, status?.availableReplicas]).toEqual([
        1,
        2,
        undefined,
      ]);
    });
    await settled(at, { ...full(2), fullyLabeledReplicas: 1 });
  });

  test('two of one selector share no Pod', async ({ at }) => {
    await Promise.all([at.createReplicaSet({ replicas: 2 }), at.createReplicaSet({ replicas: 3 }, { name: 'other' })]);
    await eventually(async () => {
      const pods = await at.activePods();
      const owners = pods.map(({ metadata }) => metadata.ownerReferences![0]!.name).toSorted();
      expect(owners).toEqual(['other', 'other', 'other', 'web', 'web']);
    });
    await settled(at, full(2));
  });

  test('tell of Pods that cannot be created, and try slowly', async ({ at }) => {
    const refused = template('app:v1');
    await at.createReplicaSet({
      replicas: 30,
      template: { ...refused, spec: { ...refused.spec!, priorityClassName: 'nowhere' } },
    });
    const message = 'pods "web-" is forbidden: no PriorityClass with name nowhere was found';
    await eventually(async () =>
      expect((await live(at)).status?.conditions).toMatchObject([
        { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message },
      ]),
    );
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const events = (await at.list(resources.events)).filter(({ reason }) => reason === 'FailedCreate');
    expect([...new Set(events.map((event) => event.message))]).toEqual([`Error creating: ${message}`]);
    // One attempt a sync: the slow start begins with one Pod and stops there, and syncs come ever later.
    const attempts = events.reduce((sum, { count, series }) => sum + (series?.count ?? count ?? 1), 0);
    expect(attempts).toBeLessThan(30);
    await at.merge(resources.replicaSets, { spec: { template: { spec: { priorityClassName: null } } } });
    await settled(at, full(30));
  });

  test('report terminating Pods until they are gone', async ({ at }) => {
    await at.createReplicaSet({ replicas: 2, template: template('app:v1', ENDS_SLOWLY) });
    await settled(at, full(2));
    await scale(at, 0);
    await eventually(async () =>
      expect((await live(at)).status).toMatchObject({ replicas: 0, terminatingReplicas: 2 }),
    );
    await settled(at, { replicas: 0, terminatingReplicas: 0 });
  });

  test('create nothing while they are being deleted', async ({ at }) => {
    await at.createReplicaSet({ replicas: 2 }, { finalizers: ['test.example/hold'] });
    await settled(at, full(2));
    await at.client
      .resource(resources.replicaSets)
      .delete({ namespace: at.namespace, name: 'web' }, { propagationPolicy: 'Background' });
    const { metadata } = await scale(at, 5);
    const [gone] = await at.activePods();
    await removePod(at.client, gone!);
    await eventually(async () =>
      expect((await live(at)).status).toMatchObject({ replicas: 1, observedGeneration: metadata.generation }),
    );
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await at.activePods()).toHaveLength(1);
    await at.merge(resources.replicaSets, { metadata: { finalizers: null } });
  });

  test('a new one of the same name takes over the Pods left behind', async ({ at }) => {
    await at.createReplicaSet({ replicas: 2 });
    await settled(at, full(2));
    const before = (await at.activePods()).map(({ metadata }) => metadata.uid).toSorted();
    await at.client
      .resource(resources.replicaSets)
      .delete({ namespace: at.namespace, name: 'web' }, { propagationPolicy: 'Orphan' });
    // What orphans is the garbage collector; where none runs, this stands for it.
    for (const { metadata } of await at.activePods())
      await at.merge(resources.pods, { metadata: { ownerReferences: null } }, metadata.name);
    await at.merge(resources.replicaSets, { metadata: { finalizers: null } }).catch(() => {});
    await eventually(async () => expect(await at.list(resources.replicaSets)).toEqual([]));
    await at.createReplicaSet({ replicas: 2 });
    await settled(at, full(2));
    expect((await at.activePods()).map(({ metadata }) => metadata.uid).toSorted()).toEqual(before);
  });
});
