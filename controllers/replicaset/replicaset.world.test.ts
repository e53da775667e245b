import { afterEach, describe, expect, test } from 'vitest';

import { ApiError, type Pod, type ReplicaSet, isPodActive, isPodReady, keyOf, resources } from '#pkg/api';
import { silentLogger } from '#pkg/log';
import { type World, createWorld, deployment, pod, podTemplate, replicaSet, runFakeKubelet } from '#pkg/testing';

import { replicaSetController } from './index.ts';

const { pods, replicaSets } = resources;
const KEY = 'default/web-1';

let world: World;
afterEach(() => world.stop());

async function started(options: Omit<Parameters<typeof createWorld>[0], 'controllers'> = {}): Promise<World> {
  world = createWorld({ controllers: [replicaSetController], ...options });
  await world.start();
  return world;
}

/** A ReplicaSet as a user creates it. */
function fresh(replicas: number, parts: Parameters<typeof replicaSet>[0] = {}): ReplicaSet {
  const { status: _, ...rest } = replicaSet({ replicas, ...parts });
  return rest;
}

function scaleTo(replicas: number): void {
  const live = world.cluster.get(replicaSets, KEY)!;
  world.cluster.update(replicaSets, { ...live, spec: { ...live.spec!, replicas } });
}

const active = (): Pod[] => world.cluster.list(pods).filter(isPodActive);
const status = (): ReplicaSet['status'] => world.cluster.get(replicaSets, KEY)?.status;

describe.each([{ realInformers: false }, { realInformers: true }])('a ReplicaSet, %o', (informers) => {
  test('gets its Pods, reports them, and is left alone once settled', async () => {
    const { cluster, clock, events } = await started(informers);
    runFakeKubelet({ cluster, clock, startAfter: () => 500 });
    cluster.create(replicaSets, fresh(3));
    await clock.step(5000);

    expect(active().map(isPodReady)).toEqual([true, true, true]);
    for (const { metadata, spec } of active()) {
      expect(metadata.name).toMatch(/^web-1-[a-z0-9]{5}$/);
      expect(metadata.labels).toEqual({ app: 'web' });
      expect(metadata.ownerReferences).toEqual([
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'web-1',
          uid: cluster.get(replicaSets, KEY)!.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ]);
      expect(spec?.containers).toEqual(podTemplate().spec!.containers);
    }
    expect(status()).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
      terminatingReplicas: 0,
      observedGeneration: 1,
    });
    expect(events.take().toSorted()).toEqual(
      active()
        .map(({ metadata }) => `Normal SuccessfulCreate Created pod: ${metadata.name}`)
        .toSorted(),
    );

    const writes = cluster.writes.length;
    cluster.change(pods, keyOf(active()[0]!), (live) => ({
      ...live,
      metadata: { ...live.metadata, annotations: { seen: 'yes' } },
    }));
    await clock.step(3_600_000);
    expect(cluster.writes.slice(writes)).toEqual([]);
  });

  test('follows its size and replaces what dies', async () => {
    const { cluster, clock, events } = await started(informers);
    runFakeKubelet({ cluster, clock, endAfter: () => 20_000 });
    cluster.create(replicaSets, fresh(2));
    await clock.step(1000);
    scaleTo(5);
    await clock.step(1000);
    expect(active()).toHaveLength(5);
    events.take();
    scaleTo(1);
    await clock.step(5000);
    expect(active()).toHaveLength(1);
    expect(status()).toMatchObject({ replicas: 1, terminatingReplicas: 4, observedGeneration: 3 });
    expect(events.take()).toHaveLength(4);
    await clock.step(20_000);
    expect(status()).toMatchObject({ replicas: 1, terminatingReplicas: 0 });

    const [last] = active();
    cluster.delete(pods, keyOf(last!));
    await clock.step(1000);
    expect(active()).toHaveLength(1);
    expect(active()[0]!.metadata.name).not.toBe(last!.metadata.name);
  });
});

