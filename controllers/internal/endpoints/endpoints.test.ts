import { describe, expect, test } from 'vitest';

import { type EndpointSlice, type Pod, type Service, keyOf, resources } from '#pkg/api';
import { fnv128a } from '#pkg/base';
import { Metrics } from '#pkg/metrics';
import { at, pod } from '#pkg/testing';

import {
  Efficiency,
  type Endpoint,
  type EndpointPort,
  EndpointSet,
  SliceTracker,
  TriggerTimes,
  addressTypesOf,
  canBeEndpoint,
  findPort,
  hasEndpoints,
  hasHostnameIn,
  inUpstreamOrder,
  onPod,
  onSlice,
  parseIp,
  podAddresses,
  podsOf,
  portsKey,
  sameEndpoint,
  slicePrefix,
} from './index.ts';
import { serviceOf, sliceOf, storeOf } from './endpoints.fixture.ts';

test.each([
  ['10.0.0.1', 'IPv4', '10.0.0.1'],
  ['010.000.0.001', 'IPv4', '10.0.0.1'],
  ['2001:DB8:0:0:0::1', 'IPv6', '2001:db8::1'],
  ['fd00:0:0:1:0:0:0:1', 'IPv6', 'fd00:0:0:1::1'],
  ['::ffff:10.1.2.3', 'IPv4', '10.1.2.3'],
  ['::1.2.3.4', 'IPv6', '::102:304'],
  ['256.0.0.1', undefined, undefined],
  ['10.0.0', undefined, undefined],
  ['fe80::1%eth0', undefined, undefined],
  ['', undefined, undefined],
] as const)('the address %s', (text, family, canonical) =>
  expect(parseIp(text)).toEqual(family && { family, text: canonical }),
);

test.each<[string, Partial<NonNullable<Service['spec']>>, string[]]>([
  ['one family', { clusterIP: '10.0.0.1', ipFamilies: ['IPv4'] }, ['IPv4']],
  ['two families, in their order', { clusterIP: 'fd::1', ipFamilies: ['IPv6', 'IPv4'] }, ['IPv6', 'IPv4']],
  ['none: the family of the address', { clusterIP: 'fd::1', ipFamilies: undefined }, ['IPv6']],
  ['none, headless: both', { clusterIP: 'None', ipFamilies: undefined }, ['IPv4', 'IPv6']],
  ['none, no address yet: both', { clusterIP: undefined, ipFamilies: [] }, ['IPv4', 'IPv6']],
])('address types of a Service with %s', (_title, spec, types) =>
  expect(addressTypesOf(serviceOf('web', spec))).toEqual(types),
);

describe('a Pod as an endpoint', () => {
  const running = (status: Pod['status'], metadata: Partial<Pod['metadata']> = {}): Pod => {
    const base = pod('a', undefined, status);
    return { ...base, metadata: { ...base.metadata, ...metadata } };
  };

  test.each<[string, Pod, boolean, boolean]>([
    ['with an address', running({ phase: 'Running', podIP: '10.0.0.1' }), true, true],
    ['with addresses alone', running({ phase: 'Pending', podIPs: [{ ip: '10.0.0.1' }] }), true, true],
    ['without address', running({ phase: 'Running' }), false, false],
    ['being deleted', running({ phase: 'Running', podIP: '10.0.0.1' }, { deletionTimestamp: at(1) }), true, false],
    ['ended', running({ phase: 'Failed', podIP: '10.0.0.1' }), false, false],
  ])('%s', (_title, candidate, withTerminating, without) => {
    expect([canBeEndpoint(candidate, true), canBeEndpoint(candidate, false)]).toEqual([withTerminating, without]);
  });

  test('has its addresses by type, in canonical form', () => {
    const dual = running({ podIPs: [{ ip: '10.0.0.01' }, { ip: 'FD00::1' }, { ip: 'nonsense' }] });
    expect([podAddresses(dual, 'IPv4'), podAddresses(dual, 'IPv6')]).toEqual([['10.0.0.1'], ['fd00::1']]);
  });

  test('has a name in the Service that it names', () => {
    const base = running({});
    const named = { ...base, spec: { ...base.spec!, hostname: 'db-0', subdomain: 'web' } };
    expect(hasHostnameIn(named, serviceOf('web'))).toBe(true);
    expect(hasHostnameIn(named, serviceOf('other'))).toBe(false);
    expect(hasHostnameIn({ ...named, spec: { ...named.spec, hostname: '' } }, serviceOf('web'))).toBe(false);
  });
});

