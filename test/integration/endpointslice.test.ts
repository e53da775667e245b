import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type EndpointSlice, type Pod, type Service, isApiError, isPodReady, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { createTestClient } from '../harness/test-client.ts';
import { ENDS_SLOWLY, NEVER_READY, type Stage, type Workspace, openStage } from '../harness/workspace.ts';

const { endpointSlices, nodes, pods, services } = resources;
const SERVICE_NAME = 'kubernetes.io/service-name';
const TRIGGER = 'endpoints.kubernetes.io/last-change-trigger-time';
/** Where the harness runs Pods on a kube-apiserver; the embedded server has nodes of its own. */
const NODE = 'test-node';
const PATIENCE = 30_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ controllers: ['endpointslice-controller'] });
  if (controlPlaneKind() !== 'kube-apiserver') return;
  const access = await createTestClient(stage.plane.adminKubeconfig);
  await access.client
    .resource(nodes)
    .create({ metadata: { name: NODE, labels: { 'topology.kubernetes.io/zone': 'here' } } })
    .catch((error: unknown) => {
      if (!isApiError(error, 'AlreadyExists')) throw error;
    });
  await access.close();
}, 150_000);
afterAll(() => stage.stop(), 30_000);

const test = base.extend<{ at: Workspace }>({ at: async ({ task }, use) => use(await stage.workspace(task.name)) });

interface PodOptions {
  readonly annotations?: Record<string, string>;
  readonly labels?: Record<string, string>;
  readonly port?: number;
  readonly spec?: object;
}

function createPod(
  at: Workspace,
  name: string,
  { annotations = {}, labels = { app: 'web' }, port = 8080, spec = {} }: PodOptions = {},
): Promise<Pod> {
  const containers = [{ name: 'app', image: 'app:v1', ports: [{ name: 'http', containerPort: port }] }];
  return at.create(pods, { metadata: { name, labels, annotations }, spec: { containers, ...spec } });
}

const createPods = (at: Workspace, count: number, options?: PodOptions): Promise<Pod[]> =>
  Promise.all(Array.from({ length: count }, (_, i) => createPod(at, `web-${i}`, options)));

function createService(
  at: Workspace,
  spec: Partial<Service['spec']> = {},
  metadata: Partial<Service['metadata']> = {},
): Promise<Service> {
  return at.create(services, {
    metadata: { name: 'web', ...metadata },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }], ...spec },
  });
}

async function slicesOf(at: Workspace, service = 'web'): Promise<EndpointSlice[]> {
  return (await at.list(endpointSlices)).filter(({ metadata }) => metadata.labels?.[SERVICE_NAME] === service);
}

const endpointsOf = (slices: readonly EndpointSlice[]) => slices.flatMap(({ endpoints }) => endpoints ?? []);

/** The Service's slices, once they hold these Pods and no others, each in a state of which `isDone` holds. */
function serving(
  at: Workspace,
  names: readonly string[],
  isDone: (slices: readonly EndpointSlice[]) => void = () => {},
): Promise<EndpointSlice[]> {
  return eventually(async () => {
    const slices = await slicesOf(at);
    expect(slices.length).toBeGreaterThan(0);
    const shown = endpointsOf(slices).map(({ targetRef }) => targetRef?.name ?? '');
    expect(new Set(shown)).toEqual(new Set(names));
    isDone(slices);
    return slices;
  }, PATIENCE);
}

const allReady = (slices: readonly EndpointSlice[]): void =>
  expect(endpointsOf(slices).every(({ conditions }) => conditions?.ready === true)).toBe(true);
const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => `web-${i}`);

