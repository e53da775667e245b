import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';

import { type KubeObject, type NewObject, type Node, type Pod, isPodTerminal, keyOf, resources } from '#pkg/api';
import { seededRandom } from '#pkg/base';
import { type Fault, type World, at, createWorld, pod } from '#pkg/testing';

import { podGarbageCollectorController } from './index.ts';
import { LostNodes } from './lost-nodes.ts';
import { isHeldByFinalizers, isOutOfService, victimsOf } from './rules.ts';

const { nodes, pods } = resources;
const TAINT = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' };

interface Parts {
  readonly node?: string;
  readonly phase?: string;
  readonly reason?: string;
  readonly age?: number;
  readonly going?: boolean;
  readonly grace?: number;
  readonly finalizers?: readonly string[];
}

function podOf(
  name: string,
  { node, phase = 'Running', reason, age = 0, going = false, grace = 30, finalizers }: Parts = {},
): Pod {
  const { metadata, spec } = pod(name);
  const deletion = going ? { deletionTimestamp: at(1), deletionGracePeriodSeconds: grace } : {};
  return {
    ...pod(name, undefined, { phase, conditions: [], ...(reason ? { reason } : {}) }),
    metadata: { ...metadata, creationTimestamp: at(age), ...deletion, ...(finalizers ? { finalizers } : {}) },
    spec: { ...spec!, ...(node ? { nodeName: node } : {}) },
  };
}

function nodeOf(name: string, ready: boolean, tainted: boolean): Node {
  const metadata = { name, uid: `uid-${name}`, resourceVersion: '1', creationTimestamp: at(0) };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata,
    spec: tainted ? { taints: [TAINT] } : {},
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'Unknown' }] },
  };
}

describe('who goes', () => {
  const none = { terminated: [], terminating: [], orphaned: [] };
  const names = (found: Parameters<typeof victimsOf>[0], threshold = 0): string[] =>
    victimsOf(found, threshold, (name) => (name === 'down' ? nodeOf(name, false, true) : nodeOf(name, true, true))).map(
      (victim) => `${victim.reason} ${victim.pod.metadata.name}`,
    );

  test('of those that have ended the evicted, then the oldest, beyond the threshold', () => {
    const terminated = [
      podOf('young', { phase: 'Succeeded', age: 3 }),
      podOf('old', { phase: 'Failed', age: 1 }),
      podOf('as-old', { phase: 'Failed', age: 1 }),
      podOf('evicted', { phase: 'Failed', reason: 'Evicted', age: 5 }),
    ];
    expect(names({ ...none, terminated }, 1)).toEqual(['terminated evicted', 'terminated as-old', 'terminated old']);
    expect([
      names({ ...none, terminated }, 4),
      names({ ...none, terminated }, 0),
      names({ ...none, terminated }, -1),
    ]).toEqual([[], [], []]);
  });

  test('of those being deleted the ones on a node out of service, and on none', () => {
    const terminating = [
      podOf('a', { node: 'down', going: true }),
      podOf('b', { node: 'up', going: true }),
      podOf('c', { going: true }),
    ];
    expect(names({ ...none, terminating })).toEqual(['out-of-service a', 'unscheduled c']);
  });

  test('each once, for the first reason', () => {
    const both = podOf('a', { node: 'down', going: true, phase: 'Failed' });
    expect(
      names({ terminated: [both, podOf('b', { phase: 'Failed', age: 9 })], terminating: [both], orphaned: [both] }, 1),
    ).toEqual(['terminated a']);
    expect(names({ ...none, terminating: [both], orphaned: [both] })).toEqual(['out-of-service a']);
  });

  test('not those that only finalizers hold, and these do not count', () => {
    const held = podOf('held', { going: true, grace: 0, phase: 'Failed', finalizers: ['x'] });
    expect(isHeldByFinalizers(held)).toBe(true);
    expect(
      names({ terminated: [held, podOf('a', { phase: 'Failed' })], terminating: [held], orphaned: [held] }, 1),
    ).toEqual([]);
    for (const parts of [{ grace: 30 }, { phase: 'Running' }, { finalizers: [] }, { going: false }]) {
      expect(
        isHeldByFinalizers(podOf('p', { going: true, grace: 0, phase: 'Failed', finalizers: ['x'], ...parts })),
      ).toBe(false);
    }
  });

  test.each([
    [false, true, true],
    [true, true, false],
    [false, false, false],
  ])('a node that is ready: %s, tainted: %s, is out of service: %s', (ready, tainted, expected) => {
    expect(isOutOfService(nodeOf('n', ready, tainted))).toBe(expected);
  });
});