describe('the status', () => {
  const statusWrites = (): number =>
    world.cluster.writes.filter(({ type, subresource }) => type.kind === 'ReplicaSet' && subresource === 'status')
      .length;

  test('waits for the caches to show what was created and deleted: no count is written to be corrected at once', async () => {
    const { cluster, clock } = await started({ lag: ({ kind }) => (kind === 'Pod' ? 300 : 1), latency: () => 5 });
    cluster.create(replicaSets, fresh(20));
    await clock.step(5000);
    expect(statusWrites()).toBe(1);
    expect(status()).toMatchObject({ replicas: 20, observedGeneration: 1 });
    scaleTo(5);
    await clock.step(5000);
    expect(statusWrites()).toBe(2);
    expect(status()).toMatchObject({ replicas: 5, observedGeneration: 2 });
  });

  test('does not wait with the news that Pods are gone', async () => {
    let lag = 1;
    const { cluster, clock } = await started({ lag: ({ kind }) => (kind === 'Pod' ? lag : 1), latency: () => 5 });
    runFakeKubelet({ cluster, clock });
    cluster.create(replicaSets, fresh(3));
    await clock.step(5000);
    lag = 300;
    cluster.delete(pods, keyOf(active()[0]!));
    // Seen at 300 ms; the Pod in its place is created at once, and is not in the cache before 600 ms.
    await clock.step(450);
    expect(status()).toMatchObject({ readyReplicas: 2, availableReplicas: 2 });
    await clock.step(5000);
    expect(status()).toMatchObject({ replicas: 3, readyReplicas: 3 });
  });

  test('does not wait for more than a second', async () => {
    let lag = 1;
    const { cluster, clock } = await started({ lag: ({ kind }) => (kind === 'Pod' ? lag : 1) });
    cluster.create(replicaSets, fresh(2));
    await clock.step(5000);
    lag = 60_000;
    scaleTo(1);
    await clock.step(900);
    expect(status()).toMatchObject({ replicas: 2, observedGeneration: 1 });
    await clock.step(200);
    expect(status()).toMatchObject({ replicas: 2, observedGeneration: 2 });
  });
});

describe('adoption and release', () => {
  test('adopts matching orphans before creating, releases what matches no longer', async () => {
    const { cluster, clock } = await started();
    cluster.create(pods, pod('stray'));
    const owner = cluster.create(replicaSets, fresh(2));
    await clock.step(1000);
    expect(active()).toHaveLength(2);
    expect(cluster.get(pods, 'default/stray')!.metadata.ownerReferences).toMatchObject([
      { uid: owner.metadata.uid, controller: true },
    ]);
    expect(cluster.writes.filter(({ verb }) => verb === 'patch').map(({ body }) => body)).toEqual([
      {
        metadata: {
          uid: cluster.get(pods, 'default/stray')!.metadata.uid,
          ownerReferences: [
            {
              apiVersion: 'apps/v1',
              kind: 'ReplicaSet',
              name: 'web-1',
              uid: owner.metadata.uid,
              controller: true,
              blockOwnerDeletion: true,
            },
          ],
        },
      },
    ]);

    cluster.change(pods, 'default/stray', (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: { app: 'debug' } },
    }));
    await clock.step(1000);
    expect(cluster.get(pods, 'default/stray')!.metadata.ownerReferences).toEqual([]);
    expect(active()).toHaveLength(3);
    expect(status()?.replicas).toBe(2);
  });

  test('an orphan that comes later wakes who selects it, and one too many goes', async () => {
    const { cluster, clock } = await started();
    cluster.create(replicaSets, fresh(1));
    await clock.step(1000);
    const [first] = active();
    cluster.change(pods, keyOf(first!), (live) => ({ ...live, spec: { ...live.spec!, nodeName: 'node-1' } }));
    await clock.step(1000);
    cluster.create(pods, pod('stray', undefined, { phase: 'Pending', conditions: [] }));
    await clock.step(1000);
    expect(cluster.writes.filter(({ key }) => key === 'default/stray').map(({ verb }) => verb)).toEqual([
      'patch',
      'delete',
    ]);
    expect(active().map(keyOf)).toEqual([keyOf(first!)]);
  });

  test('an owner under deletion neither adopts nor creates nor deletes', async () => {
    const { cluster, clock } = await started();
    cluster.create(pods, pod('stray'));
    cluster.create(replicaSets, fresh(2, { metadata: { finalizers: ['foregroundDeletion'] } }));
    cluster.delete(replicaSets, KEY);
    await clock.step(1000);
    expect(cluster.writes.filter(({ type }) => type.kind === 'Pod')).toEqual([]);
    expect(status()).toMatchObject({ replicas: 0, observedGeneration: 2 });
  });

  test('an owner deleted on the server but not yet in the cache adopts nothing', async () => {
    const { cluster, clock } = await started({ lag: (resource) => (resource.kind === 'ReplicaSet' ? 5000 : 0) });
    cluster.create(replicaSets, fresh(0, { metadata: { finalizers: ['foregroundDeletion'] } }));
    await clock.step(6000);
    cluster.delete(replicaSets, KEY);
    cluster.create(pods, pod('stray'));
    await clock.step(1000);
    expect(cluster.get(pods, 'default/stray')!.metadata.ownerReferences ?? []).toEqual([]);
    expect(cluster.writes.filter(({ type }) => type.kind === 'Pod')).toEqual([]);
  });
});

