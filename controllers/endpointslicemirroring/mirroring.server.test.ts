import { afterEach, beforeEach, expect, test } from 'vitest';

import { type EndpointSlice, resources } from '#pkg/api';
import { type ServerWorld, createServerWorld } from '#pkg/testing';

import { endpointSliceMirroringController } from './index.ts';

const { endpointSlices, endpoints, services } = resources;
const MAX = 3;

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({
    controllers: [endpointSliceMirroringController],
    options: { 'mirroring-max-endpoints-per-subset': MAX },
  });
  await world.start();
});
afterEach(() => world.stop());

const port = { name: 'http', port: 80, protocol: 'TCP' };
const addresses = (...ips: string[]): { ip: string }[] => ips.map((ip) => ({ ip }));
const mirrored = async (): Promise<readonly EndpointSlice[]> => {
  await world.clock.step(5000);
  const slices = await world.list(endpointSlices);
  return slices.toSorted((a, b) => a.addressType.localeCompare(b.addressType));
};

test('Endpoints of a Service without selector are mirrored, followed and cleared away; settled ones cost nothing', async () => {
  await world.create(services, { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } });
  const own = await world.create(endpoints, {
    metadata: { name: 'web', labels: { team: 'a' }, annotations: { note: 'x' } },
    subsets: [{ addresses: addresses('10.0.0.1', 'fd00::1'), ports: [port] }],
  });
  const [v4, v6] = await mirrored();
  expect(world.takeRequests()).toEqual(['create endpointslices', 'create endpointslices']);
  expect(v4).toMatchObject({
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
    ports: [port],
  });
  expect(v6).toMatchObject({ addressType: 'IPv6', endpoints: [{ addresses: ['fd00::1'] }] });
  expect(v4!.metadata).toMatchObject({
    generateName: 'web-',
    labels: {
      team: 'a',
      'kubernetes.io/service-name': 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
    },
    annotations: { note: 'x' },
    ownerReferences: [
      {
        apiVersion: 'v1',
        kind: 'Endpoints',
        name: 'web',
        uid: own.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  });
  await world.clock.step(3_600_000);
  expect(world.takeRequests()).toEqual([]);

  await world.patch(endpoints, 'web', {
    subsets: [{ addresses: addresses('10.0.0.1'), notReadyAddresses: addresses('10.0.0.2'), ports: [port] }],
  });
  expect(
    (await mirrored()).map((slice) => slice.endpoints?.map((one) => [one.addresses[0], one.conditions?.ready])),
  ).toEqual([
    [
      ['10.0.0.1', true],
      ['10.0.0.2', false],
    ],
  ]);
  expect(world.takeRequests()).toEqual(['update endpointslices', 'delete endpointslices']);

  await world.patch(endpointSlices, v4!.metadata.name, { endpoints: [] });
  expect((await mirrored())[0]!.endpoints).toHaveLength(2);
  expect(world.takeRequests()).toEqual(['update endpointslices']);

  await world.patch(endpoints, 'web', { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } } });
  expect(await mirrored()).toEqual([]);
  await world.patch(endpoints, 'web', { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': null } } });
  expect(await mirrored()).toHaveLength(1);
  await world.patch(services, 'web', { spec: { selector: { app: 'web' } } });
  expect(await mirrored()).toEqual([]);
  world.takeRequests();
  await world.clock.step(3_600_000);
  expect(world.takeRequests()).toEqual([]);
});

test('Endpoints without a Service are not, and too many addresses are told of', async () => {
  await world.create(endpoints, {
    metadata: { name: 'web' },
    subsets: [
      {
        addresses: addresses('10.0.0.1', '10.0.0.2', '10.0.0.3'),
        notReadyAddresses: addresses('10.0.0.4'),
        ports: [port],
      },
    ],
  });
  expect(await mirrored()).toEqual([]);
  await world.create(services, { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } });
  expect((await mirrored()).map(({ endpoints: all }) => all?.length)).toEqual([MAX]);
  expect(world.events.take()).toEqual([
    'Warning TooManyAddressesToMirror A max of 3 addresses can be mirrored to EndpointSlices per Endpoints subset. 1 addresses were skipped',
  ]);
  const shown = (await world.metrics.expose())
    .split('\n')
    .filter((line) => /^endpoint_slice_mirroring_controller_(changes|endpoints_desired|num_|desired_)/.test(line));
  expect(shown.toSorted((a, b) => a.localeCompare(b))).toEqual([
    'endpoint_slice_mirroring_controller_changes{operation="create"} 1',
    'endpoint_slice_mirroring_controller_desired_endpoint_slices 1',
    'endpoint_slice_mirroring_controller_endpoints_desired 3',
    'endpoint_slice_mirroring_controller_num_endpoint_slices 1',
  ]);
});
