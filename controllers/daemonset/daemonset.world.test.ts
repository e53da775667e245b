import { afterEach, describe, expect, test } from 'vitest';

import { ApiError, type DaemonSet, type Node, type Pod, keyOf, resources } from '#pkg/api';
import { type World, type WorldOptions, createWorld, podTemplate, runFakeKubelet } from '#pkg/testing';

import { type DaemonSetSpec, daemonSet, node, rolling } from './daemon.fixture.ts';
import { daemonSetController } from './index.ts';
import { HASH, targetNode } from './template.ts';

const { controllerRevisions, daemonSets, nodes, pods } = resources;
const KEY = 'default/agent';

let world: World;
let endKubelet = (): void => {};
afterEach(async () => {
  await world.stop();
  endKubelet();
});

interface Options extends Omit<WorldOptions, 'controllers'> {
  readonly nodes?: readonly Node[];
  readonly spec?: Partial<DaemonSetSpec>;
  readonly startAfter?: (pod: Pod) => number | undefined;
}

/** A cluster with a DaemonSet, all of it there for a minute. */
async function started({
  nodes: there = [node('a'), node('b'), node('c')],
  spec,
  startAfter,
  ...options
}: Options = {}): Promise<World> {
  world = createWorld({ hostileNames: false, controllers: [daemonSetController], ...options });
  const { cluster, clock } = world;
  endKubelet = runFakeKubelet({ cluster, clock, nodeOf: targetNode, ...(startAfter ? { startAfter } : {}) });
  for (const one of there) cluster.create(nodes, one);
  await world.start();
  cluster.create(daemonSets, daemonSet(spec));
  await clock.step(60_000);
  return world;
}

const status = (): DaemonSet['status'] => world.cluster.get(daemonSets, KEY)?.status;
const where = (): string[] =>
  world.cluster
    .list(pods)
    .map((pod) => targetNode(pod)!)
    .toSorted();
const hashes = (): string[] => [...new Set(world.cluster.list(pods).map(({ metadata }) => metadata.labels![HASH]!))];
const revisions = (): [string, number][] =>
  world.cluster.list(controllerRevisions).map(({ metadata, revision }) => [metadata.name, revision]);

function setImage(image: string): void {
  const live = world.cluster.get(daemonSets, KEY)!;
  const generation = String((live.metadata.generation ?? 0) + 1);
  const metadata = { ...live.metadata, annotations: { 'deprecated.daemonset.template.generation': generation } };
  world.cluster.update(daemonSets, { ...live, metadata, spec: { ...live.spec!, template: podTemplate(image) } });
}

describe('placement', () => {
  test('one on each node, in the fewest requests, named and counted; then nothing', async () => {
    const { cluster, clock, events } = await started();
    expect(where()).toEqual(['a', 'b', 'c']);
    expect(hashes()).toEqual(['6d8fb79cf5']);
    expect(revisions()).toEqual([['agent-6d8fb79cf5', 1]]);
    expect(status()).toEqual({
      desiredNumberScheduled: 3,
      currentNumberScheduled: 3,
      numberMisscheduled: 0,
      numberReady: 3,
      updatedNumberScheduled: 3,
      numberAvailable: 3,
      observedGeneration: 1,
    });
    expect(events.lines.filter((line) => line.startsWith('Normal SuccessfulCreate Created pod: agent-'))).toHaveLength(
      3,
    );
    const writes = cluster.writes.length;
    cluster.change(daemonSets, KEY, (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: { touched: 'yes' } },
    }));
    world.resync();
    await clock.step(600_000);
    expect(cluster.writes.slice(writes)).toEqual([]);
  });

  test('a new node gets one, a node that is gone is counted no more', async () => {
    const { cluster, clock } = await started();
    cluster.create(nodes, node('d'));
    await clock.step(1000);
    expect(where()).toEqual(['a', 'b', 'c', 'd']);
    cluster.finish(nodes, 'd');
    await clock.step(1000);
    expect(status()).toMatchObject({ desiredNumberScheduled: 3, currentNumberScheduled: 3, numberMisscheduled: 0 });
  });

  test('labels bring and take', async () => {
    const spec = { template: { ...podTemplate(), spec: { ...podTemplate().spec!, nodeSelector: { disk: 'ssd' } } } };
    const { cluster, clock } = await started({ spec });
    expect([where(), status()?.desiredNumberScheduled]).toEqual([[], 0]);
    const label = (disk: string): void =>
      void cluster.change(nodes, 'b', (live) => ({ ...live, metadata: { ...live.metadata, labels: { disk } } }));
    label('ssd');
    await clock.step(1000);
    expect(where()).toEqual(['b']);
    label('hdd');
    await clock.step(1000);
    expect([where(), status()]).toEqual([
      [],
      {
        desiredNumberScheduled: 0,
        currentNumberScheduled: 0,
        numberMisscheduled: 0,
        numberReady: 0,
        observedGeneration: 1,
      },
    ]);
  });

  test('a taint that keeps out leaves what is there, and counts it as misplaced until it is gone', async () => {
    const { cluster, clock } = await started();
    const taint = (effect?: string): void =>
      void cluster.change(nodes, 'b', (live) => ({ ...live, spec: effect ? { taints: [{ key: 'x', effect }] } : {} }));
    taint('NoSchedule');
    await clock.step(1000);
    expect([where(), status()?.numberMisscheduled]).toEqual([['a', 'b', 'c'], 1]);
    taint();
    await clock.step(1000);
    expect(status()?.numberMisscheduled).toBe(0);
    taint('NoExecute');
    await clock.step(1000);
    expect(where()).toEqual(['a', 'c']);
  });

  test('a heartbeat of a node concerns nobody', async () => {
    const { cluster, clock, metrics } = await started();
    const adds = async (): Promise<string[]> =>
      (await metrics.expose()).split('\n').filter((line) => line.startsWith('workqueue_adds_total'));
    const before = await adds();
    for (let beat = 0; beat < 5; beat++) {
      cluster.change(nodes, 'b', (live) => ({
        ...live,
        status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: String(beat) }] },
      }));
      await clock.step(1000);
    }
    expect(await adds()).toEqual(before);
    expect(before.some((line) => line.includes('daemonset-node-updates'))).toBe(true);
  });

  test('a Pod that never got to a node that is gone is cleared away', async () => {
    const { cluster, clock } = await started({ startAfter: (pod) => (targetNode(pod) === 'b' ? undefined : 0) });
    expect(where()).toEqual(['a', 'b', 'c']);
    cluster.finish(nodes, 'b');
    await clock.step(1000);
    expect(where()).toEqual(['a', 'c']);
  });

  test('orphans are adopted, one a node stays, and what matches no longer is let go', async () => {
    const { cluster, clock } = await started();
    const [first] = cluster.list(pods);
    cluster.change(pods, keyOf(first!), (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: { app: 'other' } },
    }));
    await clock.step(1000);
    expect(cluster.get(pods, keyOf(first!))?.metadata.ownerReferences ?? []).toEqual([]);
    expect(cluster.list(pods)).toHaveLength(4);
    cluster.change(pods, keyOf(first!), (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: first!.metadata.labels },
    }));
    await clock.step(1000);
    expect(where()).toEqual(['a', 'b', 'c']);
    expect(cluster.get(pods, keyOf(first!))).toBeDefined();
  });
});