test('a port is found by number, or by name and protocol, side-cars included', () => {
  const base = pod('a');
  const container = (name: string, ports: readonly object[], rest: object = {}) => ({
    name,
    image: 'i',
    ports,
    ...rest,
  });
  const target = {
    ...base,
    spec: {
      ...base.spec!,
      containers: [
        container('app', [
          { name: 'http', containerPort: 8080, protocol: 'TCP' },
          { name: 'dns', containerPort: 53, protocol: 'UDP' },
        ]),
      ],
      initContainers: [
        container('setup', [{ name: 'setup', containerPort: 1, protocol: 'TCP' }]),
        container('proxy', [{ name: 'admin', containerPort: 15000, protocol: 'TCP' }], { restartPolicy: 'Always' }),
      ],
    },
  } as unknown as Pod;
  const find = (targetPort: string | number, protocol = 'TCP') => findPort(target, { port: 80, targetPort, protocol });
  expect([
    find(9090),
    find('http'),
    find('dns', 'UDP'),
    find('dns'),
    find('admin'),
    find('setup'),
    find('none'),
  ]).toEqual([9090, 8080, 53, undefined, 15000, undefined, undefined]);
});

describe('sets of ports', () => {
  const http: EndpointPort = { name: 'http', port: 80, protocol: 'TCP' };
  const https: EndpointPort = { name: '', port: 443, protocol: 'UDP', appProtocol: 'k8s.io/h2c' };

  test('are the same in any order, and empty as missing', () => {
    expect(portsKey([http, https])).toBe(portsKey([https, http]));
    expect(portsKey([http])).not.toBe(portsKey([{ ...http, appProtocol: 'h2c' }]));
    expect(portsKey([])).toBe(portsKey(undefined));
  });

  test('are hashed as Go prints them', () => {
    expect(
      fnv128a(
        '(v1.EndpointPort){Name:(*string)http Protocol:(*v1.Protocol)TCP Port:(*int32)80 AppProtocol:(*string)<nil>}',
      ).toString(16),
    ).toBe('b6c4d325122a5ba6f795b0bbffcebb6f');
    expect(inUpstreamOrder([https, http])).toEqual([http, https]);
    expect(inUpstreamOrder([http, https])).toEqual([http, https]);
  });
});

describe('sets of endpoints', () => {
  const endpoint = (address: string, rest: Partial<Endpoint> = {}): Endpoint => ({ addresses: [address], ...rest });

  test('know one by addresses, host name and object', () => {
    const set = new EndpointSet();
    set.add(endpoint('10.0.0.1', { nodeName: 'a' }));
    set.add(endpoint('10.0.0.1', { nodeName: 'b' }));
    set.add(endpoint('10.0.0.1', { hostname: 'x' }));
    set.add(endpoint('10.0.0.1', { targetRef: { namespace: 'default', name: 'p' } }));
    set.add({ addresses: ['b', 'a'] });
    expect(set.size).toBe(4);
    expect(set.get(endpoint('10.0.0.1'))?.nodeName).toBe('b');
    expect(set.take({ addresses: ['a', 'b'] })).toBeDefined();
    expect(set.takeSome(2)).toHaveLength(2);
    expect(set.takeSome(2)).toHaveLength(1);
    expect(set.size).toBe(0);
  });

  test.each<[string, Partial<Endpoint>, Partial<Endpoint>, boolean]>([
    ['nothing', {}, {}, true],
    ['the node', { nodeName: 'a' }, { nodeName: 'b' }, false],
    ['the zone', { zone: 'a' }, {}, false],
    ['a condition', { conditions: { ready: true } }, { conditions: { ready: false } }, false],
    ['the uid of the object', { targetRef: { uid: '1' } }, { targetRef: { uid: '2' } }, false],
    ['the version of the object', { targetRef: { uid: '1', resourceVersion: '1' } }, { targetRef: { uid: '1' } }, true],
    ['hints', { hints: { forZones: [{ name: 'a' }] } }, {}, true],
  ])('that differ in %s', (_title, a, b, same) => expect(sameEndpoint(endpoint('x', a), endpoint('x', b))).toBe(same));
});

test('the time of the last change is that of the earliest news since the last look', () => {
  const times = new TriggerTimes();
  const ready = (name: string, since: number): Pod =>
    pod(name, undefined, { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(since) }] });
  const service = serviceOf('web');
  expect(times.look(service, [ready('a', 10)])).toBe(at(0));
  expect(times.look(service, [ready('a', 10)])).toBeUndefined();
  expect(times.look(service, [ready('a', 30), ready('b', 20)])).toBe(at(20));
  expect(times.look(service, [ready('a', 5)])).toBeUndefined();
  const again = { ...service, metadata: { ...service.metadata, creationTimestamp: at(40) } };
  expect(times.look(again, [])).toBe(at(40));
  times.forget(keyOf(service));
  expect(times.look(service, [ready('a', 50)])).toBe(at(0));
});

