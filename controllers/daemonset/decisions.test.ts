import { describe, expect, test } from 'vitest';

import type { ControllerRevision, Node, Pod } from '#pkg/api';
import { EPOCH, podTemplate as template } from '#pkg/testing';

import { daemonPod, daemonSet, node, rolling } from './daemon.fixture.ts';
import { FailedPods } from './failed-pods.ts';
import { manage } from './manage.ts';
import { Placement } from './placement.ts';
import { obsolete, part } from './revisions.ts';
import { rollingUpdate } from './rolling.ts';
import { type Snapshot, groupByNode } from './snapshot.ts';
import { countStatus, untilAvailable } from './status.ts';
import { daemonTolerations, forNode, isUpdated, podTemplate, targetNode, templateGeneration } from './template.ts';

const RUN = { shouldRun: true, mayStay: true };
const STAY = { shouldRun: false, mayStay: true };
const LEAVE = { shouldRun: false, mayStay: false };

function snapshot(
  nodes: Record<string, typeof RUN>,
  pods: readonly Pod[],
  spec: Parameters<typeof daemonSet>[0] = {},
): Snapshot {
  return {
    daemonSet: daemonSet(spec),
    hash: 'new',
    nodes: Object.entries(nodes).map(([name, verdict]) => ({ name, ...verdict })),
    podsByNode: groupByNode(pods),
    now: EPOCH + 1000_000,
  };
}
const names = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.name);

describe('placement', () => {
  const taint = (effect: string, key = 'x'): Parameters<typeof node>[1] => ({ taints: [{ key, effect }] });
  const withSpec = (spec: object): Parameters<typeof daemonSet>[0] => ({
    template: { ...template(), spec: { ...template().spec!, ...spec } },
  });
  test.each<[string, Parameters<typeof daemonSet>[0], Node, typeof RUN]>([
    ['a plain node', {}, node('a'), RUN],
    ['another node than the template names', withSpec({ nodeName: 'b' }), node('a'), LEAVE],
    ['the node that the template names', withSpec({ nodeName: 'a' }), node('a'), RUN],
    [
      'a selector that does not match',
      withSpec({ nodeSelector: { os: 'x' } }),
      node('a', { labels: { os: 'y' } }),
      LEAVE,
    ],
    ['a taint that keeps out', {}, node('a', taint('NoSchedule')), STAY],
    ['a taint that drives out', {}, node('a', taint('NoExecute')), LEAVE],
    ['a taint that only asks', {}, node('a', taint('PreferNoSchedule')), RUN],
    [
      'a taint that is tolerated',
      withSpec({ tolerations: [{ operator: 'Exists' }] }),
      node('a', taint('NoExecute')),
      RUN,
    ],
    ['not ready', {}, node('a', taint('NoExecute', 'node.kubernetes.io/not-ready')), RUN],
    ['not ready, and not to be scheduled', {}, node('a', taint('NoSchedule', 'node.kubernetes.io/not-ready')), STAY],
    ['cordoned', {}, node('a', taint('NoSchedule', 'node.kubernetes.io/unschedulable')), RUN],
    ['without network', {}, node('a', taint('NoSchedule', 'node.kubernetes.io/network-unavailable')), STAY],
    [
      'without network, on that of the host',
      withSpec({ hostNetwork: true }),
      node('a', taint('NoSchedule', 'node.kubernetes.io/network-unavailable')),
      RUN,
    ],
  ])('%s', (_, spec, on, expected) => {
    expect(new Placement({ comparison: false }).verdict(daemonSet(spec), on)).toEqual(expected);
  });
});