describe('updates', () => {
  test('one node after the other, with a revision each, and back again', async () => {
    const { cluster, clock } = await started({ startAfter: () => 2000 });
    let least = 3;
    cluster.onChange(
      () =>
        (least = Math.min(
          least,
          cluster.list(pods).filter((pod) => pod.status?.phase === 'Running' && !pod.metadata.deletionTimestamp).length,
        )),
    );
    setImage('app:v2');
    await clock.step(60_000);
    const [, second] = revisions();
    expect(hashes()).toEqual([second![0].replace('agent-', '')]);
    expect(least).toBe(2);
    expect(status()).toMatchObject({ updatedNumberScheduled: 3, numberAvailable: 3, observedGeneration: 2 });

    setImage('app:v1');
    await clock.step(60_000);
    expect(hashes()).toEqual(['6d8fb79cf5']);
    expect(revisions()).toEqual([
      ['agent-6d8fb79cf5', 3],
      [second![0], 2],
    ]);
  });

  test('with surge never fewer than all, and two on a node for a while', async () => {
    const { cluster, clock } = await started({ spec: { updateStrategy: rolling(0, 1) }, startAfter: () => 2000 });
    const ready = (): number =>
      cluster.list(pods).filter((pod) => pod.status?.conditions?.length && !pod.metadata.deletionTimestamp).length;
    let [least, most] = [3, 3];
    cluster.onChange(() => {
      least = Math.min(least, ready());
      most = Math.max(most, cluster.list(pods).length);
    });
    setImage('app:v2');
    await clock.step(60_000);
    expect([least, most, where()]).toEqual([3, 4, ['a', 'b', 'c']]);
    expect(hashes()).toHaveLength(1);
  });

  test('OnDelete waits for the user', async () => {
    const { cluster, clock } = await started({ spec: { updateStrategy: { type: 'OnDelete' } } });
    setImage('app:v2');
    await clock.step(60_000);
    expect(hashes()).toEqual(['6d8fb79cf5']);
    expect(status()).toMatchObject({ observedGeneration: 2, numberReady: 3 });
    expect(status()?.updatedNumberScheduled).toBeUndefined();
    cluster.delete(pods, keyOf(cluster.list(pods)[0]!));
    await clock.step(1000);
    expect(hashes()).toHaveLength(2);
  });

  test('minReadySeconds slows it down, with no event to tell', async () => {
    const { clock } = await started({ spec: { minReadySeconds: 20 } });
    setImage('app:v2');
    await clock.step(30_000);
    expect(hashes()).toHaveLength(2);
    await clock.step(60_000);
    expect(hashes()).toHaveLength(1);
    expect(status()).toMatchObject({ numberAvailable: 3 });
  });

  test('no more old revisions than the limit', async () => {
    const { clock } = await started({ spec: { revisionHistoryLimit: 1 } });
    for (const version of ['v2', 'v3', 'v4']) {
      setImage(`app:${version}`);
      await clock.step(60_000);
    }
    expect(revisions().map(([, number]) => number)).toEqual([3, 4]);
  });

  test('a name that another revision has is counted as a collision, and another is found', async () => {
    world = createWorld({ hostileNames: false, controllers: [daemonSetController] });
    const { cluster, clock } = world;
    cluster.create(nodes, node('a'));
    cluster.create(controllerRevisions, { metadata: { name: 'agent-6d8fb79cf5' }, data: {}, revision: 1 });
    await world.start();
    cluster.create(daemonSets, daemonSet());
    await clock.step(60_000);
    expect(status()?.collisionCount).toBe(1);
    expect(revisions()[1]).toEqual(['agent-78558dc55d', 1]);
    expect(where()).toEqual(['a']);
  });

  test('of two revisions of one template the newer stays', async () => {
    const { cluster, clock } = await started();
    const [first] = cluster.list(controllerRevisions);
    const { labels, ownerReferences } = first!.metadata;
    cluster.create(controllerRevisions, {
      ...first!,
      metadata: { name: 'agent-twin', labels: { ...labels, [HASH]: 'twin' }, ownerReferences: ownerReferences! },
      revision: 2,
    });
    cluster.change(daemonSets, KEY, (live) => ({
      ...live,
      metadata: { ...live.metadata, labels: { touched: 'yes' } },
    }));
    await clock.step(1000);
    expect(revisions()).toEqual([['agent-twin', 2]]);
    expect([hashes(), where()]).toEqual([['twin'], ['a', 'b', 'c']]);
  });
});

