import { describe, expect, test } from 'vitest';

import type { EndpointSlice, Node, Pod, Service } from '#pkg/api';
import { at, pod } from '#pkg/testing';

import type { Endpoint } from '../internal/endpoints/index.ts';
import { serviceOf, sliceOf } from '../internal/endpoints/endpoints.fixture.ts';
import { type Snapshot, decideLayout, decideWrites } from './decide.ts';
import { type Slices, withoutHints } from './hints.ts';
import { changedSlice, labelsFor } from './slice.ts';
import { trafficDistributionOf, withCloseHints } from './traffic-distribution.ts';

const nodeOf = (name: string): Node => ({
  metadata: {
    name,
    uid: name,
    resourceVersion: '1',
    creationTimestamp: at(0),
    labels: { 'topology.kubernetes.io/zone': `zone-of-${name}` },
  },
});
const http = { name: 'http', port: 8080, protocol: 'TCP' };

function member(index: number, status: Pod['status'] = {}, spec: Partial<Pod['spec']> = {}): Pod {
  const ip = `10.0.${Math.floor(index / 250)}.${index % 250}`;
  const base = pod(`pod-${index}`, undefined, { podIP: ip, podIPs: [{ ip }], ...status });
  return { ...base, spec: { ...base.spec!, nodeName: 'n1', ...spec } };
}

const members = (from: number, to: number): Pod[] => Array.from({ length: to - from }, (_, i) => member(from + i));

const owner = {
  apiVersion: 'v1',
  kind: 'Service',
  name: 'web',
  uid: 'uid-web',
  controller: true,
  blockOwnerDeletion: true,
};

function owned(name: string, rest: Partial<EndpointSlice> = {}, service = serviceOf('web')): EndpointSlice {
  return sliceOf(name, { labels: labelsFor(service), ownerReferences: [owner] }, { ports: [http], ...rest });
}

/** The endpoints of these Pods as a slice has them that is up to date. */
function endpointsOf(pods: readonly Pod[]): readonly Endpoint[] {
  return layout({ pods }).create.flatMap(({ endpoints }) => endpoints);
}

function layout(parts: Partial<Snapshot>) {
  return decideLayout({ service: serviceOf('web'), type: 'IPv4', pods: [], existing: [], nodeOf, limit: 10, ...parts });
}

/** Sizes of slices by what is done with them. */
function sizes({ create, update, remove, unchanged }: ReturnType<typeof layout>) {
  return {
    create: create.map(({ endpoints }) => endpoints.length),
    update: update.map(({ existing, endpoints }) => `${existing!.metadata.name}:${endpoints.length}`),
    remove: remove.map(({ metadata }) => metadata.name),
    unchanged: unchanged.map(({ metadata }) => metadata.name),
  };
}

describe('an endpoint', () => {
  const only = (candidate: Pod, service: Service = serviceOf('web')): Endpoint | undefined =>
    layout({ service, pods: [candidate] }).create[0]?.endpoints[0];

  test('says where the Pod is and what it is', () => {
    expect(only(member(1))).toEqual({
      addresses: ['10.0.0.1'],
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: 'Pod', namespace: 'default', name: 'pod-1', uid: 'uid-pod-1' },
      nodeName: 'n1',
      zone: 'zone-of-n1',
    });
  });

  const unready: Pod['status'] = { conditions: [{ type: 'Ready', status: 'False' }] };
  const deleted = (one: Pod): Pod => ({ ...one, metadata: { ...one.metadata, deletionTimestamp: at(9) } });
  const publishing = serviceOf('web', { publishNotReadyAddresses: true });
  test.each<[string, Pod, Service, [boolean, boolean, boolean]]>([
    ['that is ready', member(1), serviceOf('web'), [true, true, false]],
    ['that is not', member(1, unready), serviceOf('web'), [false, false, false]],
    ['that is leaving and serves', deleted(member(1)), serviceOf('web'), [false, true, true]],
    ['that is leaving and does not', deleted(member(1, unready)), serviceOf('web'), [false, false, true]],
    ['published whatever it is', member(1, unready), publishing, [true, false, false]],
    ['published and leaving', deleted(member(1)), publishing, [true, true, true]],
  ])('%s', (_title, candidate, service, [ready, serving, terminating]) => {
    expect(only(candidate, service)?.conditions).toEqual({ ready, serving, terminating });
  });

  test('has a host name in the Service that the Pod names', () => {
    const named = member(1, {}, { hostname: 'db-0', subdomain: 'web' });
    expect(only(named)?.hostname).toBe('db-0');
    expect(only(named, serviceOf('other'))?.hostname).toBeUndefined();
  });

  test('is left out while its node is not known, unless published whatever it is', () => {
    const unknown = { nodeOf: () => undefined, pods: [member(1)] };
    expect(layout(unknown)).toMatchObject({ skipped: [{ pod: 'pod-1', node: 'n1' }], create: [{ endpoints: [] }] });
    const published = layout({ ...unknown, service: publishing });
    expect(published.skipped).toEqual([]);
    expect(published.create[0]!.endpoints[0]).not.toHaveProperty('zone');
  });
});

