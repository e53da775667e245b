import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { EndpointSlice, Endpoints, ObjectMeta } from '#pkg/api';
import { deepFreeze } from '#pkg/base';
import { at } from '#pkg/testing';

import type { Endpoint, EndpointPort, Subset } from '../internal/endpoints/index.ts';
import { type Decision, decide } from './decide.ts';

const MANAGED = {
  'kubernetes.io/service-name': 'web',
  'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
};
const OWNER = {
  apiVersion: 'v1',
  kind: 'Endpoints',
  name: 'web',
  uid: 'uid-web',
  controller: true,
  blockOwnerDeletion: true,
};
const http = { name: 'http', port: 80, protocol: 'TCP' };
const dns = { name: 'dns', port: 53, protocol: 'UDP' };
const meta = (name: string, uid: string): ObjectMeta => ({
  name,
  namespace: 'default',
  uid,
  resourceVersion: '5',
  creationTimestamp: at(0),
});

function endpointsOf(subsets: readonly Subset[], metadata: Partial<ObjectMeta> = {}): Endpoints {
  return deepFreeze({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...meta('web', 'uid-web'), ...metadata },
    subsets,
  });
}

function sliceOf(
  name: string,
  type: string,
  ports: readonly EndpointPort[],
  endpoints: readonly Endpoint[],
  metadata: Partial<ObjectMeta> = {},
): EndpointSlice {
  return deepFreeze({
    metadata: { ...meta(name, `uid-${name}`), labels: MANAGED, ownerReferences: [OWNER], ...metadata },
    addressType: type,
    ports,
    endpoints,
  });
}

const ready = (ip: string, rest: Partial<Endpoint> = {}): Endpoint => ({
  addresses: [ip],
  conditions: { ready: true },
  ...rest,
});
const waiting = (ip: string): Endpoint => ({ addresses: [ip], conditions: { ready: false } });
const addresses = (...ips: string[]): { ip: string }[] => ips.map((ip) => ({ ip }));
const look = (subsets: readonly Subset[], existing: readonly EndpointSlice[] = [], limit = 1000): Decision =>
  decide({ endpoints: endpointsOf(subsets), existing, limit });

/** `create IPv4 http:10.0.0.1`, in short. */
function told({ changes: { create, update, remove } }: Decision): string[] {
  const text = ({
    addressType,
    ports = [],
    endpoints = [],
  }: Pick<EndpointSlice, 'addressType' | 'ports' | 'endpoints'>): string =>
    `${addressType} ${ports.map((port) => port.name).join('+')}:${endpoints.map((one) => `${one.addresses[0]}${one.conditions?.ready ? '' : '!'}`).join()}`;
  return [
    ...create.map((slice) => `create ${text(slice)}`),
    ...update.map((slice) => `update ${slice.metadata.name} ${text(slice)}`),
    ...remove.map((slice) => `remove ${slice.metadata.name}`),
  ];
}