describe('failures', () => {
  test('failed Pods are replaced ever more slowly', async () => {
    const { cluster, clock, events } = await started();
    const failing = cluster.onChange(({ resource, object, type }) => {
      if (
        resource.kind !== 'Pod' ||
        type === 'DELETED' ||
        targetNode(object) !== 'b' ||
        (object as Pod).status?.phase === 'Failed'
      )
        return;
      clock.setTimeout(
        () =>
          cluster.get(pods, keyOf(object)) &&
          cluster.change(pods, keyOf(object), (live) => ({ ...live, status: { phase: 'Failed' } })),
        1,
      );
    });
    cluster.delete(pods, keyOf(cluster.list(pods).find((pod) => targetNode(pod) === 'b')!));
    events.take();
    await clock.step(64_000);
    const told = events.take().filter((line) => line.startsWith('Warning FailedDaemonPod'));
    expect(told.length).toBeGreaterThanOrEqual(5);
    expect(told.length).toBeLessThanOrEqual(8);
    expect(told[0]).toMatch(
      /^Warning FailedDaemonPod Found failed daemon pod default\/agent-\w+ on node b, will try to kill it$/,
    );
    failing();
    await clock.step(300_000);
    expect(status()).toMatchObject({ numberReady: 3 });
  });

  test('refused creations are few, told, and tried again; the status says what there is', async () => {
    const refused = new ApiError({ reason: 'Forbidden', code: 403, message: 'exceeded quota' });
    const there = Array.from({ length: 20 }, (_, index) => node(`n${index}`));
    world = createWorld({ hostileNames: false, controllers: [daemonSetController] });
    const { cluster, clock, events } = world;
    endKubelet = runFakeKubelet({ cluster, clock, nodeOf: targetNode });
    for (const one of there) cluster.create(nodes, one);
    cluster.fault = ({ verb, type }) => (verb === 'create' && type.kind === 'Pod' ? refused : undefined);
    await world.start();
    cluster.create(daemonSets, daemonSet());
    await clock.step(4);
    // One a try: the slow start ends with the first.
    expect(events.lines.length).toBeLessThan(4);
    expect(new Set(events.lines)).toEqual(new Set(['Warning FailedCreate Error creating: exceeded quota']));
    expect(status()).toMatchObject({
      desiredNumberScheduled: 20,
      currentNumberScheduled: 0,
      numberUnavailable: 20,
      observedGeneration: 1,
    });
    cluster.fault = () => undefined;
    await clock.step(120_000);
    expect(where()).toHaveLength(20);
  });

  test('one under deletion is left alone', async () => {
    const { cluster, clock } = await started();
    cluster.change(daemonSets, KEY, (live) => ({ ...live, metadata: { ...live.metadata, finalizers: ['x/y'] } }));
    cluster.delete(daemonSets, KEY);
    const writes = cluster.writes.length;
    cluster.finish(pods, keyOf(cluster.list(pods)[0]!));
    await clock.step(60_000);
    expect(cluster.writes.slice(writes)).toEqual([]);
  });

  test.each([true, false])('a cache that is behind makes no second Pod, consistency store %s', async (consistency) => {
    const { cluster } = await started({
      gates: { StaleControllerConsistencyDaemonSet: consistency },
      lag: ({ kind }) => (kind === 'Pod' ? 10_000 : 0),
    });
    expect(cluster.writes.filter(({ verb, type }) => verb === 'create' && type.kind === 'Pod')).toHaveLength(3);
  });
});