describe.concurrent(`EndpointSlices on the ${controlPlaneKind()}`, { timeout: 120_000 }, () => {
  test('say who serves, where, and whose they are, and are left alone', async ({ at }) => {
    const members = await createPods(at, 3);
    const service = await createService(at, {}, { labels: { team: 'a' } });
    const [slice] = await serving(at, numbered(3), allReady);
    const { metadata, addressType, ports } = slice!;
    expect({ addressType, ports }).toEqual({ addressType: 'IPv4', ports: [{ name: '', port: 8080, protocol: 'TCP' }] });
    expect(metadata.name).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
    expect(metadata.labels).toEqual({
      team: 'a',
      [SERVICE_NAME]: 'web',
      'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
    });
    expect(metadata.ownerReferences).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Service',
        name: 'web',
        uid: service.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ]);
    for (const { addresses, targetRef, nodeName } of slice!.endpoints!) {
      const live = await at.get(pods, targetRef!.name);
      expect(targetRef).toEqual({
        kind: 'Pod',
        namespace: at.namespace,
        name: live.metadata.name,
        uid: live.metadata.uid,
      });
      expect([addresses, nodeName]).toEqual([[live.status!.podIP], live.spec!.nodeName]);
    }
    expect(members).toHaveLength(3);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await slicesOf(at))[0]!.metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  test('are empty, and there, where nobody serves', async ({ at }) => {
    await createService(at);
    const [slice] = await serving(at, []);
    expect([slice!.endpoints ?? [], slice!.ports ?? []]).toEqual([[], []]);
    await createPod(at, 'web-0');
    await serving(at, ['web-0'], allReady);
    expect(await slicesOf(at)).toHaveLength(1);
  });

  test('tell those that are not ready, and those that are leaving, from the rest', async ({ at }) => {
    await createService(at);
    await createPod(at, 'slow', { annotations: NEVER_READY });
    await createPod(at, 'leaving', { annotations: ENDS_SLOWLY });
    const conditions = (slices: readonly EndpointSlice[], name: string) =>
      endpointsOf(slices).find(({ targetRef }) => targetRef?.name === name)?.conditions;
    await serving(at, ['slow', 'leaving'], (slices) => {
      expect(conditions(slices, 'slow')).toEqual({ ready: false, serving: false, terminating: false });
      expect(conditions(slices, 'leaving')).toEqual({ ready: true, serving: true, terminating: false });
    });
    await at.client.resource(pods).delete({ namespace: at.namespace, name: 'leaving' });
    await serving(at, ['slow', 'leaving'], (slices) =>
      expect(conditions(slices, 'leaving')).toEqual({ ready: false, serving: true, terminating: true }),
    );
    await serving(at, ['slow']);
    await at.merge(services, { spec: { publishNotReadyAddresses: true } });
    await serving(at, ['slow'], (slices) =>
      expect(conditions(slices, 'slow')).toEqual({ ready: true, serving: false, terminating: false }),
    );
  });

  test('are parted by the ports that Pods have', async ({ at }) => {
    await createPod(at, 'old', { port: 8080 });
    await createPod(at, 'new', { port: 9090 });
    await createService(at);
    const slices = await serving(at, ['old', 'new'], allReady);
    const shown = slices.map(({ ports, endpoints }) => `${endpoints![0]!.targetRef!.name}:${ports![0]!.port}`);
    expect(new Set(shown)).toEqual(new Set(['old:8080', 'new:9090']));
  });

  test('of both families come and go with what the Service asks for', async ({ at }) => {
    await createPods(at, 2);
    await createService(at, { ipFamilyPolicy: 'RequireDualStack' });
    const families = (expected: readonly string[]) => (slices: readonly EndpointSlice[]) => {
      allReady(slices);
      expect(slices.map(({ addressType }) => addressType).toSorted()).toEqual(expected);
    };
    const both = await serving(at, numbered(2), families(['IPv4', 'IPv6']));
    for (const { addressType, endpoints } of both)
      for (const { addresses } of endpoints!) expect(addresses[0]!.includes(':')).toBe(addressType === 'IPv6');
    await at.merge(services, { spec: { ipFamilyPolicy: 'SingleStack' } });
    await serving(at, numbered(2), families(['IPv4']));
  });

  test('of a headless Service are marked and give names', async ({ at }) => {
    await createPod(at, 'db-0', { spec: { hostname: 'db-0', subdomain: 'web' } });
    await createService(at, { clusterIP: 'None', ports: undefined });
    const [slice] = await serving(at, ['db-0'], allReady);
    expect(slice!.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '');
    expect(slice!.endpoints).toMatchObject([{ hostname: 'db-0' }]);
  });

  test('follow labels and selector of their Service', async ({ at }) => {
    await createPod(at, 'web-0');
    await createPod(at, 'other', { labels: { app: 'other' } });
    await createService(at);
    await serving(at, ['web-0'], allReady);
    await at.merge(services, { metadata: { labels: { team: 'b' } }, spec: { selector: { app: 'other' } } });
    const [slice] = await serving(at, ['other'], allReady);
    expect(slice!.metadata.labels).toHaveProperty('team', 'b');
    await at.client
      .resource(pods)
      .patch({ namespace: at.namespace, name: 'web-0' }, 'merge', { metadata: { labels: { app: 'other' } } });
    await serving(at, ['web-0', 'other'], allReady);
  });

  test('hold no more than they may, and are filled up before new ones are made', async ({ at }) => {
    await createPods(at, 110);
    await createService(at);
    const sizes = (slices: readonly EndpointSlice[]): number[] =>
      slices.map(({ endpoints }) => endpoints?.length ?? 0).toSorted((a, b) => b - a);
    const before = await serving(at, numbered(110), allReady);
    expect(before.every(({ endpoints }) => endpoints!.length <= 100)).toBe(true);
    await createPod(at, 'web-110');
    const after = await serving(at, numbered(111), allReady);
    expect(after).toHaveLength(before.length);
    const old = new Map(before.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
    expect(after.filter(({ metadata }) => old.get(metadata.name) !== metadata.resourceVersion)).toHaveLength(1);
    expect(sizes(after)[0]).toBeLessThanOrEqual(100);
  });

  test('send traffic where the Service wants it', async ({ at }) => {
    await createPods(at, 2);
    await createService(at, { trafficDistribution: 'PreferSameNode' });
    await serving(at, numbered(2), (slices) => {
      allReady(slices);
      for (const { nodeName, hints } of endpointsOf(slices)) expect(hints?.forNodes).toEqual([{ name: nodeName }]);
    });
    await at.merge(services, { spec: { trafficDistribution: null } });
    await serving(at, numbered(2), (slices) =>
      expect(endpointsOf(slices).filter(({ hints }) => hints !== undefined)).toEqual([]),
    );
  });

  test('say when the change happened that they show', async ({ at }) => {
    const service = await createService(at);
    const [empty] = await serving(at, []);
    expect(empty!.metadata.annotations?.[TRIGGER]).toBe(service.metadata.creationTimestamp);
    await createPod(at, 'web-0');
    const [slice] = await serving(at, ['web-0'], allReady);
    const { status } = await at.get(pods, 'web-0');
    const turned = status!.conditions!.find(({ type }) => type === 'Ready')!.lastTransitionTime;
    expect(slice!.metadata.annotations?.[TRIGGER]).toBe(turned);
  });

  test('come back when somebody deletes them, and are put right when somebody changes them', async ({ at }) => {
    await createPods(at, 2);
    await createService(at);
    const [slice] = await serving(at, numbered(2), allReady);
    await at.client.resource(endpointSlices).delete(slice!.metadata);
    const [again] = await serving(at, numbered(2), (slices) =>
      expect(slices[0]!.metadata.uid).not.toBe(slice!.metadata.uid),
    );
    await at.client.resource(endpointSlices).patch(again!.metadata, 'merge', { endpoints: null });
    await serving(at, numbered(2), allReady);
  });

  test('are not made for Services without selector, nor for aliases', async ({ at }) => {
    await createPod(at, 'web-0');
    await createService(at, { selector: undefined });
    await at.create(services, {
      metadata: { name: 'alias' },
      spec: { type: 'ExternalName', externalName: 'example.com', selector: { app: 'web' } },
    });
    await createService(at, {}, { name: 'last' });
    await eventually(async () => expect(endpointsOf(await slicesOf(at, 'last'))).toHaveLength(1), PATIENCE);
    expect([await slicesOf(at, 'web'), await slicesOf(at, 'alias')]).toEqual([[], []]);
    expect(isPodReady(await at.get(pods, 'web-0'))).toBe(true);
  });
});