describe('ports', () => {
  const named = serviceOf('web', {
    ports: [
      { name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' },
      { name: 'm', port: 81, targetPort: 9000, protocol: 'TCP' },
    ],
  });
  const withPort = (index: number, containerPort: number): Pod =>
    member(index, {}, { containers: [{ name: 'app', ports: [{ name: 'http', containerPort, protocol: 'TCP' }] }] });

  test('that Pods have differently part them', () => {
    const { create } = layout({
      service: named,
      pods: [withPort(1, 8080), withPort(2, 9090), withPort(3, 8080), member(4)],
    });
    const shown = create.map(({ ports, endpoints }) => [
      ports.map(({ port }) => port).toSorted((a, b) => a! - b!),
      endpoints.length,
    ]);
    expect(shown).toEqual([
      [[8080, 9000], 2],
      [[9000, 9090], 1],
      [[9000], 1],
    ]);
  });

  test('of a headless Service may be none', () => {
    const { create } = layout({
      service: serviceOf('web', { clusterIP: 'None', ports: undefined }),
      pods: [member(1)],
    });
    expect(create).toMatchObject([{ ports: [], endpoints: [{}] }]);
  });

  test('carry the protocol of the application', () => {
    const service = serviceOf('web', {
      ports: [{ port: 80, targetPort: 8080, protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' }],
    });
    expect(layout({ service, pods: [member(1)] }).create[0]!.ports).toEqual([
      { name: '', port: 8080, protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' },
    ]);
  });

  test('that nobody has any more take their slices along', () => {
    const old = owned('old', { ports: [{ ...http, port: 1 }], endpoints: endpointsOf(members(0, 2)) });
    expect(sizes(layout({ pods: members(0, 2), existing: [old] }))).toEqual({
      create: [2],
      update: [],
      remove: ['old'],
      unchanged: [],
    });
  });
});

describe('slices', () => {
  const full = (name: string, from: number, to: number): EndpointSlice =>
    owned(name, { endpoints: endpointsOf(members(from, to)) });

  test.each<[string, EndpointSlice[], Pod[], object]>([
    ['a placeholder where there is nothing', [], [], { create: [0] }],
    ['the placeholder that is there', [owned('empty', { ports: [] })], [], { unchanged: ['empty'] }],
    [
      'the placeholder as the API server writes it',
      [JSON.parse(JSON.stringify({ ...owned('empty'), ports: null, endpoints: null })) as EndpointSlice],
      [],
      { unchanged: ['empty'] },
    ],
    ['what fits into one', [], members(0, 10), { create: [10] }],
    ['what needs several', [], members(0, 25), { create: [10, 10, 5] }],
    ['what is there already', [full('a', 0, 9)], members(0, 9), { unchanged: ['a'] }],
    ['one more in the slice with room', [full('a', 0, 9)], members(0, 10), { update: ['a:10'] }],
    [
      'one more in the fullest slice with room',
      [full('a', 0, 3), full('b', 3, 9)],
      members(0, 10),
      { update: ['b:7'], unchanged: ['a'] },
    ],
    [
      'more than any slice has room for',
      [full('a', 0, 8), full('b', 8, 14)],
      members(0, 20),
      { create: [6], unchanged: ['a', 'b'] },
    ],
    [
      'what fits a slice that is written anyway',
      [full('a', 0, 9), full('b', 9, 12)],
      members(1, 13),
      { update: ['a:9'], unchanged: ['b'] },
    ],
    [
      'the rest beside the slices that are written',
      [full('a', 0, 10), full('b', 10, 15)],
      members(1, 18),
      { update: ['a:10', 'b:7'] },
    ],
    [
      'full new slices and the rest in an old one',
      [full('a', 0, 5)],
      members(0, 19),
      { create: [10], update: ['a:9'] },
    ],
    [
      'nothing in one that nobody is left in',
      [full('a', 0, 2), full('b', 2, 4)],
      members(2, 4),
      { remove: ['a'], unchanged: ['b'] },
    ],
    [
      'an endpoint that two slices have only once',
      [full('a', 0, 2), full('b', 1, 4)],
      members(0, 4),
      { update: ['b:2'], unchanged: ['a'] },
    ],
    ['an empty slice in place of the last endpoints', [full('a', 0, 2)], [], { create: [0], remove: ['a'] }],
  ])('hold %s', (_title, existing, pods, expected) => {
    expect(sizes(layout({ existing, pods }))).toEqual({
      create: [],
      update: [],
      remove: [],
      unchanged: [],
      ...expected,
    });
  });

  test('are written when an endpoint changed, and only its own', () => {
    const [first, ...others] = members(0, 10) as [Pod, ...Pod[]];
    const changed = { ...first, status: { ...first.status, conditions: [] } };
    expect(sizes(layout({ existing: [full('a', 0, 5), full('b', 5, 10)], pods: [changed, ...others] }))).toEqual({
      create: [],
      update: ['a:5'],
      remove: [],
      unchanged: ['b'],
    });
  });

  test('follow the labels of the Service, reserved ones left out', () => {
    const service = serviceOf('web', {}, { labels: { team: 'a', 'kubernetes.io/service-name': 'mine' } });
    const { update } = layout({ service, existing: [full('a', 0, 5)], pods: members(0, 5) });
    expect(update).toHaveLength(1);
    const { metadata } = changedSlice(update[0]!.existing!, update[0]!, {
      service,
      type: 'IPv4',
      triggerTime: undefined,
    });
    expect(metadata.labels).toEqual({
      team: 'a',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    const headless = serviceOf('web', { clusterIP: 'None' });
    expect(labelsFor(headless)).toHaveProperty(['service.kubernetes.io/headless'], '');
    expect(sizes(layout({ service: headless, existing: [full('a', 0, 5)], pods: members(0, 5) })).unchanged).toEqual([
      'a',
    ]);
  });

  test('of a former Service of the name go', () => {
    const foreign = sliceOf('foreign', {}, { ports: [http], endpoints: endpointsOf(members(0, 2)) });
    const { create, update, remove, unchanged } = layout({ existing: [foreign], pods: members(0, 2) });
    expect([create.length, update, remove, unchanged]).toEqual([1, [], [foreign], []]);
    const writes = decideWrites({ create, update, unchanged }, remove, {
      service: serviceOf('web'),
      type: 'IPv4',
      triggerTime: undefined,
    });
    expect([writes.create.length, writes.update.length, writes.remove.length]).toEqual([1, 0, 1]);
  });

  test('count for metrics', () => {
    const result = layout({ existing: [full('a', 0, 5)], pods: members(3, 15) });
    expect([result.added, result.removed, result.groups]).toEqual([10, 3, [{ endpoints: 12, slices: 2 }]]);
    expect(layout({}).groups).toEqual([{ endpoints: 0, slices: 1 }]);
  });
});

describe('writes', () => {
  const parts = { service: serviceOf('web'), type: 'IPv4', triggerTime: at(5) } as const;
  const TRIGGER = 'endpoints.kubernetes.io/last-change-trigger-time';

  test('make a slice whole', () => {
    const { create } = decideWrites(
      { create: [{ ports: [http], endpoints: [] }], update: [], unchanged: [] },
      [],
      parts,
    );
    expect(create).toEqual([
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          generateName: 'web-',
          namespace: 'default',
          labels: labelsFor(parts.service),
          annotations: { [TRIGGER]: at(5) },
          ownerReferences: [owner],
        },
        addressType: 'IPv4',
        endpoints: [],
        ports: [http],
      },
    ]);
  });

  test('leave out the ports where there are none', () => {
    const none = { create: [{ ports: [], endpoints: [] }], update: [], unchanged: [] };
    expect(decideWrites(none, [], parts).create[0]).not.toHaveProperty('ports');
    expect(decideWrites(none, [owned('old', { ports: [http] })], parts).update[0]).not.toHaveProperty('ports');
  });

  test('turn a slice that goes into one that is made', () => {
    const spent = owned('web-abc', { ports: [{ ...http, port: 1 }] });
    const { create, update, remove } = decideWrites(
      { create: [{ ports: [http], endpoints: [] }], update: [], unchanged: [] },
      [spent, owned('web-def')],
      parts,
    );
    expect([create, remove.map(({ metadata }) => metadata.name)]).toEqual([[], ['web-def']]);
    expect(update[0]).toMatchObject({
      metadata: { name: 'web-abc', uid: 'uid-web-abc', resourceVersion: '1' },
      ports: [http],
    });
  });

  test('say when the change happened, or take away what was said of a former one', () => {
    const annotated = sliceOf('a', { annotations: { [TRIGGER]: at(1), other: 'kept' } });
    const annotations = (triggerTime: string | undefined) =>
      changedSlice(annotated, { ports: [], endpoints: [] }, { ...parts, triggerTime }).metadata.annotations;
    expect([annotations(at(5)), annotations(undefined)]).toEqual([
      { other: 'kept', [TRIGGER]: at(5) },
      { other: 'kept' },
    ]);
  });
});

describe('hints by traffic distribution', () => {
  const endpoint = (
    zone: string | undefined,
    nodeName: string | undefined,
    rest: Partial<Endpoint> = {},
  ): Endpoint => ({
    addresses: ['10.0.0.1'],
    conditions: { ready: true },
    ...(zone ? { zone } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...rest,
  });
  const drafts = (...endpoints: Endpoint[]): Slices => ({
    create: [{ ports: [], endpoints }],
    update: [],
    unchanged: [],
  });
  const hintsOf = (slices: Slices) => slices.create.flatMap(({ endpoints }) => endpoints.map(({ hints }) => hints));

  test.each<[string, Partial<NonNullable<Service['spec']>>, Record<string, string>, boolean, string | undefined]>([
    ['nothing', {}, {}, true, undefined],
    ['close ones', { trafficDistribution: 'PreferClose' }, {}, false, 'PreferClose'],
    ['those of the zone', { trafficDistribution: 'PreferSameZone' }, {}, true, 'PreferSameZone'],
    ['those of the zone, without the gate', { trafficDistribution: 'PreferSameZone' }, {}, false, undefined],
    ['those of the node', { trafficDistribution: 'PreferSameNode' }, {}, true, 'PreferSameNode'],
    ['something unknown', { trafficDistribution: 'Nearest' }, {}, true, undefined],
    [
      'both ways',
      { trafficDistribution: 'PreferClose' },
      { 'service.kubernetes.io/topology-mode': 'Auto' },
      true,
      undefined,
    ],
    [
      'both ways, the former way off',
      { trafficDistribution: 'PreferClose' },
      { 'service.kubernetes.io/topology-mode': 'Auto', 'service.kubernetes.io/topology-aware-hints': 'off' },
      true,
      'PreferClose',
    ],
  ])('a Service asks for %s', (_title, spec, annotations, gate, expected) => {
    expect(trafficDistributionOf(serviceOf('web', spec, { annotations }), gate)).toBe(expected);
  });

  test('are the zone of a ready endpoint, and its node where that is asked for', () => {
    const slices = drafts(
      endpoint('a', 'n1'),
      endpoint(undefined, 'n2'),
      endpoint('b', 'n3', { conditions: { ready: false } }),
    );
    expect(hintsOf(withCloseHints(slices, 'PreferClose'))).toEqual([
      { forZones: [{ name: 'a' }] },
      undefined,
      undefined,
    ]);
    expect(hintsOf(withCloseHints(slices, 'PreferSameNode'))).toEqual([
      { forZones: [{ name: 'a' }], forNodes: [{ name: 'n1' }] },
      { forNodes: [{ name: 'n2' }] },
      undefined,
    ]);
  });

  test.each<[string, Endpoint, string, boolean]>([
    ['right', endpoint('a', 'n', { hints: { forZones: [{ name: 'a' }] } }), 'PreferClose', false],
    ['missing', endpoint('a', 'n'), 'PreferClose', true],
    ['of another zone', endpoint('a', 'n', { hints: { forZones: [{ name: 'b' }] } }), 'PreferClose', true],
    ['of two zones', endpoint('a', 'n', { hints: { forZones: [{ name: 'a' }, { name: 'b' }] } }), 'PreferClose', true],
    ['without need', endpoint(undefined, 'n', { hints: { forZones: [{ name: 'a' }] } }), 'PreferClose', true],
    [
      'of a node nobody asked for',
      endpoint('a', 'n', { hints: { forZones: [{ name: 'a' }], forNodes: [{ name: 'n' }] } }),
      'PreferSameZone',
      true,
    ],
    ['without the node', endpoint('a', 'n', { hints: { forZones: [{ name: 'a' }] } }), 'PreferSameNode', true],
    ['missing on one that is not ready', endpoint('a', 'n', { conditions: { ready: false } }), 'PreferClose', false],
  ])('that are %s', (_title, one, distribution, wrong) => {
    const slices = { create: [], update: [], unchanged: [owned('a', { endpoints: [one] })] };
    const { update, unchanged } = withCloseHints(slices, distribution);
    expect([update.length, unchanged.length]).toEqual(wrong ? [1, 0] : [0, 1]);
  });

  test('go when nobody asks for them', () => {
    const old = endpoint('a', 'n', { hints: { forZones: [{ name: 'a' }] } });
    const slices = withoutHints({
      ...drafts(old),
      unchanged: [owned('a', { endpoints: [old] }), owned('b', { endpoints: [endpoint('a', 'n')] })],
    });
    expect(hintsOf(slices)).toEqual([undefined]);
    expect(slices.update.map(({ endpoints }) => endpoints[0]!.hints)).toEqual([undefined]);
    expect(slices.unchanged.map(({ metadata }) => metadata.name)).toEqual(['b']);
  });
});
