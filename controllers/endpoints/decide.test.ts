import { describe, expect, test } from 'vitest';

import type { Endpoints, Pod, Service } from '#pkg/api';
import { at } from '#pkg/testing';

import { serviceOf } from '../internal/endpoints/endpoints.fixture.ts';
import type { EndpointAddress, Subset } from '../internal/endpoints/index.ts';
import { decide } from './decide.ts';
import { desiredSubsets } from './desired.ts';
import { endpointsOf, podOf } from './endpoints.fixture.ts';
import { CAPACITY, truncate } from './truncate.ts';

type ServiceSpec = Partial<NonNullable<Service['spec']>>;

const address = (pod: string, ip = '10.0.0.1', rest: Partial<EndpointAddress> = {}): EndpointAddress => ({
  ip,
  nodeName: 'node-1',
  targetRef: { kind: 'Pod', namespace: 'default', name: pod, uid: `uid-${pod}` },
  ...rest,
});
const http = { name: 'http', port: 8080, protocol: 'TCP' };
const byName: ServiceSpec = {
  ports: [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP', appProtocol: 'h2c' }],
};
const headless: ServiceSpec = { clusterIP: 'None' };
const ended: Partial<Pod['metadata']> = { deletionTimestamp: at(5) };

describe('what Endpoints say', () => {
  test.each<[string, ServiceSpec, Pod[], Subset[]]>([
    ['no Pods', {}, [], []],
    ['ready ones', {}, [podOf('a')], [{ addresses: [address('a')], ports: [http] }]],
    ['those not ready', {}, [podOf('a', { ready: false })], [{ notReadyAddresses: [address('a')], ports: [http] }]],
    [
      'both',
      {},
      [podOf('a', { ready: false }), podOf('b', { ips: ['10.0.0.2'] })],
      [{ addresses: [address('b', '10.0.0.2')], notReadyAddresses: [address('a')], ports: [http] }],
    ],
    [
      'those not ready, to be published',
      { publishNotReadyAddresses: true },
      [podOf('a', { ready: false })],
      [{ addresses: [address('a')], ports: [http] }],
    ],
    ['those being deleted', {}, [podOf('a', { metadata: ended })], []],
    [
      'those being deleted, to be published',
      { publishNotReadyAddresses: true },
      [podOf('a', { metadata: ended })],
      [{ addresses: [address('a')], ports: [http] }],
    ],
    [
      'those that have ended',
      { publishNotReadyAddresses: true },
      [podOf('a', { phase: 'Succeeded' }), podOf('b', { phase: 'Failed' })],
      [],
    ],
    ['those without address', {}, [podOf('a', { ips: [] })], []],
    [
      'those without node',
      {},
      [podOf('a', { spec: { nodeName: '' } })],
      [{ addresses: [{ ip: '10.0.0.1', targetRef: address('a').targetRef! }], ports: [http] }],
    ],
    [
      'ports by name, wherever they are',
      byName,
      [
        podOf('a', { ports: { web: 8080 } }),
        podOf('b', { ips: ['10.0.0.2'], ports: { web: 9090 } }),
        podOf('c', { ports: { other: 1 } }),
      ],
      [
        { addresses: [address('b', '10.0.0.2')], ports: [{ ...http, port: 9090, appProtocol: 'h2c' }] },
        { addresses: [address('a')], ports: [{ ...http, appProtocol: 'h2c' }] },
      ],
    ],
    [
      'ports without name',
      { ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }] },
      [podOf('a')],
      [{ addresses: [address('a')], ports: [{ port: 8080, protocol: 'TCP' }] }],
    ],
    ['no ports, with an address', { ports: undefined }, [podOf('a')], []],
    ['no ports, headless', { ...headless, ports: undefined }, [podOf('a')], [{ addresses: [address('a')] }]],
    [
      'a name in DNS',
      headless,
      [podOf('a', { spec: { nodeName: 'node-1', hostname: 'db-0', subdomain: 'web' } })],
      [{ addresses: [address('a', '10.0.0.1', { hostname: 'db-0' })], ports: [http] }],
    ],
    [
      'a name in another Service',
      headless,
      [podOf('a', { spec: { nodeName: 'node-1', hostname: 'db-0', subdomain: 'db' } })],
      [{ addresses: [address('a')], ports: [http] }],
    ],
    [
      'two Pods of one address',
      {},
      [podOf('b'), podOf('a')],
      [{ addresses: [address('a'), address('b')], ports: [http] }],
    ],
  ])('%s', (_title, spec, pods, subsets) => expect(desiredSubsets(serviceOf('web', spec), pods)).toEqual(subsets));

  const dual = podOf('a', { ips: ['10.0.0.1', 'FD00:0::1'] });
  test.each<[string, ServiceSpec, Pod, string | undefined]>([
    ['the first family', { ipFamilies: ['IPv6', 'IPv4'] }, dual, 'fd00::1'],
    ['a family that the Pod has not', { ipFamilies: ['IPv6'] }, podOf('a'), undefined],
    ['no family, an address', { ipFamilies: undefined, clusterIP: 'fd00::a' }, dual, 'fd00::1'],
    [
      "no family, headless: the Pod's own",
      { ipFamilies: undefined, clusterIP: 'None' },
      podOf('a', { ips: ['fd00::2', '10.0.0.2'] }),
      'fd00::2',
    ],
    ['leading zeros', {}, podOf('a', { ips: ['010.00.0.01'] }), '10.0.0.1'],
  ])('the address of %s', (_title, spec, pod, ip) => {
    expect(
      desiredSubsets(serviceOf('web', spec), [pod]).flatMap(({ addresses = [] }) => addresses.map((one) => one.ip)),
    ).toEqual(ip === undefined ? [] : [ip]);
  });
});

