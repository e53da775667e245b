import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type EndpointSlice, type Endpoints, type Service, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { type Stage, type Workspace, openStage } from '../harness/workspace.ts';

const { endpointSlices, endpoints, services } = resources;
const MANAGED = {
  'kubernetes.io/service-name': 'web',
  'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
};
const PATIENCE = 30_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ controllers: ['endpointslice-mirroring-controller'] });
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

type Subsets = NonNullable<Endpoints['subsets']>;

const port = { name: 'http', port: 80, protocol: 'TCP' };
const subset = (...ips: string[]): Subsets[number] => ({ addresses: ips.map((ip) => ({ ip })), ports: [port] });
const createService = (at: Workspace, spec: Service['spec'] = {}): Promise<Service> =>
  at.create(services, { metadata: { name: 'web' }, spec: { ports: [{ port: 80 }], ...spec } });
const createEndpoints = (
  at: Workspace,
  subsets: Subsets,
  metadata: Partial<Endpoints['metadata']> = {},
): Promise<Endpoints> => at.create(endpoints, { metadata: { name: 'web', ...metadata }, subsets });

/** `IPv4 http 10.0.0.1 10.0.0.2!`, for each slice: its ports and addresses, with a mark where they are not ready. */
function told(slices: readonly EndpointSlice[]): string[] {
  const lines = slices.map(({ addressType, ports = [], endpoints: all = [] }) => {
    const names = ports.map(({ name }) => name ?? '').toSorted();
    const addresses = all
      .map(({ addresses: [address], conditions }) => `${address}${conditions?.ready ? '' : '!'}`)
      .toSorted();
    return [addressType, ...names, ...addresses].join(' ');
  });
  return lines.toSorted((a, b) => a.localeCompare(b));
}

/** All slices, once they tell this. */
function mirrored(at: Workspace, lines: readonly string[]): Promise<readonly EndpointSlice[]> {
  return eventually(async () => {
    const slices = await at.list(endpointSlices);
    expect(told(slices)).toEqual(lines);
    return slices;
  }, PATIENCE);
}

describe.concurrent(`EndpointSlices of Endpoints on the ${controlPlaneKind()}`, { timeout: 120_000 }, () => {
  test('say all that the Endpoints say, and whose they are, and are left alone', async ({ at }) => {
    await createService(at);
    const targetRef = { kind: 'Pod', namespace: at.namespace, name: 'a', uid: 'x' };
    const annotations = { note: 'x', 'endpoints.kubernetes.io/last-change-trigger-time': '2026-01-01T00:00:00Z' };
    const own = await createEndpoints(
      at,
      [{ addresses: [{ ip: '10.0.0.1', hostname: 'db-0', nodeName: 'n', targetRef }], ports: [{ port: 5432 }] }],
      { labels: { team: 'a' }, annotations },
    );
    const [slice] = await mirrored(at, ['IPv4  10.0.0.1']);
    const { metadata, endpoints: all, ports } = slice!;
    expect(metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(metadata.labels).toEqual({ team: 'a', ...MANAGED });
    expect(metadata.annotations).toEqual({ note: 'x' });
    expect(metadata.ownerReferences).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Endpoints',
        name: 'web',
        uid: own.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    expect(all).toEqual([
      { addresses: ['10.0.0.1'], conditions: { ready: true }, hostname: 'db-0', nodeName: 'n', targetRef },
    ]);
    expect(ports).toEqual([{ name: '', port: 5432, protocol: 'TCP' }]);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await at.list(endpointSlices))[0]!.metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  test('are one for each set of ports and type of address', async ({ at }) => {
    await createService(at);
    const dns = { name: 'dns', port: 53, protocol: 'UDP' };
    await createEndpoints(at, [
      { addresses: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], notReadyAddresses: [{ ip: '10.0.0.2' }], ports: [port] },
      { addresses: [{ ip: '10.0.0.1' }], ports: [dns] },
    ]);
    await mirrored(at, ['IPv4 dns 10.0.0.1', 'IPv4 http 10.0.0.1 10.0.0.2!', 'IPv6 http fd00::1']);
  });

  test('follow the Endpoints, the same slice where there can be', async ({ at }) => {
    await createService(at);
    await createEndpoints(at, [subset('10.0.0.1')]);
    const [slice] = await mirrored(at, ['IPv4 http 10.0.0.1']);
    await at.merge(endpoints, {
      metadata: { annotations: { note: 'y' }, labels: { team: 'b' } },
      subsets: [subset('10.0.0.2')],
    });
    const [changed] = await mirrored(at, ['IPv4 http 10.0.0.2']);
    expect(changed!.metadata).toMatchObject({
      name: slice!.metadata.name,
      labels: { team: 'b' },
      annotations: { note: 'y' },
    });
    await at.merge(endpoints, { subsets: [{ ...subset('10.0.0.2'), ports: [{ ...port, name: 'web' }] }] });
    const [again] = await mirrored(at, ['IPv4 web 10.0.0.2']);
    expect(again!.metadata.name).toBe(slice!.metadata.name);
    await at.merge(endpoints, { subsets: null });
    await mirrored(at, []);
  });

  test('are of Services without selector alone', async ({ at }) => {
    await createEndpoints(at, [subset('10.0.0.1')]);
    await createService(at, { selector: { app: 'web' } });
    await at.merge(services, { spec: { selector: null } });
    await mirrored(at, ['IPv4 http 10.0.0.1']);
    await at.merge(services, { spec: { selector: { app: 'web' } } });
    await mirrored(at, []);
    await at.merge(services, { spec: { selector: null } });
    await mirrored(at, ['IPv4 http 10.0.0.1']);
    await at.client.resource(services).delete({ namespace: at.namespace, name: 'web' });
    await mirrored(at, []);
  });

  test('are not of Endpoints that say so, nor of those that choose a leader', async ({ at }) => {
    await createService(at);
    await createEndpoints(at, [subset('10.0.0.1')], { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } });
    await at.merge(endpoints, { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'false' } } });
    await mirrored(at, ['IPv4 http 10.0.0.1']);
    await at.merge(endpoints, { metadata: { annotations: { 'control-plane.alpha.kubernetes.io/leader': '{}' } } });
    await mirrored(at, []);
  });

  test('come back when somebody deletes them, and are put right when somebody changes them', async ({ at }) => {
    await createService(at);
    await createEndpoints(at, [subset('10.0.0.1')]);
    const [slice] = await mirrored(at, ['IPv4 http 10.0.0.1']);
    await at.merge(endpointSlices, { endpoints: [{ addresses: ['10.9.9.9'] }] }, slice!.metadata.name);
    const [same] = await mirrored(at, ['IPv4 http 10.0.0.1']);
    await at.client.resource(endpointSlices).delete(same!.metadata);
    await eventually(async () => {
      const [again] = await at.list(endpointSlices);
      expect(again!.metadata.uid).not.toBe(same!.metadata.uid);
    }, PATIENCE);
  });

  test('hold no more than a thousand addresses of a subset, and the Endpoints hear of it', async ({ at }) => {
    await createService(at);
    const ips = Array.from({ length: 1003 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    ips[0] = '10.0.99.99';
    await createEndpoints(at, [subset(...ips)]);
    await eventually(
      async () => expect((await at.list(endpointSlices)).map((slice) => slice.endpoints?.length)).toEqual([1000]),
      PATIENCE,
    );
    await eventually(async () => {
      expect(await at.events('Endpoints')).toContain(
        'Warning TooManyAddressesToMirror A max of 1000 addresses can be mirrored to EndpointSlices per Endpoints subset. 3 addresses were skipped',
      );
    }, PATIENCE);
  });
});