describe('the template of Pods', () => {
  test('labels, tolerations, and the node by its name', () => {
    const made = forNode(podTemplate(daemonSet(), 'h1'), 'a');
    expect(made.metadata?.labels).toEqual({
      app: 'web',
      'controller-revision-hash': 'h1',
      'pod-template-generation': '1',
    });
    expect(made.spec?.tolerations?.map(({ key, effect }) => `${key} ${effect}`)).toEqual([
      'node.kubernetes.io/not-ready NoExecute',
      'node.kubernetes.io/unreachable NoExecute',
      'node.kubernetes.io/disk-pressure NoSchedule',
      'node.kubernetes.io/memory-pressure NoSchedule',
      'node.kubernetes.io/pid-pressure NoSchedule',
      'node.kubernetes.io/unschedulable NoSchedule',
    ]);
    const terms = [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }];
    expect(made.spec?.affinity).toEqual({
      nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
    });
  });

  test('other affinity stays, the required one gives way', () => {
    const preferred = [{ weight: 1, preference: { matchExpressions: [{ key: 'zone', operator: 'Exists' }] } }];
    const required = { nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'Exists' }] }] };
    const affinity = {
      podAntiAffinity: {},
      nodeAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: preferred,
        requiredDuringSchedulingIgnoredDuringExecution: required,
      },
    };
    const made = forNode({ spec: { containers: [], affinity } }, 'a').spec!.affinity!;
    expect(made.podAntiAffinity).toEqual({});
    expect(made.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution).toEqual(preferred);
    expect(targetNode(daemonPod('a', { placed: false }))).toBe('a');
  });

  test('a toleration that differs in its seconds only is replaced in its place', () => {
    const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 };
    const [first, ...others] = daemonTolerations({ tolerations: [own] });
    expect(first).toEqual({ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' });
    expect(others).toHaveLength(5);
  });

  test.each([
    [{ nodeName: 'a' }, 'a'],
    [{}, undefined],
    [
      { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] } } } },
      undefined,
    ],
  ])('the node of %j is %s', (spec, expected) => {
    expect(targetNode({ ...daemonPod('x'), spec: { containers: [], ...spec } })).toBe(expected);
  });

  test('newest by hash or by generation', () => {
    const pod = daemonPod('a', { hash: 'h' });
    const aged: Pod = { ...pod, metadata: { ...pod.metadata, labels: { 'pod-template-generation': '3' } } };
    expect([
      isUpdated(pod, 'h', undefined),
      isUpdated(pod, 'i', '1'),
      isUpdated(aged, 'h', '3'),
      isUpdated(aged, '', undefined),
    ]).toEqual([true, false, true, false]);
    expect(
      templateGeneration(
        daemonSet({}, undefined, { annotations: { 'deprecated.daemonset.template.generation': 'x' } }),
      ),
    ).toBeUndefined();
  });
});

describe('manage', () => {
  const never = (): boolean => false;
  const managed = (
    nodes: Record<string, typeof RUN>,
    pods: readonly Pod[],
    spec?: Parameters<typeof daemonSet>[0],
  ): { create: readonly string[]; remove: string[] } => {
    const { create, remove } = manage(snapshot(nodes, pods, spec), never);
    return { create, remove: names(remove) };
  };
  const SURGE = { updateStrategy: rolling(0, 1) };

  test.each<
    [
      string,
      Record<string, typeof RUN>,
      readonly Pod[],
      Parameters<typeof daemonSet>[0],
      readonly string[],
      readonly string[],
    ]
  >([
    ['one where there is none', { a: RUN, b: RUN }, [daemonPod('a')], {}, ['b'], []],
    ['none where none may stay', { a: LEAVE }, [daemonPod('a')], {}, [], ['agent-a']],
    ['what is there stays, no more are made', { a: STAY, b: STAY }, [daemonPod('a')], {}, [], []],
    [
      'the oldest of several stays',
      { a: RUN },
      [daemonPod('a', { name: 'y', created: 2 }), daemonPod('a', { name: 'x', created: 1 })],
      {},
      [],
      ['y'],
    ],
    [
      'one on the node before one that waits',
      { a: RUN },
      [daemonPod('a', { name: 'x', placed: false }), daemonPod('a', { name: 'y', created: 9 })],
      {},
      [],
      ['x'],
    ],
    ['none beside one that goes', { a: RUN }, [daemonPod('a', { going: true })], {}, [], []],
    ['with surge, beside one that goes', { a: RUN }, [daemonPod('a', { going: true })], SURGE, ['a'], []],
    [
      'ended ones go',
      { a: RUN, b: RUN },
      [daemonPod('a', { phase: 'Failed' }), daemonPod('b', { phase: 'Succeeded' })],
      {},
      [],
      ['agent-a', 'agent-b'],
    ],
    ['ended and going is gone', { a: RUN }, [daemonPod('a', { phase: 'Failed', going: true })], {}, ['a'], []],
    ['meant for a node that is gone', {}, [daemonPod('z', { placed: false }), daemonPod('y')], {}, [], ['agent-z']],
  ])('%s', (_, nodes, pods, spec, create, remove) => {
    expect(managed(nodes, pods, spec)).toEqual({ create, remove });
  });

  const old = (parts: object = {}): Pod => daemonPod('a', { name: 'old', hash: 'old', ready: 0, ...parts });
  const young = (parts: object = {}): Pod => daemonPod('a', { name: 'young', created: 5, ...parts });
  test.each<[string, readonly Pod[], readonly string[]]>([
    ['two while the old serves and the new is not there yet', [old(), young()], []],
    ['the old goes once the new is available', [old(), young({ ready: 10 })], ['old']],
    ['the old goes when it serves no more', [old({ ready: undefined }), young()], ['old']],
    ['others go at once', [old(), old({ name: 'older', created: 1 }), young()], ['older']],
  ])('with surge: %s', (_, pods, remove) => {
    expect(managed({ a: RUN }, pods, SURGE).remove).toEqual(remove);
  });

  test('a failed Pod lingers where the node has just had another', () => {
    const { remove, lingering, failedOn } = manage(
      snapshot({ a: RUN, b: RUN }, [daemonPod('a', { phase: 'Failed' }), daemonPod('b', { phase: 'Failed' })]),
      (name) => name === 'a',
    );
    expect([names(remove), lingering, failedOn]).toEqual([['agent-b'], ['a'], ['b']]);
  });
});

