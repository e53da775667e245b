import { afterAll, beforeAll, describe, expect, test as base } from 'vitest';

import { type Endpoints, type Pod, type Service, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { ENDS_SLOWLY, NEVER_READY, type Stage, type Workspace, openStage } from '../harness/workspace.ts';

const { endpoints, pods, services } = resources;
const MANAGED = { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' };
const TRIGGER = 'endpoints.kubernetes.io/last-change-trigger-time';
const PATIENCE = 30_000;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ controllers: ['endpoints-controller'] });
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

/** `a b! 8080`, for each subset: names of its Pods, with a mark where they are not ready, and its ports. */
function said({ subsets = [] }: Endpoints): string[] {
  const lines = subsets.map(({ addresses = [], notReadyAddresses = [], ports = [] }) => {
    const names: string[] = [
      ...addresses.map(({ targetRef }) => `${targetRef!.name}`),
      ...notReadyAddresses.map(({ targetRef }) => `${targetRef!.name}!`),
    ];
    return [...names.toSorted((a, b) => a.localeCompare(b)), ...ports.map(({ port }) => port)].join(' ');
  });
  return lines.toSorted((a, b) => a.localeCompare(b));
}

/** The Service's Endpoints, once they say this. */
function saying(at: Workspace, lines: readonly string[], name = 'web'): Promise<Endpoints> {
  return eventually(async () => {
    const found = await at.get(endpoints, name);
    expect(said(found)).toEqual(lines);
    return found;
  }, PATIENCE);
}

describe.concurrent(`Endpoints on the ${controlPlaneKind()}`, { timeout: 120_000 }, () => {
  test('say who serves, where and since when, and are left alone', async ({ at }) => {
    for (const name of ['a', 'b']) await createPod(at, name);
    const service = await createService(at, {}, { labels: { team: 'a' } });
    const { metadata, subsets } = await saying(at, ['a b 8080']);
    expect(metadata.labels).toEqual({ team: 'a', ...MANAGED });
    expect(subsets![0]!.ports).toEqual([{ port: 8080, protocol: 'TCP' }]);
    for (const { ip, nodeName, targetRef } of subsets![0]!.addresses!) {
      const live = await at.get(pods, targetRef!.name);
      expect([ip, nodeName]).toEqual([live.status!.podIP, live.spec!.nodeName]);
      expect(targetRef).toEqual({
        kind: 'Pod',
        namespace: at.namespace,
        name: live.metadata.name,
        uid: live.metadata.uid,
      });
    }
    const turned = await Promise.all(
      ['a', 'b'].map(
        async (name) =>
          (await at.get(pods, name)).status!.conditions!.find(({ type }) => type === 'Ready')!.lastTransitionTime,
      ),
    );
    expect([service.metadata.creationTimestamp, ...turned, undefined]).toContain(metadata.annotations?.[TRIGGER]);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect((await at.get(endpoints)).metadata.resourceVersion).toBe(metadata.resourceVersion);
  });

  test('are there where nobody serves', async ({ at }) => {
    await createService(at);
    await saying(at, []);
    await createPod(at, 'a');
    await saying(at, ['a 8080']);
    await at.client.resource(pods).delete({ namespace: at.namespace, name: 'a' });
    await saying(at, []);
  });

  test('tell those that are not ready, and leave out those that are leaving', async ({ at }) => {
    await createService(at);
    await createPod(at, 'slow', { annotations: NEVER_READY });
    await createPod(at, 'leaving', { annotations: ENDS_SLOWLY });
    await saying(at, ['leaving slow! 8080']);
    await at.client.resource(pods).delete({ namespace: at.namespace, name: 'leaving' });
    await saying(at, ['slow! 8080']);
    await at.merge(services, { spec: { publishNotReadyAddresses: true } });
    await saying(at, ['slow 8080']);
  });

  test('are parted by the ports that Pods have', async ({ at }) => {
    await createPod(at, 'old');
    await createPod(at, 'new', { port: 9090 });
    await createService(at, {
      ports: [
        { name: 'http', port: 80, targetPort: 'http' },
        { name: 'fixed', port: 81, targetPort: 7000 },
      ],
    });
    await saying(at, ['new 9090', 'new old 7000', 'old 8080']);
  });

  test('of a headless Service are marked, give names and need no ports', async ({ at }) => {
    await createPod(at, 'db-0', { spec: { hostname: 'db-0', subdomain: 'web' } });
    await createService(at, { clusterIP: 'None', ports: undefined });
    const { metadata, subsets } = await saying(at, ['db-0']);
    expect(metadata.labels).toEqual({ ...MANAGED, 'service.kubernetes.io/headless': '' });
    expect(subsets).toMatchObject([{ addresses: [{ hostname: 'db-0' }] }]);
  });

  test('follow labels and selector of their Service', async ({ at }) => {
    await createPod(at, 'a');
    await createPod(at, 'other', { labels: { app: 'other' } });
    await createService(at);
    await saying(at, ['a 8080']);
    await at.merge(services, { metadata: { labels: { team: 'b' } }, spec: { selector: { app: 'other' } } });
    expect((await saying(at, ['other 8080'])).metadata.labels).toEqual({ team: 'b', ...MANAGED });
    await at.merge(pods, { metadata: { labels: { app: 'other' } } }, 'a');
    await saying(at, ['a other 8080']);
  });

  test('go with their Service, and come back when somebody deletes them', async ({ at }) => {
    await createPod(at, 'a');
    await createService(at);
    const { metadata } = await saying(at, ['a 8080']);
    await at.client.resource(endpoints).delete(metadata);
    const again = await saying(at, ['a 8080']);
    expect(again.metadata.uid).not.toBe(metadata.uid);
    await at.client.resource(services).delete({ namespace: at.namespace, name: 'web' });
    await eventually(async () => expect(await at.list(endpoints)).toEqual([]), PATIENCE);
  });

  test('that somebody keeps himself are left alone', async ({ at }) => {
    await createPod(at, 'a');
    await createService(at, { selector: undefined });
    await at.create(services, {
      metadata: { name: 'alias' },
      spec: { type: 'ExternalName', externalName: 'example.com', selector: { app: 'web' } },
    });
    await at.create(endpoints, { metadata: { name: 'web' }, subsets: [{ addresses: [{ ip: '10.9.9.9' }] }] });
    await at.create(endpoints, { metadata: { name: 'nobody' } });
    await createService(at, {}, { name: 'last' });
    await saying(at, ['a 8080'], 'last');
    const names = (await at.list(endpoints)).map(({ metadata }) => metadata.name);
    expect(names.toSorted((a, b) => a.localeCompare(b))).toEqual(['last', 'nobody', 'web']);
    expect((await at.get(endpoints)).subsets).toEqual([{ addresses: [{ ip: '10.9.9.9' }] }]);
    await at.merge(services, { spec: { selector: { app: 'web' } } });
    await saying(at, ['a 8080']);
  });
});