function quotaExceeded(): ApiError {
  return new ApiError({ reason: 'Forbidden', code: 403, message: 'pods "web-1-" is forbidden: exceeded quota: small' });
}

function namespaceTerminating(): ApiError {
  const causes = [
    { reason: 'NamespaceTerminating', message: 'namespace default is being terminated', field: 'metadata.namespace' },
  ];
  return new ApiError({ reason: 'Forbidden', code: 403, message: 'forbidden', details: { causes } });
}

const creations = (): number =>
  world.cluster.writes.filter(({ verb, type }) => verb === 'create' && type.kind === 'Pod').length;

describe('failures', () => {
  test('a refused creation stops the slow start, says so, and is tried again with growing delay', async () => {
    const { cluster, clock, events } = await started({ lag: (resource) => (resource.kind === 'Pod' ? 1000 : 0) });
    let left = 3;
    cluster.fault = ({ verb }) => (verb === 'create' && left-- <= 0 ? quotaExceeded() : undefined);
    cluster.create(replicaSets, fresh(20));
    await clock.step(100);
    // Batches of 1 and 2 go well; all of the batch of 4 are refused, the other 13 not tried.
    expect(creations()).toBe(7);
    expect(active()).toHaveLength(3);
    expect(status()).toMatchObject({ replicas: 0, observedGeneration: 1 });
    expect(status()?.conditions).toEqual([
      {
        type: 'ReplicaFailure',
        status: 'True',
        lastTransitionTime: '2026-01-01T00:00:01Z',
        reason: 'FailedCreate',
        message: 'pods "web-1-" is forbidden: exceeded quota: small',
      },
    ]);
    expect(events.lines.filter((line) => line.startsWith('Warning'))).toEqual(
      Array.from(
        { length: 4 },
        () => 'Warning FailedCreate Error creating: pods "web-1-" is forbidden: exceeded quota: small',
      ),
    );
    await clock.step(60_000);
    const attempts = creations() - 7;
    expect(attempts).toBeGreaterThan(5);
    expect(attempts).toBeLessThan(20);
    expect(status()).toMatchObject({ replicas: 3 });

    cluster.fault = () => undefined;
    await clock.step(120_000);
    expect(active()).toHaveLength(20);
    expect(status()).toMatchObject({ replicas: 20 });
    expect(status()?.conditions ?? []).toEqual([]);
  });

  test('in a namespace that goes away one refused creation is enough, without event or condition', async () => {
    const { cluster, clock, events } = await started();
    cluster.fault = ({ verb }) => (verb === 'create' ? namespaceTerminating() : undefined);
    cluster.create(replicaSets, fresh(20));
    await clock.step(200_000);
    expect(creations()).toBe(1);
    expect(events.lines).toEqual([]);
    expect(status()).toEqual({ replicas: 0, terminatingReplicas: 0, observedGeneration: 1 });
  });

  test('a refused deletion is reported with its reason', async () => {
    const { cluster, clock, events } = await started();
    cluster.create(replicaSets, fresh(3));
    await clock.step(1000);
    events.take();
    cluster.fault = ({ verb }) => (verb === 'delete' ? quotaExceeded() : undefined);
    scaleTo(2);
    await clock.step(2);
    expect(status()?.conditions).toMatchObject([
      { reason: 'FailedDelete', message: 'unable to delete pods: pods "web-1-" is forbidden: exceeded quota: small' },
    ]);
    expect(events.lines[0]).toBe(
      'Warning FailedDelete Error deleting: pods "web-1-" is forbidden: exceeded quota: small',
    );
    expect(active()).toHaveLength(3);
  });

  test('a status write on an old version is repeated once on the live object, with the generation acted on', async () => {
    const { cluster, clock } = await started({ lag: (resource) => (resource.kind === 'ReplicaSet' ? 3000 : 0) });
    cluster.create(replicaSets, fresh(1));
    await clock.step(2900);
    scaleTo(2);
    await clock.step(500);
    const updates = cluster.writes.filter(({ subresource }) => subresource === 'status');
    expect(updates).toHaveLength(2);
    expect(cluster.reads.filter(({ verb }) => verb === 'get')).toHaveLength(1);
    expect(status()).toMatchObject({ observedGeneration: 1 });
    await clock.step(20_000);
    expect(active()).toHaveLength(2);
    expect(status()).toMatchObject({ replicas: 2, observedGeneration: 2 });
  });

  test('an owner that is gone when its status is written is no failure', async () => {
    const problems: string[] = [];
    const { cluster, clock } = await started({
      lag: (resource) => (resource.kind === 'ReplicaSet' ? 3000 : 0),
      log: { ...silentLogger, error: (message) => void problems.push(message) },
    });
    cluster.create(replicaSets, fresh(1));
    await clock.step(2900);
    cluster.delete(replicaSets, KEY);
    await clock.step(60_000);
    expect(cluster.writes.some(({ subresource }) => subresource === 'status')).toBe(true);
    expect(problems).toEqual([]);
  });
});