describe('rolling update', () => {
  const nodes = { a: RUN, b: RUN, c: RUN };
  const old = (on: string, ready: number | undefined = 0): Pod =>
    daemonPod(on, { hash: 'old', ...(ready === undefined ? {} : { ready }) });
  const fresh = (on: string, ready: number | undefined = 0): Pod =>
    daemonPod(on, { name: `new-${on}`, created: 5, ...(ready === undefined ? {} : { ready }) });
  const broken = (on: string): Pod => daemonPod(on, { hash: 'old' });
  const starting = (on: string): Pod => daemonPod(on, { name: `new-${on}`, created: 5 });

  test.each<[string, readonly Pod[], number | string, readonly string[]]>([
    ['one at a time', [old('a'), old('b'), old('c')], 1, ['agent-a']],
    ['a share, rounded up', [old('a'), old('b'), old('c')], '34%', ['agent-a', 'agent-b']],
    ['none while a new one starts', [starting('a'), old('b'), old('c')], 1, []],
    ['the next when it is available', [fresh('a'), old('b'), old('c')], 1, ['agent-b']],
    ['broken ones whatever the limit', [broken('a'), broken('b'), old('c')], 1, ['agent-a', 'agent-b']],
    ['a node without Pod counts', [old('a'), old('b')], 1, []],
    ['neither allowed: one', [old('a'), old('b'), old('c')], 0, ['agent-a']],
  ])('in place: %s', (_, pods, maxUnavailable, remove) => {
    const { create, remove: removed } = rollingUpdate(
      snapshot(nodes, pods, { updateStrategy: rolling(maxUnavailable) }),
    );
    expect([create, names(removed)]).toEqual([[], remove]);
  });

  test.each<[string, Record<string, typeof RUN>, readonly Pod[], readonly string[], readonly string[]]>([
    ['a new one beside an old', nodes, [old('a'), old('b'), old('c')], ['a'], []],
    ['none while one starts', nodes, [old('a'), starting('a'), old('b'), old('c')], [], []],
    ['the old goes and the next comes', nodes, [old('a'), fresh('a'), old('b'), old('c')], ['b'], ['agent-a']],
    ['broken ones at once', nodes, [broken('a'), broken('b'), old('c')], ['a', 'b', 'c'], []],
    [
      'on a node that is left, kept until enough are there',
      { ...nodes, c: STAY },
      [fresh('a'), starting('b'), old('c')],
      [],
      [],
    ],
    ['and then not', { ...nodes, c: STAY }, [fresh('a'), fresh('b'), old('c')], [], ['agent-c']],
    ['broken on a node that is left', { ...nodes, c: STAY }, [fresh('a'), fresh('b'), broken('c')], [], ['agent-c']],
  ])('with surge: %s', (_, where, pods, create, remove) => {
    const changes = rollingUpdate(snapshot(where, pods, { updateStrategy: rolling(0, 1) }));
    expect([changes.create, names(changes.remove)]).toEqual([create, remove]);
  });

  test('limits that cannot be read', () => {
    expect(() => rollingUpdate(snapshot(nodes, [], { updateStrategy: rolling('many') }))).toThrow(RangeError);
  });
});