describe('a missing node', () => {
  const always = (): boolean => true;

  test('is due when its quarantine is over, and stays so until somebody finds it', () => {
    const lost = new LostNodes();
    lost.suspect('a');
    expect(lost.due(always, 0)).toEqual([]);
    expect(lost.due(always, 39_999)).toEqual([]);
    expect(lost.due(always, 40_000)).toEqual(['a']);
    expect(lost.due(always, 60_000)).toEqual(['a']);
    lost.found('a');
    expect(lost.due(always, 60_000)).toEqual([]);
    expect(lost.due(always, 100_000)).toEqual(['a']);
  });

  test('that comes back is forgotten, and begins anew the next time', () => {
    const lost = new LostNodes();
    lost.suspect('a');
    expect(lost.due(always, 0)).toEqual([]);
    expect(lost.due(() => false, 50_000)).toEqual([]);
    lost.suspect('a');
    expect(lost.due(always, 60_000)).toEqual([]);
    expect(lost.due(always, 99_999)).toEqual([]);
    expect(lost.due(always, 100_000)).toEqual(['a']);
  });
});

describe('in a world', () => {
  let world: World;
  let nodeLag = 0;
  let latency = 0;
  afterEach(async () => {
    nodeLag = 0;
    latency = 0;
    await world.stop();
  });

  async function start(...there: readonly NewObject<KubeObject>[]): Promise<void> {
    world = createWorld({
      controllers: [podGarbageCollectorController],
      options: { 'terminated-pod-gc-threshold': 1 },
      lag: ({ kind }) => (kind === 'Node' ? nodeLag : 0),
      latency: () => latency,
    });
    for (const object of there) world.cluster.create(object.kind === 'Node' ? nodes : pods, object);
    await world.start();
  }
  const left = (): string[] => world.cluster.list(pods).map(({ metadata }) => metadata.name);
  const requests = (): string[] =>
    [...world.cluster.reads.splice(0), ...world.cluster.writes.splice(0)].flatMap(({ verb, type, subresource }) =>
      verb === 'list' || verb === 'watch' ? [] : [`${verb} ${[type.resource, subresource].filter(Boolean).join('/')}`],
    );

  test('Pods of a node that is gone fail, with the reason told, and go', async () => {
    await start(
      nodeOf('there', true, false),
      podOf('stays', { node: 'there' }),
      podOf('orphan', { node: 'gone', finalizers: ['x'] }),
      podOf('ended', { node: 'gone', phase: 'Succeeded' }),
    );
    await world.clock.step(39_000);
    expect(requests()).toEqual([]);
    await world.clock.step(2000);
    expect(requests()).toEqual(['get nodes', 'patch pods/status', 'delete pods', 'delete pods']);
    expect(left()).toEqual(['stays', 'orphan']);
    const { metadata, status } = world.cluster.get(pods, 'default/orphan')!;
    expect(metadata).toMatchObject({ deletionGracePeriodSeconds: 0 });
    expect(status).toEqual({
      phase: 'Failed',
      observedGeneration: 1,
      conditions: [
        {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'DeletionByPodGC',
          message: 'PodGC: node no longer exists',
          observedGeneration: 1,
          lastTransitionTime: '2026-01-01T00:00:40Z',
        },
      ],
    });
    const text = await world.metrics.expose();
    expect(text).toContain('pod_gc_collector_force_delete_pods_total{namespace="default",reason="orphaned"} 2');
    expect(text).not.toContain('force_delete_pod_errors_total{');
    // A finalizer holds what is left: nothing more is to be done.
    await world.clock.step(300_000);
    expect(requests()).toEqual([]);
  });

  test('a node that only the cache is missing keeps its Pods', async () => {
    await start();
    nodeLag = 70_000;
    world.cluster.create(nodes, nodeOf('late', true, false));
    world.cluster.create(pods, podOf('a', { node: 'late' }));
    await world.clock.step(300_000);
    expect(left()).toEqual(['a']);
    expect(requests()).toEqual(['get nodes']);
  });

  test('a node that goes takes its Pods along; one that can not be asked about does not', async () => {
    await start(nodeOf('n', true, false), podOf('a', { node: 'n' }));
    world.cluster.fault = ({ verb }) => (verb === 'get' ? 'refuse' : undefined);
    world.cluster.finish(nodes, 'n');
    await world.clock.step(120_000);
    expect(left()).toEqual(['a']);
    world.cluster.fault = () => undefined;
    await world.clock.step(30_000);
    expect(left()).toEqual([]);
  });

  test('Pods being deleted go where no kubelet ends them, failed but without a reason', async () => {
    await start(
      nodeOf('down', false, true),
      nodeOf('up', true, true),
      podOf('a', { node: 'down', going: true, finalizers: ['x'] }),
      podOf('b', { node: 'up', going: true }),
      podOf('c', { going: true, grace: 0, finalizers: ['x'] }),
    );
    await world.clock.step(21_000);
    expect(left()).toEqual(['a', 'b', 'c']);
    for (const name of ['a', 'c'])
      expect(world.cluster.get(pods, `default/${name}`)!.status).toEqual({
        phase: 'Failed',
        observedGeneration: 1,
        conditions: [],
      });
    expect(world.cluster.get(pods, 'default/b')!.status!.phase).toBe('Running');
    expect(await world.metrics.expose()).toContain(
      'pod_gc_collector_force_delete_pods_total{namespace="default",reason="unscheduled"} 1',
    );
  });

  test('what has ended goes beyond the threshold; what is refused is counted, and tried again', async () => {
    await start(podOf('a', { phase: 'Succeeded' }), podOf('b', { phase: 'Failed', reason: 'Evicted' }), podOf('c'));
    expect(left()).toEqual(['a', 'c']);
    world.cluster.fault = () => 'refuse';
    world.cluster.create(pods, podOf('d', { phase: 'Failed', age: 5 }));
    await world.clock.step(21_000);
    expect(await world.metrics.expose()).toContain(
      'pod_gc_collector_force_delete_pod_errors_total{namespace="default",reason="terminated"} 1',
    );
    world.cluster.fault = () => undefined;
    await world.clock.step(20_000);
    expect(left()).toEqual(['c', 'd']);
  });

  test('of many Pods those that have gone before their turn cost no request', async () => {
    const there = Array.from({ length: 100 }, (_, index) => podOf(`p${index}`, { node: 'gone' }));
    latency = 10;
    await start(...there);
    let patches = 0;
    world.cluster.fault = ({ verb }): Fault => {
      if (verb !== 'patch' || patches++ > 0) return undefined;
      for (const { metadata } of there.slice(80)) world.cluster.finish(pods, `default/${metadata.name}`);
      return undefined;
    };
    await world.clock.step(61_000);
    expect(left()).toEqual([]);
    const made = requests();
    expect(made.filter((request) => request === 'patch pods/status')).toHaveLength(80);
    expect(made.filter((request) => request === 'delete pods')).toHaveLength(80);
  });

  test('another Pod of the same name is left alone', async () => {
    await start(nodeOf('n', true, false));
    world.cluster.create(pods, podOf('a', { node: 'gone' }));
    world.cluster.fault = ({ verb }): Fault => {
      if (verb !== 'patch') return undefined;
      world.cluster.finish(pods, 'default/a');
      world.cluster.create(pods, podOf('a', { node: 'n' }));
      return undefined;
    };
    await world.clock.step(61_000);
    expect(world.cluster.get(pods, 'default/a')).toMatchObject({
      spec: { nodeName: 'n' },
      status: { phase: 'Running' },
    });
  });
});