describe('what is written', () => {
  const said: Endpoints['subsets'] = [{ addresses: [address('a')], ports: [http] }];
  const labels = { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' };
  const settled = endpointsOf('web', { metadata: { labels }, subsets: said });
  const service = serviceOf('web');
  const look = (current: Endpoints | undefined, of: Partial<Parameters<typeof decide>[0]> = {}) =>
    decide({ service, pods: [podOf('a')], current, triggerTime: undefined, ...of });

  test('Endpoints that are not there, with what the Service has of labels', () => {
    const labelled = serviceOf('web', headless, { labels: { team: 'a', 'endpoints.kubernetes.io/managed-by': 'me' } });
    expect(look(undefined, { service: labelled, triggerTime: at(3) })).toEqual({
      verb: 'create',
      endpoints: {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: {
          name: 'web',
          namespace: 'default',
          labels: { team: 'a', ...labels, 'service.kubernetes.io/headless': '' },
          annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': at(3) },
        },
        subsets: said,
      },
    });
    expect(look(undefined, { pods: [] })?.endpoints).toEqual({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name: 'web', namespace: 'default', labels },
    });
  });

  const versioned = said.map((subset) => ({
    ...subset,
    addresses: [address('a', '10.0.0.1', { targetRef: { ...address('a').targetRef, resourceVersion: '5' } })],
  }));
  const swapped = [
    {
      addresses: [address('a')],
      ports: [
        { name: 'b', port: 2, protocol: 'TCP' },
        { name: 'a', port: 1, protocol: 'TCP' },
      ],
    },
  ];
  const two: ServiceSpec = {
    ports: [
      { name: 'a', port: 1, targetPort: 1, protocol: 'TCP' },
      { name: 'b', port: 2, targetPort: 2, protocol: 'TCP' },
    ],
  };
  test.each<[string, Endpoints, Partial<Parameters<typeof decide>[0]>]>([
    ['all is as it should be', settled, {}],
    ['a time alone is new', settled, { triggerTime: at(3) }],
    ['the headless label alone is missing', settled, { service: serviceOf('web', headless) }],
    ['versions of Pods are named', { ...settled, subsets: versioned }, {}],
    ['the order is another', { ...settled, subsets: swapped }, { service: serviceOf('web', two) }],
    [
      'the order is another',
      { ...settled, subsets: swapped.map((one) => ({ ...one, ports: one.ports.toReversed() })) },
      { service: serviceOf('web', two) },
    ],
    ['others have annotated them', { ...settled, metadata: { ...settled.metadata, annotations: { note: 'x' } } }, {}],
  ])('nothing where %s', (_title, current, of) => expect(look(current, of)).toBeUndefined());

  const noted = {
    ...settled,
    metadata: {
      ...settled.metadata,
      finalizers: ['x/y'],
      annotations: { note: 'x', 'endpoints.kubernetes.io/last-change-trigger-time': at(1) },
    },
  };
  test.each<[string, Endpoints, Partial<Parameters<typeof decide>[0]>, Partial<Endpoints>]>([
    [
      'other Pods',
      noted,
      { pods: [], triggerTime: at(3) },
      {
        metadata: {
          ...noted.metadata,
          annotations: { note: 'x', 'endpoints.kubernetes.io/last-change-trigger-time': at(3) },
        },
      },
    ],
    [
      'other labels of the Service',
      settled,
      { service: serviceOf('web', {}, { labels: { team: 'b' } }) },
      { metadata: { ...settled.metadata, labels: { team: 'b', ...labels } }, subsets: said },
    ],
    [
      'a label that is missing',
      { ...settled, metadata: { ...settled.metadata, labels: {} } },
      {},
      { metadata: { ...settled.metadata, labels }, subsets: said },
    ],
    [
      'a label too many',
      { ...settled, metadata: { ...settled.metadata, labels: { ...labels, old: 'x' } } },
      {},
      { metadata: settled.metadata, subsets: said },
    ],
    [
      'more than they say they have room for',
      {
        ...settled,
        metadata: { ...settled.metadata, annotations: { 'endpoints.kubernetes.io/over-capacity': 'truncated' } },
      },
      {},
      { metadata: settled.metadata, subsets: said },
    ],
    ['a time that is over', noted, { pods: [] }, { metadata: { ...noted.metadata, annotations: { note: 'x' } } }],
  ])('all of it anew for %s', (_title, current, of, endpoints) => {
    expect(look(current, of)).toEqual({
      verb: 'update',
      endpoints: { apiVersion: 'v1', kind: 'Endpoints', ...endpoints },
    });
  });

  test('no more than there is room for, once', () => {
    const pods = Array.from({ length: CAPACITY + 1 }, (_, i) => podOf(`p${i}`, { ips: [`10.0.${i >> 8}.${i & 255}`] }));
    const first = look(undefined, { pods });
    expect(first?.endpoints.metadata.annotations).toEqual({ 'endpoints.kubernetes.io/over-capacity': 'truncated' });
    expect(first?.endpoints.subsets?.map((subset) => subset.addresses?.length)).toEqual([CAPACITY]);
    const { metadata, subsets } = first!.endpoints;
    expect(
      look(
        endpointsOf('web', {
          metadata: { labels: metadata.labels!, annotations: metadata.annotations! },
          subsets: subsets!,
        }),
        { pods },
      ),
    ).toBeUndefined();
  });
});

