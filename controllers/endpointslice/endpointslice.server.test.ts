import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { type EndpointSlice, type Pod, type Service, resources } from '#pkg/api';
import { type ServerWorld, createServerWorld } from '#pkg/testing';

import { endpointSliceController } from './index.ts';

const { endpointSlices, pods, services } = resources;
const SERVICE_NAME = 'kubernetes.io/service-name';
const TRIGGER = 'endpoints.kubernetes.io/last-change-trigger-time';

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({ controllers: [endpointSliceController], simulation: { nodes: 3 } });
  await world.start();
  await world.clock.step(1000);
  // The cluster's own Service has no selector, and is nobody's business.
  expect(world.takeRequests()).toEqual([]);
});
afterEach(() => world.stop());

async function createPods(count: number, annotations: Record<string, string> = {}): Promise<void> {
  const container = { name: 'app', image: 'app:v1', ports: [{ name: 'http', containerPort: 8080 }] };
  for (let i = 0; i < count; i++)
    await world.create(pods, {
      metadata: { generateName: 'web-', labels: { app: 'web' }, annotations },
      spec: { containers: [container] },
    });
}

const createService = (
  spec: Partial<Service['spec']> = {},
  metadata: Partial<Service['metadata']> = {},
): Promise<Service> =>
  world.create(services, {
    metadata: { name: 'web', ...metadata },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }], ...spec },
  });

const slices = async (name = 'web'): Promise<readonly EndpointSlice[]> =>
  (await world.list(endpointSlices)).filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === name);
const namesOf = (members: readonly Pod[]): Set<string> => new Set(members.map(({ metadata }) => metadata.name));
const endpointsOf = (all: readonly EndpointSlice[]) => all.flatMap(({ endpoints }) => endpoints ?? []);

