import { afterEach, beforeEach, expect, test } from 'vitest';

import { type Pod, type Service, resources } from '#pkg/api';
import { type ServerWorld, createServerWorld, podTemplate } from '#pkg/testing';

import { endpointsController } from './index.ts';

const { endpoints, namespaces, pods, services } = resources;

let world: ServerWorld;
beforeEach(async () => {
  world = createServerWorld({ controllers: [endpointsController] });
  await world.start();
});
afterEach(() => world.stop());

const port = { name: 'http', port: 80, targetPort: 8080 };
const expose = (spec: Partial<NonNullable<Service['spec']>> = {}): Promise<Service> =>
  world.create(services, {
    metadata: { name: 'web', labels: { team: 'a' } },
    spec: { selector: { app: 'web' }, ports: [port], ...spec },
  });
const run = (name: string): Promise<Pod> =>
  world.create(pods, { metadata: { name, labels: { app: 'web' } }, spec: podTemplate().spec! });
const addresses = async (): Promise<string[]> => {
  const { subsets = [] } = await world.get(endpoints, 'web');
  return subsets
    .flatMap((subset) => (subset.addresses ?? []).map(({ targetRef }) => targetRef!.name!))
    .toSorted((a, b) => a.localeCompare(b));
};

test('Pods come and go; a settled Service costs nothing', async () => {
  await expose();
  for (const name of ['a', 'b', 'c']) await run(name);
  await world.clock.step(30_000);
  expect(await addresses()).toEqual(['a', 'b', 'c']);
  const { metadata, subsets } = await world.get(endpoints, 'web');
  expect(metadata.labels).toEqual({ team: 'a', 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' });
  const a = await world.get(pods, 'a');
  expect(subsets).toHaveLength(1);
  expect(subsets![0]!.ports).toEqual([{ name: 'http', port: 8080, protocol: 'TCP' }]);
  expect(subsets![0]!.addresses).toContainEqual({
    ip: a.status!.podIP,
    nodeName: a.spec!.nodeName,
    targetRef: { kind: 'Pod', namespace: 'default', name: 'a', uid: a.metadata.uid },
  });
  expect(world.takeRequests().every((request) => ['create endpoints', 'update endpoints'].includes(request))).toBe(
    true,
  );
  await world.clock.step(3_600_000);
  expect(world.takeRequests()).toEqual([]);

  await world.client.resource(pods).delete({ namespace: 'default', name: 'b' });
  await world.clock.step(1000);
  expect(await addresses()).toEqual(['a', 'c']);
  expect(world.takeRequests()).toEqual(['update endpoints']);
});

test('Endpoints go with their Service, without a request, and are made again when somebody deletes them', async () => {
  await expose({ clusterIP: 'None' });
  await world.clock.step(1000);
  expect((await world.get(endpoints, 'web')).metadata.labels).toHaveProperty('service.kubernetes.io/headless', '');
  await world.client.resource(endpoints).delete({ namespace: 'default', name: 'web' });
  await world.clock.step(1000);
  expect(await world.list(endpoints)).toHaveLength(1);
  world.takeRequests();
  await world.client.resource(services).delete({ namespace: 'default', name: 'web' });
  await world.clock.step(1000);
  expect(await world.list(endpoints)).toEqual([]);
  expect(world.takeRequests()).toEqual([]);
});

test('what cannot be written is told, and not where the namespace goes', async () => {
  await world.create(endpoints, { metadata: { name: 'web', finalizers: ['example.com/stay'] } });
  await world.client.resource(endpoints).delete({ namespace: 'default', name: 'web' });
  await expose({ selector: undefined });
  await world.clock.step(1000);
  expect(world.takeRequests()).toEqual([]);
  await world.client.resource(namespaces).create({ metadata: { name: 'going', finalizers: ['example.com/stay'] } });
  await world.client
    .resource(services)
    .create({ metadata: { name: 'web', namespace: 'going' }, spec: { ports: [port] } });
  await world.client.resource(namespaces).delete({ name: 'going' });
  await world.client
    .resource(services)
    .patch({ namespace: 'going', name: 'web' }, 'merge', { spec: { selector: { app: 'web' } } });
  await world.clock.step(1000);
  expect(world.takeRequests()).toEqual(['create endpoints 403']);
  expect(world.events.take()).toEqual([]);
});