describe('stale caches', () => {
  test.each([true, false])('never create or delete twice, consistency store %s', async (consistency) => {
    const { cluster, clock } = await started({
      gates: { StaleControllerConsistencyReplicaSet: consistency },
      lag: (resource) => (resource.kind === 'Pod' ? 10_000 : 0),
    });
    cluster.create(replicaSets, fresh(4));
    await clock.step(5000);
    // An unrelated change asks for a sync while the cache shows no Pod yet.
    cluster.change(replicaSets, KEY, (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: { touched: 'yes' } },
    }));
    await clock.step(30_000);
    expect(creations()).toBe(4);
    scaleTo(1);
    await clock.step(5000);
    cluster.change(replicaSets, KEY, (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: { touched: 'again' } },
    }));
    await clock.step(30_000);
    expect(cluster.writes.filter(({ verb }) => verb === 'delete')).toHaveLength(3);
    expect(active()).toHaveLength(1);
    const skips = 'replicaset_controller_stale_sync_skips_total{group="",resource="pods"}';
    expect((await world.metrics.expose()).includes(skips)).toBe(consistency);
  });

  test('a Pod that is gone, but not yet in the cache, is not deleted again and again', async () => {
    let lag = 1;
    const { cluster, clock } = await started({ lag: ({ kind }) => (kind === 'Pod' ? lag : 1), latency: () => 5 });
    cluster.create(replicaSets, fresh(2));
    await clock.step(5000);
    lag = 20_000;
    for (const { metadata } of active()) cluster.finish(pods, keyOf({ metadata }));
    let deletions = 0;
    cluster.fault = ({ verb, type }) => {
      if (verb === 'delete' && type.kind === 'Pod') deletions++;
      return undefined;
    };
    scaleTo(0);
    await clock.step(15_000);
    expect(deletions).toBe(2);
    await clock.step(10_000);
    expect(deletions).toBe(2);
    expect(status()).toMatchObject({ replicas: 0, observedGeneration: 2 });
  });

  test('another ReplicaSet of the name does not wait for what the first expected', async () => {
    const { cluster, clock } = await started({
      gates: { StaleControllerConsistencyReplicaSet: false },
      lag: (resource) => (resource.kind === 'Pod' ? 60_000 : 0),
      latency: () => 400,
    });
    cluster.create(replicaSets, fresh(3));
    await clock.step(1000);
    expect(creations()).toBe(3);
    // While the first one's status is being written: the key comes back to find the second one in its place.
    cluster.finish(replicaSets, KEY);
    cluster.create(replicaSets, fresh(2));
    await clock.step(5000);
    expect(creations()).toBe(5);
  });

  test('creations that never show are forgotten after five minutes', async () => {
    const { cluster, clock } = await started({ gates: { StaleControllerConsistencyReplicaSet: false } });
    cluster.create(replicaSets, fresh(1));
    cluster.fault = ({ verb, type }) => (verb === 'create' && type.kind === 'Pod' ? namespaceTerminating() : undefined);
    await clock.step(1000);
    cluster.fault = () => undefined;
    await clock.step(298_000);
    expect(active()).toHaveLength(0);
    await clock.step(2000);
    expect(active()).toHaveLength(1);
  });
});