const name = fc.constantFrom('a', 'b', 'c');
const action = fc.oneof(
  fc.record({
    do: fc.constant('pod' as const),
    node: fc.option(name, { nil: undefined }),
    phase: fc.constantFrom('Running', 'Pending', 'Failed', 'Succeeded'),
    held: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom('add' as const, 'remove' as const, 'taint' as const), node: name }),
  fc.record({
    do: fc.constantFrom('delete' as const, 'end' as const, 'release' as const, 'bind' as const),
    of: fc.nat(20),
    node: name,
  }),
  fc.record({ do: fc.constant('cut' as const) }),
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

describe('random worlds', () => {
  const settings = fc.record({
    seed: fc.nat(),
    realInformers: fc.boolean(),
    lag: fc.nat(4000),
    latency: fc.nat(300),
    faults: fc.constantFrom(0, 0.3),
    threshold: fc.nat(3),
  });
  const script = fc.array(fc.record({ action, after: fc.nat(30_000) }), { maxLength: 25 });

  test('what should go goes, failed; nothing else does; and then nothing is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(settings, script, async (set, steps) => {
        const chance = seededRandom(set.seed);
        const world = createWorld({
          controllers: [podGarbageCollectorController],
          seed: set.seed,
          options: { 'terminated-pod-gc-threshold': set.threshold },
          realInformers: set.realInformers,
          lag: () => Math.floor(chance() * set.lag),
          latency: () => Math.floor(chance() * set.latency),
        });
        const { cluster, clock } = world;
        const problems: string[] = [];
        const returned = new Map<string, number>();
        const faults = seededRandom(set.seed + 1);
        cluster.fault = ({ verb, type, key }): Fault => {
          if (verb === 'delete' && set.threshold === 0) judge(world, cluster.get(pods, key), returned, problems);
          if (verb === 'delete' && cluster.get(pods, key) && !isPodTerminal(cluster.get(pods, key)!))
            problems.push(`${key} deleted while it runs`);
          return type.kind === 'Pod' && faults() < set.faults ? (faults() < 0.5 ? 'lose' : 'refuse') : undefined;
        };
        await world.start();
        try {
          for (const [i, step] of steps.entries()) {
            await clock.step(step.after);
            act(world, step.action, `pod-${i}`, returned);
          }
          cluster.fault = () => undefined;
          await clock.step(300_000);
          const there = cluster.list(pods).filter((one) => !isHeldByFinalizers(one));
          const lost = there.filter(({ spec }) => spec?.nodeName && !cluster.get(nodes, spec.nodeName));
          const stuck = there.filter(
            ({ metadata, spec }) =>
              metadata.deletionTimestamp !== undefined &&
              (!spec?.nodeName || isOutOfService(cluster.get(nodes, spec.nodeName)!)),
          );
          const surplus = set.threshold > 0 ? there.filter((one) => isPodTerminal(one)).slice(set.threshold) : [];
          expect({ problems, lost, stuck, surplus }).toEqual({ problems: [], lost: [], stuck: [], surplus: [] });
          cluster.writes.length = cluster.reads.length = 0;
          await clock.step(300_000);
          expect([...cluster.writes, ...cluster.reads.filter(({ verb }) => verb === 'get')]).toEqual([]);
        } finally {
          await world.stop();
        }
      }),
      { numRuns: 80 },
    );
  });

  /** Where ended Pods may stay, none goes that is on a node that is there: unless that came back while others were asking. */
  function judge(
    { cluster, clock }: World,
    one: Pod | undefined,
    returned: ReadonlyMap<string, number>,
    problems: string[],
  ): void {
    const node = one?.spec?.nodeName;
    if (!one || !node || one.metadata.deletionTimestamp !== undefined || !cluster.get(nodes, node)) return;
    if (clock.now() - (returned.get(node) ?? 0) > 2000) problems.push(`${keyOf(one)} deleted on a node that is there`);
  }

  function act({ cluster, clock }: World, asked: Action, fresh: string, returned: Map<string, number>): void {
    if (asked.do === 'cut') return cluster.cutWatches();
    if (asked.do === 'pod') {
      const { node, phase, held } = asked;
      return void cluster.create(
        pods,
        podOf(fresh, { ...(node ? { node } : {}), phase, ...(held ? { finalizers: ['x'] } : {}) }),
      );
    }
    if (!('of' in asked)) {
      const node = cluster.get(nodes, asked.node);
      if (!node) returned.set(asked.node, clock.now());
      if (asked.do === 'add' && !node) cluster.create(nodes, nodeOf(asked.node, true, false));
      else if (asked.do === 'remove' && node) cluster.finish(nodes, asked.node);
      else if (node)
        cluster.change(nodes, asked.node, (old) => ({
          ...old,
          spec: nodeOf('x', false, true).spec!,
          status: nodeOf('x', false, true).status!,
        }));
      return undefined;
    }
    const there = cluster.list(pods);
    const chosen = there[asked.of % Math.max(1, there.length)];
    if (!chosen) return undefined;
    const key = keyOf(chosen);
    if (asked.do === 'delete') cluster.delete(pods, key);
    else if (asked.do === 'end' && !isPodTerminal(chosen))
      cluster.change(pods, key, (old) => ({ ...old, status: { ...old.status, phase: 'Succeeded' } }));
    else if (asked.do === 'release')
      cluster.change(pods, key, (old) => ({ ...old, metadata: { ...old.metadata, finalizers: [] } }));
    else if (asked.do === 'bind' && !chosen.spec?.nodeName && chosen.metadata.deletionTimestamp === undefined)
      cluster.change(pods, key, (old) => ({ ...old, spec: { ...old.spec!, nodeName: asked.node } }));
    return undefined;
  }
});
