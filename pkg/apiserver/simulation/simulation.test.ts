import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';
import { FakeClock } from '#pkg/testing';

import { type ApiServer, createApiServer } from '../api-server.ts';
import { type Simulation, type SimulationOptions, startSimulation } from './simulation.ts';

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName?: string };
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly {
      readonly restartCount: number;
      readonly ready: boolean;
      readonly state: Record<string, unknown>;
    }[];
  };
}

let clock: FakeClock;
let server: ApiServer;
let simulation: Simulation | undefined;

beforeEach(() => {
  clock = new FakeClock();
  server = createApiServer({ clock, random: seededRandom(1), freeze: true });
});
afterEach(async () => {
  simulation?.stop();
  simulation = undefined;
  await server.close();
  if (clock.pending > 0) throw new Error(`${clock.pending} timers left`);
});

function start(options: SimulationOptions = {}): void {
  simulation = startSimulation(server, { clock, random: seededRandom(2), ...options });
}

async function send(method: string, path: string, body?: unknown): Promise<number> {
  const headers = { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await server.inProcessTransport().roundTrip({ method, path, headers, ...sent });
  for await (const chunk of response.body) void chunk;
  return response.status;
}

const PODS = '/api/v1/namespaces/default/pods';

function create(
  name: string,
  { annotations = {}, spec = {}, ...metadata }: Record<string, object> = {},
): Promise<number> {
  const prefixed = Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [`simulation.kubernetes.io/${key}`, value]),
  );
  const body = {
    metadata: { name, annotations: prefixed, ...metadata },
    spec: { containers: [{ name: 'c', image: 'x' }], ...spec },
  };
  return send('POST', PODS, body);
}

function pod(name: string): Pod | undefined {
  return server.store.get('pods', `default/${name}`)?.object as unknown as Pod | undefined;
}

function isReady(name: string): boolean {
  return pod(name)?.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

describe('simulated nodes', () => {
  test('schedule, start and report Pods', async () => {
    start();
    await create('p');
    await clock.step(20);
    expect(pod('p')).toMatchObject({ spec: { nodeName: 'node-1' }, status: { phase: 'Pending' } });
    await clock.step(500);
    expect(pod('p')?.status).toMatchObject({
      phase: 'Running',
      hostIP: '10.0.1.1',
      containerStatuses: [{ ready: true, restartCount: 0 }],
    });
    expect(isReady('p')).toBe(true);
  });

  test('spread Pods evenly', async () => {
    start({ nodes: 3 });
    for (let i = 0; i < 9; i++) await create(`p${i}`);
    await clock.step(20);
    const nodes = Array.from({ length: 9 }, (_, i) => pod(`p${i}`)?.spec.nodeName);
    expect(['node-1', 'node-2', 'node-3'].map((name) => nodes.filter((node) => node === name).length)).toEqual([
      3, 3, 3,
    ]);
  });

  test.each([
    [
      'a selector that no node answers',
      { nodeSelector: { disk: 'ssd' } },
      "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.",
    ],
    [
      'more than there is',
      { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '9' } } }] },
      '0/1 nodes are available: 1 Insufficient cpu.',
    ],
  ])('say why they cannot take a Pod: %s', async (_, spec, message) => {
    start({ nodes: 1 });
    await create('p', { spec });
    await clock.step(1000);
    expect(pod('p')?.spec.nodeName).toBeUndefined();
    expect(pod('p')?.status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False', message }]);
  });

  test('take a waiting Pod when a node changes or a Pod goes', async () => {
    start({ nodes: 1, node: { pods: 1 } });
    await send('PATCH', '/api/v1/nodes/node-1', { spec: { unschedulable: true } });
    await create('p');
    await clock.step(1000);
    expect(pod('p')?.spec.nodeName).toBeUndefined();
    await send('PATCH', '/api/v1/nodes/node-1', { spec: { unschedulable: null } });
    await clock.step(1000);
    expect(isReady('p')).toBe(true);
    await create('q');
    await clock.step(1000);
    expect(pod('q')?.spec.nodeName).toBeUndefined();
    await send('DELETE', `${PODS}/p?gracePeriodSeconds=0`);
    await clock.step(1000);
    expect(isReady('q')).toBe(true);
  });

  test('keep Pods off taints they do not tolerate', async () => {
    start({ nodes: 2 });
    await send('PATCH', '/api/v1/nodes/node-1', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } });
    await create('p');
    await create('q', {
      spec: { tolerations: [{ key: 'k', operator: 'Exists' }], nodeSelector: { 'kubernetes.io/hostname': 'node-1' } },
    });
    await clock.step(20);
    expect([pod('p')?.spec.nodeName, pod('q')?.spec.nodeName]).toEqual(['node-2', 'node-1']);
  });

  test('do as annotations say', async () => {
    start();
    await create('late', { annotations: { 'start-delay': '5s' } });
    await create('never', { annotations: { 'never-ready': 'true' } });
    await create('done', { annotations: { 'run-duration': '1s' }, spec: { restartPolicy: 'Never' } });
    await create('failed', {
      annotations: { 'run-duration': '1s', 'exit-code': '3' },
      spec: { restartPolicy: 'Never' },
    });
    await create('crashing', { annotations: { 'run-duration': '1s', 'exit-code': '1' } });
    await clock.step(4000);
    expect([pod('late')?.status.phase, pod('never')?.status.phase, isReady('never')]).toEqual([
      'Pending',
      'Running',
      false,
    ]);
    expect([pod('done')?.status.phase, pod('failed')?.status.phase]).toEqual(['Succeeded', 'Failed']);
    expect(pod('failed')?.status.containerStatuses?.[0]?.state).toMatchObject({
      terminated: { exitCode: 3, reason: 'Error' },
    });
    expect(pod('crashing')?.status.containerStatuses?.[0]).toMatchObject({
      restartCount: 2,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
    });
    await clock.step(2000);
    expect(isReady('late')).toBe(true);
  });

  test('let Pods go gracefully, and wait for finalizers', async () => {
    start();
    await create('p');
    await create('q', { finalizers: ['example.com/hold'] });
    await clock.step(1000);
    await send('DELETE', `${PODS}/p`);
    await send('DELETE', `${PODS}/q`);
    await clock.step(100);
    expect(pod('p')?.metadata.deletionTimestamp).toBeDefined();
    await clock.step(1000);
    expect(pod('p')).toBeUndefined();
    expect(pod('q')?.status.phase).toBe('Succeeded');
    await send('PATCH', `${PODS}/q`, { metadata: { finalizers: null } });
    expect(pod('q')).toBeUndefined();
  });

  test('forget a Pod that is replaced by another of its name', async () => {
    start();
    await create('p', { annotations: { 'start-delay': '1s' } });
    await clock.step(500);
    await send('DELETE', `${PODS}/p?gracePeriodSeconds=0`);
    await create('p', { annotations: { 'start-delay': '10s' } });
    await clock.step(2000);
    expect(pod('p')?.status.phase).toBe('Pending');
  });

  test('renew their leases where asked', async () => {
    start({ nodes: 2, heartbeat: 10_000 });
    const renewed = (): unknown =>
      (
        server.store.get('leases.coordination.k8s.io', 'kube-node-lease/node-2')!.object['spec'] as {
          renewTime: string;
        }
      ).renewTime;
    const first = renewed();
    await clock.step(10_000);
    expect(renewed()).not.toBe(first);
  });
});