describe('availability', () => {
  test('counts a Pod once it has been ready for minReadySeconds, with no event to tell', async () => {
    const { cluster, clock } = await started();
    runFakeKubelet({ cluster, clock, startAfter: () => 1000 });
    const base = fresh(2);
    cluster.create(replicaSets, { ...base, spec: { ...base.spec!, minReadySeconds: 30 } });
    await clock.step(30_000);
    expect(status()).toMatchObject({ readyReplicas: 2 });
    expect(status()?.availableReplicas).toBeUndefined();
    await clock.step(2000);
    expect(status()).toMatchObject({ availableReplicas: 2 });
  });

  test('terminating Pods are counted only with their gate', async () => {
    const { cluster, clock } = await started({ gates: { DeploymentReplicaSetTerminatingReplicas: false } });
    runFakeKubelet({ cluster, clock, endAfter: () => 60_000 });
    cluster.create(replicaSets, fresh(2));
    await clock.step(1000);
    scaleTo(0);
    await clock.step(1000);
    expect(status()).toEqual({ replicas: 0, observedGeneration: 2 });
  });
});

describe('which Pods go first', () => {
  test('those whose deletion costs least, unless the gate is off', async () => {
    const { cluster, clock } = await started();
    runFakeKubelet({ cluster, clock });
    cluster.create(replicaSets, fresh(3));
    await clock.step(5000);
    const cheap = active()[1]!;
    const annotations = { 'controller.kubernetes.io/pod-deletion-cost': '-10' };
    cluster.change(pods, keyOf(cheap), (live) => ({ ...live, metadata: { ...live.metadata, annotations } }));
    scaleTo(2);
    await clock.step(1000);
    expect(cluster.get(pods, keyOf(cheap))).toBeUndefined();
    expect(await world.metrics.expose()).toContain('replicaset_controller_sorting_deletion_age_ratio_bucket{le="1"} 1');
  });

  test('those that share a node with Pods of a sibling ReplicaSet', async () => {
    const { cluster, clock } = await started();
    const owner = deployment();
    const labels = { app: 'api', hash: '2' };
    const sibling = fresh(1, { name: 'web-2', owner });
    cluster.create(replicaSets, {
      ...sibling,
      spec: { replicas: 1, selector: { matchLabels: { hash: '2' } }, template: podTemplate('app:v2', labels) },
    });
    await clock.step(1000);
    const [companion] = active();
    cluster.create(replicaSets, fresh(2, { owner }));
    await clock.step(1000);
    // The second: a choice without companions in mind would take the first.
    const [, alone, crowded] = active();
    const run = (of: Pod, nodeName: string): void =>
      void cluster.change(pods, keyOf(of), (live) => ({
        ...live,
        spec: { ...live.spec!, nodeName },
        status: {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:01Z' }],
        },
      }));
    run(crowded!, 'node-1');
    run(alone!, 'node-2');
    run(companion!, 'node-1');
    await clock.step(1000);
    scaleTo(1);
    await clock.step(1000);
    expect(cluster.get(pods, keyOf(crowded!))?.metadata.deletionTimestamp).toBeDefined();
    expect(cluster.get(pods, keyOf(alone!))?.metadata.deletionTimestamp).toBeUndefined();
  });
});
