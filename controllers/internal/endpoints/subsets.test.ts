import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type EndpointAddress, type Subset, type SubsetPort, packSubsets, repackSubsets } from './index.ts';

const address = (ip: string, uid?: string): EndpointAddress => ({
  ip,
  ...(uid === undefined ? {} : { targetRef: { kind: 'Pod', name: `pod-${uid}`, namespace: 'default', uid } }),
});
const http: SubsetPort = { name: 'http', port: 80, protocol: 'TCP' };
const dns: SubsetPort = { name: 'dns', port: 53, protocol: 'UDP' };
const web: SubsetPort = { name: 'web', port: 8080, protocol: 'TCP', appProtocol: 'kubernetes.io/h2c' };
const [a, b, c] = [address('10.0.0.2', 'a'), address('10.0.0.10', 'b'), address('fd00::1', 'c')];
const named: Subset = {
  addresses: [
    {
      ip: '10.0.0.1',
      hostname: 'db-0',
      nodeName: 'n1',
      targetRef: { kind: 'Pod', namespace: 'default', name: 'db-0', uid: 'u', resourceVersion: '7' },
    },
  ],
  ports: [http],
};
const moved: Subset = { addresses: [{ ip: '10.0.0.1', nodeName: 'n2' }], ports: [dns] };
const waiting: Subset = { notReadyAddresses: [{ ip: '10.0.0.3', hostname: 'x' }], ports: [web] };

describe('subsets in canonical form', () => {
  // The orders of several subsets and of several ports are those that the original makes of the same.
  test.each<[string, Subset[], Subset[]]>([
    ['nothing', [], []],
    ['no addresses', [{ ports: [http] }], []],
    [
      'addresses sorted as text, then those without object, then by uid',
      [{ addresses: [c, address('10.0.0.2', 'z'), a, b, address('10.0.0.2')] }],
      [{ addresses: [b, address('10.0.0.2'), a, address('10.0.0.2', 'z'), c] }],
    ],
    [
      'ports of the same addresses together',
      [
        { addresses: [a, b], ports: [http] },
        { addresses: [b, a], ports: [dns, web] },
      ],
      [{ addresses: [b, a], ports: [web, http, dns] }],
    ],
    [
      'ports of other addresses apart',
      [
        { addresses: [a, b], ports: [http] },
        { addresses: [a], ports: [dns] },
      ],
      [
        { addresses: [b, a], ports: [http] },
        { addresses: [a], ports: [dns] },
      ],
    ],
    [
      'ports of the same addresses, readiness apart',
      [
        { addresses: [a], ports: [http] },
        { notReadyAddresses: [a], ports: [dns] },
      ],
      [
        { notReadyAddresses: [a], ports: [dns] },
        { addresses: [a], ports: [http] },
      ],
    ],
    [
      'readiness of one port together',
      [
        { addresses: [a], ports: [http] },
        { notReadyAddresses: [b], ports: [http] },
      ],
      [{ addresses: [a], notReadyAddresses: [b], ports: [http] }],
    ],
    [
      'ready and not is not',
      [
        { addresses: [a, b], notReadyAddresses: [a], ports: [http] },
        { addresses: [a], ports: [http] },
      ],
      [{ addresses: [b], notReadyAddresses: [a], ports: [http] }],
    ],
    [
      'the same twice, described as at first',
      [
        {
          addresses: [
            { ...a, nodeName: 'x' },
            { ...a, nodeName: 'y' },
          ],
        },
      ],
      [{ addresses: [{ ...a, nodeName: 'x' }] }],
    ],
    [
      'without ports beside with ports',
      [{ addresses: [a] }, { addresses: [b], ports: [http] }],
      [{ addresses: [a] }, { addresses: [b], ports: [http] }],
    ],
    [
      'without ports, of the same addresses as with',
      [{ addresses: [a] }, { addresses: [a], ports: [http] }],
      [{ addresses: [a], ports: [http] }],
    ],
    ['every field in the hash', [named, moved, waiting], [named, waiting, moved]],
  ])('%s', (_title, subsets, packed) => expect(repackSubsets(subsets)).toEqual(packed));

  const texts = <T>(values: readonly T[]) => fc.constantFrom(...values);
  const somePort = fc.record({ name: texts(['a', 'b']), port: texts([80, 81]), protocol: fc.constant('TCP') });
  const someAddress = fc
    .tuple(fc.nat(5), texts(['x', 'y', undefined]))
    .map(([number, uid]) => address(`10.0.0.${number}`, uid));
  const served = fc.array(
    fc.record({ address: someAddress, ready: fc.boolean(), port: fc.option(somePort, { nil: undefined }) }),
    { maxLength: 12 },
  );

  test('are the same whatever the order, and packed again no other', () => {
    fc.assert(
      fc.property(
        served.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        ([all, shuffled]) => {
          const packed = packSubsets(all);
          expect(packSubsets(shuffled)).toEqual(packed);
          expect(repackSubsets(packed)).toEqual(packed);
        },
      ),
    );
  });

  test('say of each port which addresses serve it, and no more', () => {
    fc.assert(
      fc.property(served, (all) => {
        const said = new Map<string, boolean>();
        for (const {
          address: { ip, targetRef },
          ready,
          port,
        } of all) {
          const key = `${port?.name} ${port?.port} ${ip} ${targetRef?.uid}`;
          if (port) said.set(key, ready && said.get(key) !== false);
        }
        const packed = new Map<string, boolean>();
        for (const { addresses = [], notReadyAddresses = [], ports = [] } of packSubsets(all)) {
          for (const { name, port } of ports) {
            for (const { ip, targetRef } of addresses) packed.set(`${name} ${port} ${ip} ${targetRef?.uid}`, true);
            for (const { ip, targetRef } of notReadyAddresses)
              packed.set(`${name} ${port} ${ip} ${targetRef?.uid}`, false);
          }
        }
        expect(packed).toEqual(said);
      }),
    );
  });
});