describe('status', () => {
  test('counts by node, of the oldest Pod of each', () => {
    const pods = [
      daemonPod('a', { ready: 0 }),
      daemonPod('b', { hash: 'old', ready: 995 }),
      daemonPod('c'),
      daemonPod('e', { ready: 0 }),
      daemonPod('a', { name: 'second', created: 9 }),
    ];
    const status = countStatus(
      snapshot({ a: RUN, b: RUN, c: RUN, d: RUN, e: LEAVE, f: LEAVE }, pods, { minReadySeconds: 10 }),
      { observed: true },
    );
    expect(status).toEqual({
      desiredNumberScheduled: 4,
      currentNumberScheduled: 3,
      numberMisscheduled: 1,
      numberReady: 2,
      numberAvailable: 1,
      numberUnavailable: 3,
      updatedNumberScheduled: 2,
      observedGeneration: 1,
    });
    expect(untilAvailable(snapshot({}, pods, { minReadySeconds: 10 }))).toBe(5000);
  });

  test('nothing there, nothing acted on', () => {
    expect(countStatus(snapshot({}, []), { observed: false })).toEqual({
      desiredNumberScheduled: 0,
      currentNumberScheduled: 0,
      numberMisscheduled: 0,
      numberReady: 0,
    });
  });
});

describe('revisions', () => {
  const revision = (name: string, number: number, image?: string): ControllerRevision => ({
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { 'controller-revision-hash': name },
    },
    data: { spec: { template: { ...template(image), $patch: 'replace' } } },
    revision: number,
  });

  test('the newest of the same template, and the number after all others', () => {
    const { current, old, next } = part(daemonSet(), [
      revision('b', 4, 'app:v0'),
      revision('c', 2),
      revision('a', 1),
      revision('d', 3, 'app:v2'),
    ]);
    expect([current, old].map((list) => list.map(({ metadata }) => metadata.name))).toEqual([
      ['a', 'c'],
      ['d', 'b'],
    ]);
    expect(next).toBe(5);
  });

  test('the oldest go beyond the limit, but not what Pods are of', () => {
    const old = ['a', 'b', 'c', 'd'].map((name, index) => revision(name, index));
    const gone = obsolete(daemonSet({ revisionHistoryLimit: 1 }), old, [daemonPod('x', { hash: 'a' })]);
    expect(gone.map(({ metadata }) => metadata.name)).toEqual(['b', 'c', 'd']);
    expect(obsolete(daemonSet({ revisionHistoryLimit: 4 }), old, [])).toEqual([]);
  });
});

test('failed Pods stay longer each time, and are forgotten with the generation', () => {
  const failed = new FailedPods();
  const set = daemonSet({}, { observedGeneration: 1 } as never);
  expect(failed.wait(set, 'a', 0)).toBeUndefined();
  failed.removed(set, 'a', 0);
  expect([failed.wait(set, 'a', 400), failed.wait(set, 'b', 400), failed.wait(set, 'a', 1000)]).toEqual([
    600,
    undefined,
    undefined,
  ]);
  failed.removed(set, 'a', 1000);
  expect(failed.wait(set, 'a', 1000)).toBe(2000);
  for (let count = 0; count < 20; count++) failed.removed(set, 'a', 5000);
  expect(failed.wait(set, 'a', 5000)).toBe(900_000);
  expect(failed.wait(set, 'a', 5000 + 1_800_001)).toBeUndefined();
  expect(failed.wait(daemonSet({}, { observedGeneration: 2 } as never), 'a', 5000)).toBeUndefined();
});