describe('truncation', () => {
  const some = (count: number): EndpointAddress[] =>
    Array.from({ length: count }, (_, i) => ({ ip: `10.0.${i >> 8}.${i & 255}` }));
  const subset = (ready: number, notReady = 0): Subset => ({
    ...(ready ? { addresses: some(ready) } : {}),
    ...(notReady ? { notReadyAddresses: some(notReady) } : {}),
  });

  test.each<[string, Subset[], [number, number][] | undefined]>([
    ['as many as there is room for', [subset(600, 100), subset(200, 100)], undefined],
    ['too many ready', [subset(1001)], [[1000, 0]]],
    ['too many that are not', [subset(0, 1200)], [[0, 1000]]],
    ['ready ones first', [subset(500, 600)], [[500, 500]]],
    ['ready ones take all', [subset(1200, 300)], [[1000, 0]]],
    [
      'each its share',
      [subset(1000), subset(500), subset(500)],
      [
        [500, 0],
        [250, 0],
        [250, 0],
      ],
    ],
    [
      'shares rounded up, the last gets the rest',
      [subset(401), subset(401), subset(401)],
      [
        [334, 0],
        [334, 0],
        [332, 0],
      ],
    ],
    [
      'shares of those not ready',
      [subset(400, 400), subset(0, 800)],
      [
        [400, 200],
        [0, 400],
      ],
    ],
    ['nothing left of a subset', [subset(1000), subset(0, 5)], [[1000, 0]]],
    ['nothing left of one that is not ready', [subset(1500, 1), subset(0, 5)], [[1000, 0]]],
  ])('%s', (_title, subsets, left) => {
    expect(
      truncate(subsets)?.map(({ addresses = [], notReadyAddresses = [] }) => [
        addresses.length,
        notReadyAddresses.length,
      ]),
    ).toEqual(left);
  });
});
