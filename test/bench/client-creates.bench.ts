import { fork } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import PQueue from 'p-queue';

import { resources } from '#pkg/api';
import { createClient } from '#pkg/client';
import { Metrics } from '#pkg/metrics';
import { createHttpTransport } from '#pkg/transport';

import { type Cost, costOf, figure } from './report.ts';

/** Small creates, ten at a time, through our client and through client-node's generated one, to the same server. */
const BENCH = 'client-creates';
const CREATES = 10_000;
/** The generated client takes milliseconds each; fewer are enough to know how many. */
const CREATES_GENERATED = 2_000;
const CONCURRENCY = 10;

const child = fork(join(import.meta.dirname, 'client-creates.server.ts'), {
  stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
});
const line = await new Promise<string>((resolve) => createInterface({ input: child.stdout! }).once('line', resolve));
const { port, ca } = JSON.parse(line) as { port: number; ca: string };
const server = `https://127.0.0.1:${port}`;

const configMap = (i: number) => ({ metadata: { name: `small-${i}`, namespace: 'default' }, data: { key: 'value' } });

async function many(count: number, create: (i: number) => Promise<unknown>): Promise<void> {
  const queue = new PQueue({ concurrency: CONCURRENCY });
  for (let i = 0; i < count; i++) void queue.add(() => create(i));
  await queue.onIdle();
}

async function measure(count: number, create: (i: number) => Promise<unknown>): Promise<Cost> {
  await many(count / 10, create);
  const { cpu, wall } = await costOf(() => many(count, create));
  return { cpu: cpu / count, wall: wall / count };
}

async function ours(protocol: 'auto' | 'http1'): Promise<Cost> {
  const transport = createHttpTransport({ server, tls: { ca: { data: ca } }, environment: {}, protocol });
  const client = createClient({ transport, userAgent: 'bench/v1', qps: -1, metrics: new Metrics() });
  const cost = await measure(CREATES, (i) => client.resource(resources.configMaps).create(configMap(i)));
  await transport.close();
  return cost;
}

async function generated(): Promise<Cost> {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'bench', server, caData: Buffer.from(ca).toString('base64'), skipTLSVerify: false }],
    users: [{ name: 'bench', token: 'bench' }],
    contexts: [{ name: 'bench', cluster: 'bench', user: 'bench' }],
    currentContext: 'bench',
  });
  const api = config.makeApiClient(CoreV1Api);
  return measure(CREATES_GENERATED, (i) => api.createNamespacedConfigMap({ namespace: 'default', body: configMap(i) }));
}

const theirs = await generated();
const http2 = await ours('auto');
const http1 = await ours('http1');
const compare = (name: string, value: number, against: number): void =>
  figure({ bench: BENCH, figure: name, value, unit: 'ms', against, ratio: value / against });
compare('CPU per create, HTTP/2', http2.cpu, theirs.cpu);
compare('CPU per create, HTTP/1.1', http1.cpu, theirs.cpu);
compare('time per create, HTTP/2', http2.wall, theirs.wall);
compare('time per create, HTTP/1.1', http1.wall, theirs.wall);
child.disconnect();
