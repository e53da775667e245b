import { beforeEach, describe, expect, test } from 'vitest';

import { type Service, resources } from '#pkg/api';
import { seededRandom, systemClock } from '#pkg/base';
import { type ResourceClient, createClient } from '#pkg/client';

import { createApiServer } from '../index.ts';

type Spec = Partial<NonNullable<Service['spec']>>;
const ports = [{ port: 80 }];

let services: ResourceClient<Service>;
beforeEach(() => {
  const server = createApiServer({ clock: systemClock, random: seededRandom(1) });
  services = createClient({ transport: server.inProcessTransport(), userAgent: 'test', qps: -1 }).resource(
    resources.services,
  );
});

const create = (name: string, spec: Spec): Promise<Service> =>
  services.create({ metadata: { name, namespace: 'default' }, spec: { ports, ...spec } });
const patch = (name: string, spec: object): Promise<Service> =>
  services.patch({ namespace: 'default', name }, 'merge', { spec });
const familiesOf = ({ spec }: Service): unknown => [
  spec!.ipFamilyPolicy,
  spec!.ipFamilies,
  spec!.clusterIPs!.map((address) => (address.includes(':') ? 6 : address === 'None' ? 0 : 4)),
];

describe('families', () => {
  test.each<[string, Spec, unknown]>([
    ['nothing', {}, ['SingleStack', ['IPv4'], [4]]],
    ['either', { ipFamilyPolicy: 'PreferDualStack' }, ['PreferDualStack', ['IPv4', 'IPv6'], [4, 6]]],
    [
      'both, IPv6 first',
      { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] },
      ['RequireDualStack', ['IPv6', 'IPv4'], [6, 4]],
    ],
    ['IPv6', { ipFamilies: ['IPv6'] }, ['SingleStack', ['IPv6'], [6]]],
    ['an address of IPv6', { clusterIP: 'fd00:10:96::7' }, ['SingleStack', ['IPv6'], [6]]],
    ['no address', { clusterIP: 'None', selector: { app: 'web' } }, ['SingleStack', ['IPv4'], [0]]],
    ['no address and nobody', { clusterIP: 'None' }, ['RequireDualStack', ['IPv4', 'IPv6'], [0]]],
  ])('of a Service that asks for %s', async (_title, spec, expected) =>
    expect(familiesOf(await create('web', spec))).toEqual(expected),
  );

  test('come and go with the policy, and stay where it only prefers', async () => {
    const { spec } = await create('web', {});
    expect(familiesOf(await patch('web', { ipFamilyPolicy: 'PreferDualStack' }))).toEqual([
      'PreferDualStack',
      ['IPv4', 'IPv6'],
      [4, 6],
    ]);
    const single = await patch('web', { ipFamilyPolicy: 'SingleStack' });
    expect([familiesOf(single), single.spec!.clusterIP]).toEqual([['SingleStack', ['IPv4'], [4]], spec!.clusterIP]);
  });

  test('are not given up in passing', async () => {
    const { spec } = await create('web', { ipFamilyPolicy: 'RequireDualStack' });
    await expect(patch('web', { clusterIPs: [spec!.clusterIP] })).rejects.toThrow(
      "must be 'SingleStack' to release the secondary cluster IP",
    );
    await expect(patch('web', { ipFamilies: ['IPv4'] })).rejects.toThrow(
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": must be \'SingleStack\' to release the secondary IP family',
    );
  });

  test('come back when an alias becomes a Service', async () => {
    await create('web', { type: 'ExternalName', externalName: 'a.b' });
    expect(familiesOf(await patch('web', { type: 'ClusterIP', externalName: null }))).toEqual([
      'SingleStack',
      ['IPv4'],
      [4],
    ]);
  });
});

describe('what is taken', () => {
  test('is refused to others, and kept by whom it belongs to', async () => {
    await create('a', { type: 'NodePort', clusterIP: '10.96.0.77', ports: [{ port: 80, nodePort: 30_080 }] });
    await expect(create('b', { clusterIP: '10.96.0.77' })).rejects.toThrow(
      'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.77"]: failed to allocate IP 10.96.0.77: provided IP is already allocated',
    );
    await expect(create('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }] })).rejects.toThrow(
      'spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated',
    );
    await expect(create('b', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] })).rejects.toThrow(
      'provided port is not in the valid range. The range of valid ports is 30000-32767',
    );
    const kept = await patch('a', { ports: [{ port: 81, nodePort: 30_080 }] });
    expect(kept.spec).toMatchObject({ clusterIP: '10.96.0.77', ports: [{ port: 81, nodePort: 30_080 }] });
  });

  test('are node ports, where a load balancer does not do without', async () => {
    const { spec } = await create('a', { type: 'LoadBalancer' });
    const other = await create('b', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false });
    expect([spec!.ports![0]!.nodePort, other.spec!.ports![0]!.nodePort]).toEqual([expect.any(Number), undefined]);
  });
});