test('a slice as the server takes it, with the permissions of the controller and few requests', async () => {
  await createPods(3);
  await world.clock.step(10_000);
  const service = await createService({}, { labels: { team: 'a' } });
  await world.clock.step(5000);
  const [slice, ...others] = await slices();
  expect(others).toEqual([]);
  expect(slice).toMatchObject({
    metadata: {
      name: expect.stringMatching(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/) as string,
      generateName: 'web-',
      generation: 1,
      labels: {
        team: 'a',
        [SERVICE_NAME]: 'web',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      annotations: { [TRIGGER]: service.metadata.creationTimestamp },
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'Service',
          name: 'web',
          uid: service.metadata.uid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
  });
  expect(new Set(endpointsOf([slice!]).map(({ targetRef }) => targetRef!.name))).toEqual(
    namesOf(await world.list(pods)),
  );
  expect(world.takeRequests()).toEqual(['create endpointslices']);
  await world.clock.step(3_600_000);
  expect(world.takeRequests()).toEqual([]);
});

test('Pods that come together are written together; one that leaves serves on until it is gone', async () => {
  await createService();
  await createPods(20, { 'simulation.kubernetes.io/termination-delay': '5s' });
  await world.clock.step(20_000);
  expect(endpointsOf(await slices())).toHaveLength(20);
  const requests = world.takeRequests();
  expect(requests[0]).toBe('create endpointslices');
  expect(requests.length).toBeLessThan(6);

  const [first] = await world.list(pods);
  await world.client.resource(pods).delete(first!.metadata);
  await world.clock.step(2000);
  const leaving = endpointsOf(await slices()).find(({ targetRef }) => targetRef?.uid === first!.metadata.uid);
  expect(leaving?.conditions).toEqual({ ready: false, serving: true, terminating: true });
  await world.clock.step(20_000);
  expect(endpointsOf(await slices())).toHaveLength(19);
  expect(world.takeRequests()).toEqual(['update endpointslices', 'update endpointslices']);
});

describe('with both families', () => {
  test('a Service has slices of each, and loses those of the one it gives up', async () => {
    await createPods(2);
    await createService({ ipFamilyPolicy: 'PreferDualStack' });
    await world.clock.step(10_000);
    expect((await slices()).map(({ addressType }) => addressType).toSorted()).toEqual(['IPv4', 'IPv6']);
    const [six] = (await slices()).filter(({ addressType }) => addressType === 'IPv6');
    expect(six!.endpoints!.map(({ addresses }) => addresses.length)).toEqual([1, 1]);
    await world.patch(services, 'web', { spec: { ipFamilyPolicy: 'SingleStack' } });
    await world.clock.step(10_000);
    expect((await slices()).map(({ addressType }) => addressType)).toEqual(['IPv4']);
  });
});

test('a headless Service is marked, gives its members names, and needs no ports', async () => {
  await world.create(pods, {
    metadata: { name: 'db-0', labels: { app: 'web' } },
    spec: { hostname: 'db-0', subdomain: 'web', containers: [{ name: 'app', image: 'app:v1' }] },
  });
  await createService({ clusterIP: 'None', ports: undefined });
  await world.clock.step(10_000);
  const [slice] = await slices();
  expect(slice!.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
  expect(endpointsOf([slice!])).toMatchObject([{ hostname: 'db-0' }]);
  expect(slice!.ports ?? []).toEqual([]);
});

test('a Service without selector, and one that is an alias, are left alone', async () => {
  await createPods(1);
  await createService({ selector: undefined });
  await world.create(services, {
    metadata: { name: 'alias' },
    spec: { type: 'ExternalName', externalName: 'example.com', selector: { app: 'web' } },
  });
  await world.clock.step(10_000);
  expect(world.takeRequests()).toEqual([]);
  await world.patch(services, 'web', { spec: { selector: { app: 'web' } } });
  await world.clock.step(10_000);
  expect(endpointsOf(await slices())).toHaveLength(1);
});

test('traffic distribution is hinted at, and the hints go with the wish', async () => {
  await createPods(3);
  await createService({ trafficDistribution: 'PreferSameNode' });
  await world.clock.step(10_000);
  for (const { nodeName, hints } of endpointsOf(await slices())) expect(hints?.forNodes).toEqual([{ name: nodeName }]);
  await world.patch(services, 'web', { spec: { trafficDistribution: null } });
  await world.clock.step(10_000);
  expect(endpointsOf(await slices()).filter(({ hints }) => hints !== undefined)).toEqual([]);
});

test('what others do to a slice is put right, and told of in the metrics', async () => {
  await createPods(2);
  await createService();
  await world.clock.step(10_000);
  const [slice] = await slices();
  await world.client.resource(endpointSlices).delete(slice!.metadata);
  await world.clock.step(5000);
  const [again] = await slices();
  expect(endpointsOf([again!])).toHaveLength(2);
  await world.patch(endpointSlices, again!.metadata.name, { endpoints: [] });
  await world.clock.step(5000);
  expect(endpointsOf(await slices())).toHaveLength(2);
  const metrics = await world.metrics.expose();
  for (const line of [
    'changes{operation="create"} 2',
    'endpoints_desired 2',
    'num_endpoint_slices 1',
    'desired_endpoint_slices 1',
  ])
    expect(metrics).toContain(`endpoint_slice_controller_${line}`);
});

test('a Pod of an unknown node is left out, told of, and let in with the node', async () => {
  await createService();
  const status = {
    phase: 'Running',
    podIP: '10.9.9.9',
    podIPs: [{ ip: '10.9.9.9' }],
    conditions: [{ type: 'Ready', status: 'True' }],
  };
  await world.create(pods, {
    metadata: { name: 'lost', labels: { app: 'web' } },
    spec: {
      nodeName: 'far',
      containers: [{ name: 'app', image: 'app:v1', ports: [{ name: 'http', containerPort: 80 }] }],
    },
  });
  await world.client
    .resource(pods)
    .patch({ namespace: 'default', name: 'lost' }, 'merge', { status }, { subresource: 'status' });
  await world.clock.step(2000);
  expect(endpointsOf(await slices())).toEqual([]);
  expect(world.events.lines).toContain(
    'Warning FailedToUpdateEndpointSlices Error updating Endpoint Slices for Service default/web: skipping Pod lost for Service default/web: Node far Not Found',
  );
  await world.client.resource(resources.nodes).create({ metadata: { name: 'far' } });
  await world.clock.step(1000);
  expect(endpointsOf(await slices())).toHaveLength(1);
});