describe('slices of Endpoints', () => {
  test.each<[string, Subset[], EndpointSlice[], string[]]>([
    ['nothing', [], [], []],
    [
      'a subset',
      [{ addresses: addresses('10.0.0.2', '10.0.0.1'), notReadyAddresses: addresses('10.0.0.3'), ports: [http] }],
      [],
      ['create IPv4 http:10.0.0.1,10.0.0.2,10.0.0.3!'],
    ],
    ['a subset without ports', [{ addresses: addresses('10.0.0.1') }], [], ['create IPv4 :10.0.0.1']],
    [
      'both types of addresses',
      [{ addresses: addresses('10.0.0.1', 'FD00:0::1'), ports: [http] }],
      [],
      ['create IPv4 http:10.0.0.1', 'create IPv6 http:fd00::1'],
    ],
    [
      'addresses that are none',
      [{ addresses: addresses('10.0.0', '010.0.0.1'), ports: [http] }],
      [],
      ['create IPv4 http:10.0.0.1'],
    ],
    [
      'subsets of other ports',
      [
        { addresses: addresses('10.0.0.1'), ports: [http] },
        { addresses: addresses('10.0.0.2'), ports: [dns] },
      ],
      [],
      ['create IPv4 http:10.0.0.1', 'create IPv4 dns:10.0.0.2'],
    ],
    [
      'subsets of the same ports',
      [
        { addresses: addresses('10.0.0.1'), ports: [http] },
        { addresses: addresses('10.0.0.2'), ports: [http] },
      ],
      [],
      ['create IPv4 http:10.0.0.1,10.0.0.2'],
    ],
    [
      'what is there',
      [{ addresses: addresses('10.0.0.1'), ports: [http] }],
      [sliceOf('a', 'IPv4', [http], [ready('10.0.0.1')])],
      [],
    ],
    [
      'another address',
      [{ addresses: addresses('10.0.0.2'), ports: [http] }],
      [sliceOf('a', 'IPv4', [http], [ready('10.0.0.1')])],
      ['update a IPv4 http:10.0.0.2'],
    ],
    [
      'an address that is ready no more',
      [{ notReadyAddresses: addresses('10.0.0.1'), ports: [http] }],
      [sliceOf('a', 'IPv4', [http], [ready('10.0.0.1')])],
      ['update a IPv4 http:10.0.0.1!'],
    ],
    [
      'no address any more',
      [{ addresses: addresses('fd00::1'), ports: [http] }],
      [sliceOf('a', 'IPv4', [http], [ready('10.0.0.1')])],
      ['create IPv6 http:fd00::1', 'remove a'],
    ],
    [
      'other ports: a slice is used again',
      [{ addresses: addresses('10.0.0.1'), ports: [dns] }],
      [sliceOf('a', 'IPv4', [http], [ready('10.0.0.1')])],
      ['update a IPv4 dns:10.0.0.1'],
    ],
    [
      'a slice of the other type is not',
      [{ addresses: addresses('10.0.0.1'), ports: [dns] }],
      [sliceOf('a', 'IPv6', [http], [ready('fd00::1')])],
      ['create IPv4 dns:10.0.0.1', 'remove a'],
    ],
    [
      'one slice too many: the right one stays',
      [{ addresses: addresses('10.0.0.1'), ports: [http] }],
      [sliceOf('a', 'IPv4', [http], [ready('10.0.0.2')]), sliceOf('b', 'IPv4', [http], [ready('10.0.0.1')])],
      ['remove a'],
    ],
    [
      'one too many is used for another',
      [
        { addresses: addresses('10.0.0.1'), ports: [http] },
        { addresses: addresses('10.0.0.2'), ports: [dns] },
      ],
      [sliceOf('a', 'IPv4', [http], [ready('10.0.0.2')]), sliceOf('b', 'IPv4', [http], [ready('10.0.0.1')])],
      ['update a IPv4 dns:10.0.0.2'],
    ],
    ['no subsets', [], [sliceOf('a', 'IPv4', [http], [ready('10.0.0.1')])], ['remove a']],
  ])('%s', (_title, subsets, existing, changes) => expect(told(look(subsets, existing))).toEqual(changes));

  test.each<[string, Subset[], number, number[], number, string[]]>([
    ['too many', [{ addresses: addresses('10.0.0.1', '10.0.0.2', '10.0.0.3'), ports: [http] }], 2, [2], 1, []],
    [
      'ready ones first',
      [{ notReadyAddresses: addresses('10.0.0.1', '10.0.0.2'), addresses: addresses('10.0.0.3'), ports: [http] }],
      2,
      [2],
      1,
      [],
    ],
    [
      'both types count together',
      [{ addresses: addresses('10.0.0.1', '10.0.0.2', 'fd00::1'), ports: [http] }],
      2,
      [2],
      1,
      [],
    ],
    [
      'each subset for itself',
      [
        { addresses: addresses('10.0.0.1', '10.0.0.2'), ports: [http] },
        { addresses: addresses('10.0.0.1', '10.0.0.3'), ports: [dns] },
      ],
      1,
      [1, 1],
      2,
      [],
    ],
    [
      'those that are none take no room',
      [{ addresses: addresses('0', '10.0.0.1', '10.0.0.2'), ports: [http] }],
      2,
      [2],
      1,
      ['0'],
    ],
    [
      'those that are none after the last are not looked at',
      [{ addresses: addresses('10.0.0.1', 'x'), ports: [http] }],
      1,
      [1],
      1,
      [],
    ],
  ])('of a subset at most as many as there may be: %s', (_title, subsets, limit, sizes, skipped, invalid) => {
    const decision = look(subsets, [], limit);
    expect(decision.changes.create.map(({ endpoints = [] }) => endpoints.length)).toEqual(sizes);
    expect([decision.skipped, decision.invalid]).toEqual([skipped, invalid]);
  });

  test('without ports have no field for them, also those that had some', () => {
    const subsets: Subset[] = [{ addresses: addresses('10.0.0.1') }];
    expect(look(subsets).changes.create[0]).not.toHaveProperty('ports');
    const reused = look(subsets, [sliceOf('a', 'IPv4', [http], [ready('10.0.0.2')])]).changes.update[0];
    expect(reused).toMatchObject({ metadata: { name: 'a' }, endpoints: [ready('10.0.0.1')] });
    expect(reused).not.toHaveProperty('ports');
    const served = JSON.parse(JSON.stringify({ ...sliceOf('a', 'IPv4', [], [ready('10.0.0.1')]), ports: null }));
    expect(told(look(subsets, [served as EndpointSlice]))).toEqual([]);
  });

  test('say whose they are, and all that is known of an endpoint', () => {
    const targetRef = { kind: 'Pod', name: 'a', namespace: 'default', uid: 'x' };
    const annotations = {
      note: 'x',
      'endpoints.kubernetes.io/last-change-trigger-time': at(1),
      'kubectl.kubernetes.io/last-applied-configuration': '{}',
    };
    const subset = {
      addresses: [{ ip: '10.0.0.1', hostname: 'db-0', nodeName: 'n', targetRef }],
      ports: [{ port: 80, protocol: 'TCP', appProtocol: 'h2c' }],
    };
    const { changes } = decide({
      endpoints: endpointsOf([subset], { labels: { team: 'a' }, annotations }),
      existing: [],
      limit: 1000,
    });
    expect(changes.create).toEqual([
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {
          generateName: 'web-',
          namespace: 'default',
          labels: { team: 'a', ...MANAGED },
          annotations: { note: 'x' },
          ownerReferences: [OWNER],
        },
        addressType: 'IPv4',
        endpoints: [
          { addresses: ['10.0.0.1'], conditions: { ready: true }, hostname: 'db-0', nodeName: 'n', targetRef },
        ],
        ports: [{ name: '', port: 80, protocol: 'TCP', appProtocol: 'h2c' }],
      },
    ]);
  });

  const subsets: Subset[] = [{ addresses: addresses('10.0.0.1'), ports: [http] }];
  const slice = (metadata: Partial<ObjectMeta>): EndpointSlice =>
    sliceOf('a', 'IPv4', [http], [ready('10.0.0.1')], metadata);
  test.each<[string, Partial<ObjectMeta>, Partial<ObjectMeta>, boolean]>([
    ['as they are', {}, {}, false],
    [
      'with labels and annotations',
      { labels: { a: 'b' }, annotations: { c: 'd' } },
      { labels: { a: 'b', ...MANAGED }, annotations: { c: 'd' } },
      false,
    ],
    ['a label missing', { labels: { a: 'b' } }, {}, true],
    ['a label too many', {}, { labels: { a: 'b', ...MANAGED } }, true],
    ['an annotation missing', { annotations: { c: 'd' } }, {}, true],
    ['an annotation too many', {}, { annotations: { c: 'd' } }, true],
    [
      'a time, which is of the Endpoints',
      { annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': at(1) } },
      {},
      false,
    ],
    ['of former Endpoints', {}, { ownerReferences: [{ ...OWNER, uid: 'old' }] }, true],
    ['of other Endpoints', {}, { ownerReferences: [{ ...OWNER, name: 'old', uid: 'old' }] }, false],
    ['of nobody', {}, { ownerReferences: [] }, false],
  ])('are written where their metadata is not right: %s', (_title, of, have, written) => {
    const { changes, settled } = decide({ endpoints: endpointsOf(subsets, of), existing: [slice(have)], limit: 1000 });
    expect([changes.update.length, settled.length, changes.create.length, changes.remove.length]).toEqual([
      written ? 1 : 0,
      written ? 0 : 1,
      0,
      0,
    ]);
  });

  test('that change keep what others put into their metadata', () => {
    const { changes } = look([{ addresses: addresses('10.0.0.2'), ports: [http] }], [slice({ finalizers: ['a.b/c'] })]);
    expect(changes.update[0]!.metadata).toMatchObject({
      name: 'a',
      uid: 'uid-a',
      resourceVersion: '5',
      finalizers: ['a.b/c'],
    });
  });

  test('are counted', () => {
    const existing = [
      sliceOf('a', 'IPv4', [http], [ready('10.0.0.1'), waiting('10.0.0.2'), ready('10.0.0.3')]),
      sliceOf('b', 'IPv4', [http], []),
    ];
    const { added, updated, removed, groups } = look(
      [{ addresses: addresses('10.0.0.1', '10.0.0.2', '10.0.0.4', '10.0.0.5'), ports: [http] }],
      existing,
    );
    expect({ added, updated, removed, groups }).toEqual({
      added: 2,
      updated: 1,
      removed: 1,
      groups: [
        { endpoints: 4, slices: 1 },
        { endpoints: 0, slices: 0 },
      ],
    });
  });

  const ip = fc
    .constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3', 'fd00::1', 'fd00::2', 'nonsense')
    .map((one) => ({ ip: one }));
  const ports = fc.subarray([http, dns]);
  const some = fc.array(
    fc.record({ addresses: fc.array(ip, { maxLength: 3 }), notReadyAddresses: fc.array(ip, { maxLength: 2 }), ports }),
    { maxLength: 3 },
  );
  const slices = fc.array(
    fc.tuple(
      fc.constantFrom('IPv4', 'IPv6'),
      ports,
      fc.array(
        fc.constantFrom('10.0.0.1', 'fd00::1').map((one) => ready(one)),
        { maxLength: 2 },
      ),
    ),
    { maxLength: 4 },
  );

  test('from any state come to say what the Endpoints say, and are then left alone', () => {
    fc.assert(
      fc.property(some, slices, fc.integer({ min: 1, max: 4 }), (wanted, present, limit) => {
        const existing = present.map(([type, of, endpoints], index) => sliceOf(`s${index}`, type, of, endpoints));
        const { changes, settled } = look(wanted, existing, limit);
        const made = changes.create.map((one, index) =>
          sliceOf(`n${index}`, one.addressType, one.ports ?? [], one.endpoints ?? [], {
            ...one.metadata,
            name: `n${index}`,
          }),
        );
        const after = [...settled, ...changes.update, ...made];
        expect(after.length + changes.remove.length).toBe(existing.length + made.length);
        // None is made while one of its type goes.
        const madeTypes = new Set(made.map(({ addressType }) => addressType));
        expect(changes.remove.filter(({ addressType }) => madeTypes.has(addressType))).toEqual([]);
        for (const { addressType, endpoints } of after)
          expect(
            (endpoints ?? []).every(({ addresses: [one] }) => one!.includes(':') === (addressType === 'IPv6')),
          ).toBe(true);
        const again = look(wanted, after, limit);
        expect(told(again)).toEqual([]);
        expect([again.added, again.updated, again.removed]).toEqual([0, 0, 0]);
      }),
    );
  });
});