describe('the tracker of slices', () => {
  const slice = sliceOf('web-1', { generation: 2 });

  test('knows its own writes from those of others', () => {
    const tracker = new SliceTracker();
    expect([tracker.has(slice), tracker.isForeign(slice)]).toEqual([false, true]);
    tracker.written(slice);
    expect([tracker.has(slice), tracker.isForeign(slice)]).toEqual([true, false]);
    expect(tracker.isForeign(sliceOf('web-1', { generation: 3 }))).toBe(true);
  });

  test.each<[string, ReturnType<typeof sliceOf>[], boolean]>([
    ['older', [sliceOf('web-1', { generation: 1 })], true],
    ['as written', [slice], false],
    ['newer', [sliceOf('web-1', { generation: 3 })], false],
    ['missing', [], true],
  ])('finds a cache stale by what it shows: %s', (_title, shown, stale) => {
    const tracker = new SliceTracker();
    expect(tracker.isStale('default/web', shown)).toBe(false);
    tracker.written(slice);
    expect(tracker.isStale('default/web', shown)).toBe(stale);
    expect(tracker.caughtUp('default/web', () => [slice])).toBe(stale);
    expect(tracker.caughtUp('default/web', () => [slice])).toBe(false);
    tracker.forget('default/web');
    expect(tracker.isStale('default/web', shown)).toBe(false);
  });

  test('with the informer, knows a slice for gone that the cache never shows', () => {
    let read = 0;
    const tracker = new SliceTracker({ hasReached: (version) => read >= Number(version) });
    tracker.written(sliceOf('web-1', { generation: 1, resourceVersion: '7' }));
    expect(tracker.isStale('default/web', [])).toBe(true);
    expect(tracker.isStale('default/web', [sliceOf('web-1', { generation: 1, resourceVersion: '6' })])).toBe(true);
    read = 7;
    expect(tracker.caughtUp('default/web', () => [])).toBe(true);
    expect(tracker.has(slice)).toBe(false);
  });

  test('awaits deletions, and tells those of others', () => {
    const tracker = new SliceTracker();
    tracker.written(slice);
    expect(tracker.expectsDeletion(slice)).toBe(false);
    tracker.expectDeletion(slice);
    expect(tracker.expectsDeletion(slice)).toBe(true);
    expect(tracker.isStale('default/web', [slice])).toBe(true);
    expect(tracker.deletionSeen(slice)).toBe(true);
    expect(tracker.isStale('default/web', [])).toBe(false);
    tracker.written(slice);
    expect(tracker.deletionSeen(slice)).toBe(false);
    expect(tracker.isStale('default/web', [])).toBe(false);
    expect(tracker.deletionSeen(slice)).toBe(false);
  });
});

test('Pods of a Service and Services of a Pod are found by labels', () => {
  const labelled = (name: string, labels: Record<string, string>): Pod => {
    const base = pod(name);
    return { ...base, metadata: { ...base.metadata, labels } };
  };
  const pods = [labelled('a', { app: 'web', tier: 'front' }), labelled('b', { app: 'web' }), labelled('c', {})];
  const services = [
    serviceOf('web', { selector: { app: 'web' } }),
    serviceOf('front', { selector: { app: 'web', tier: 'front' } }),
    serviceOf('other', { selector: { app: 'other' } }),
    serviceOf('manual', { selector: undefined }),
  ];
  const store = storeOf(pods, services);
  const members = services.map((service) => podsOf(store.pods, service).map(({ metadata }) => metadata.name));
  expect(members).toEqual([['a', 'b'], ['a'], [], []]);
  expect(services.map(hasEndpoints)).toEqual([true, true, true, false]);
  expect(hasEndpoints(serviceOf('alias', { type: 'ExternalName', selector: { app: 'web' } }))).toBe(false);

  const { handlers, resource } = onPod(store.services, 0);
  const unready: Pod['status'] = { conditions: [{ type: 'Ready', status: 'False' }] };
  const [a, b, c] = pods as [Pod, Pod, Pod];
  const texts = (keys: readonly unknown[] = []) => keys.map(String).toSorted();
  const update = (old: Pod, current: Pod) => texts(handlers.update!(old, current));
  expect(resource).toBe(resources.pods);
  expect(texts(handlers.add!(a))).toEqual(['default/front', 'default/web']);
  expect(handlers.delete!(b)).toEqual(['default/web']);
  expect(handlers.add!(c)).toEqual([]);
  expect(update(a, a)).toEqual([]);
  expect(update(a, { ...a, status: unready })).toEqual(['default/front', 'default/web']);
  expect(update(a, { ...b, metadata: { ...b.metadata, name: 'a' } })).toEqual(['default/front']);
  expect(update({ ...a, status: unready }, { ...c, metadata: { ...c.metadata, name: 'a' } })).toEqual([
    'default/front',
    'default/web',
  ]);
  expect(onPod(store.services, 500).handlers.delete!(b)).toEqual([{ key: 'default/web', after: 500 }]);
});

describe('a change of a slice', () => {
  const manager = 'endpointslice-controller.k8s.io';
  const ours = sliceOf('web-1', { generation: 2 });
  const taken = sliceOf('web-1', {
    generation: 3,
    labels: { ...ours.metadata.labels, 'endpointslice.kubernetes.io/managed-by': 'other' },
  });
  const moved = sliceOf('web-1', {
    generation: 3,
    labels: { ...ours.metadata.labels, 'kubernetes.io/service-name': 'api' },
  });
  const going = sliceOf('web-1', { generation: 3, deletionTimestamp: at(1), finalizers: ['a/b'] });
  const later = (name: string) => ({ key: `default/${name}`, after: 1000 });

  function setting(shown: EndpointSlice[] = [], onlyNews = false) {
    const tracker = new SliceTracker();
    tracker.written(ours);
    const { handlers } = onSlice({ manager, tracker, slices: { byIndex: () => shown }, delay: 1000, onlyNews });
    return {
      tracker,
      add: (slice: EndpointSlice, initial?: boolean) => handlers.add!(slice, initial),
      update: (old: EndpointSlice, current: EndpointSlice) => handlers.update!(old, current),
      remove: (slice: EndpointSlice) => handlers.delete!(slice),
    };
  }

  test('of our own making is no news', () => {
    expect(setting().add(ours)).toEqual([]);
    expect(setting().update(sliceOf('web-1', { generation: 1 }), ours)).toEqual([]);
    const { tracker, remove } = setting();
    tracker.expectDeletion(ours);
    expect(remove(ours)).toEqual([]);
  });

  test("of somebody else is, and none is of a slice that is nobody's or another's", () => {
    expect(setting().update(ours, sliceOf('web-1', { generation: 3 }))).toEqual([later('web')]);
    expect(setting().add(sliceOf('web-2'))).toEqual([later('web')]);
    expect(setting().remove(ours)).toEqual([later('web')]);
    expect(setting().remove(sliceOf('web-2'))).toEqual([later('web')]);
    expect(setting().remove(taken)).toEqual([]);
    expect(setting().add(sliceOf('web-2', { labels: { 'endpointslice.kubernetes.io/managed-by': manager } }))).toEqual(
      [],
    );
  });

  test('that was there at the start is news only for those who ask', () => {
    expect(setting([], true).add(sliceOf('web-2'), true)).toEqual([]);
    expect(setting([], true).add(sliceOf('web-2'), false)).toEqual([later('web')]);
    expect(setting().add(sliceOf('web-2'), true)).toEqual([later('web')]);
  });

  test.each<[string, EndpointSlice, unknown[]]>([
    ['another controller', taken, [later('web')]],
    ['another Service', moved, [later('web'), later('api')]],
    ['its end, which a finalizer holds up', going, [later('web')]],
  ])('that hands it to %s frees its Service of it', (_title, current, keys) => {
    const { tracker, update } = setting();
    expect(update(ours, current)).toEqual(keys);
    expect(tracker.isStale('default/web', [])).toBe(false);
  });

  test('that the Service had to wait for wakes it at once', () => {
    const shown: EndpointSlice[] = [];
    const { tracker, add } = setting(shown);
    expect(tracker.isStale('default/web', [])).toBe(true);
    shown.push(ours);
    expect(add(ours)).toEqual(['default/web']);
    expect(add(ours)).toEqual([]);
  });
});

test('sums of endpoints and slices follow each look', async () => {
  const metrics = new Metrics();
  const efficiency = new Efficiency({ metrics, subsystem: 'x', endpointsPerSlice: 100, placeholder: true });
  const shown = async () =>
    Object.fromEntries(
      (await metrics.expose())
        .split('\n')
        .filter((line) => line.startsWith('x_'))
        .map((line) => line.split(' ')),
    );
  efficiency.set('a', [
    { endpoints: 150, slices: 3 },
    { endpoints: 10, slices: 1 },
  ]);
  efficiency.set('b', []);
  expect(await shown()).toEqual({
    x_endpoints_desired: '160',
    x_num_endpoint_slices: '4',
    x_desired_endpoint_slices: '4',
  });
  efficiency.set('a', [{ endpoints: 10, slices: 1 }]);
  efficiency.forget('b');
  efficiency.forget('b');
  expect(await shown()).toEqual({
    x_endpoints_desired: '10',
    x_num_endpoint_slices: '1',
    x_desired_endpoint_slices: '1',
  });
});

test('the prefix of slice names keeps its dash where there is room', () => {
  expect([slicePrefix('web'), slicePrefix('a'.repeat(253))]).toEqual(['web-', 'a'.repeat(253)]);
});
