/**
 * One informer in a process of its own. Argument: `Job` as JSON. Prints its `Measured` as one JSON line. Needs
 * --expose-gc. Modules are loaded before anything is measured; only the client at hand is loaded at all.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { keepFields } from '#pkg/cache';
import type { Pod } from '#pkg/api';
import type { KubernetesObject } from '@kubernetes/client-node';

export interface Job {
  readonly which: 'ours' | 'ours, projected' | 'ours, metadata only' | 'client-node';
  readonly kind: 'Pod' | 'ConfigMap';
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly count: number;
  /** To be watched after the list. */
  readonly updates: number;
  readonly watchTurns: boolean;
}

export interface Measured {
  /** CPU of the first list until every object was handed to a handler, ms. */
  readonly listCpu: number;
  readonly listTime: number;
  /** CPU of the updates, ms. */
  readonly updatesCpu: number;
  /** What the cache holds after a full collection, bytes. */
  readonly retained: number;
  /** Above what the process had before it began, bytes. */
  readonly peakRss: number;
  /**
   * The longest turn of the event loop during the first list, ms of the thread's CPU, so that other programs on the
   * machine do not count. 0 unless asked for, since looking costs CPU itself.
   */
  readonly pause: number;
}

const job = JSON.parse(process.argv[2]!) as Job;

/** Starts an informer; `add` and `update` are called for each object. */
type Start = (handler: { add: () => void; update: () => void }) => Promise<unknown>;

async function prepareOurs(): Promise<Start> {
  const { resources } = await import('#pkg/api');
  const { systemClock, systemRandom } = await import('#pkg/base');
  const { createInformerFactory } = await import('#pkg/cache');
  const { createClient } = await import('#pkg/client');
  const { silentLogger } = await import('#pkg/log');
  const { Metrics } = await import('#pkg/metrics');
  const { createHttpTransport } = await import('#pkg/transport');
  return async (handler) => {
    const metrics = new Metrics();
    const transport = createHttpTransport({ server: job.server, tls: { ca: { data: job.ca } } });
    const client = createClient({ transport, userAgent: 'bench', metrics });
    const factory = createInformerFactory({
      client,
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      metrics,
    });
    const podProjection = keepFields<Pod>('spec.nodeName', 'status.phase', 'status.conditions');
    const informer = job.which.endsWith('metadata only')
      ? factory.metadataInformer(job.kind === 'Pod' ? resources.pods : resources.configMaps)
      : job.kind === 'Pod'
        ? factory.informer(resources.pods, job.which.endsWith('projected') ? { transform: podProjection } : {})
        : factory.informer(resources.configMaps, job.which.endsWith('projected') ? { transform: keepFields() } : {});
    informer.addEventHandler({ onAdd: handler.add, onUpdate: handler.update });
    const stop = new AbortController();
    factory.start(stop.signal);
    await factory.waitForCacheSync(stop.signal);
    return { informer, stop };
  };
}

async function prepareClientNode(): Promise<Start> {
  const { CoreV1Api, KubeConfig, makeInformer } = await import('@kubernetes/client-node');
  return async (handler) => {
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: 'bench', server: job.server, caData: Buffer.from(job.ca).toString('base64') }],
      users: [{ name: 'bench' }],
      contexts: [{ name: 'bench', cluster: 'bench', user: 'bench' }],
      currentContext: 'bench',
    });
    const api = config.makeApiClient(CoreV1Api);
    async function run<T extends KubernetesObject>(informer: ReturnType<typeof makeInformer<T>>): Promise<unknown> {
      informer.on('add', handler.add);
      informer.on('update', handler.update);
      await informer.start();
      return informer;
    }
    return job.kind === 'Pod'
      ? run(makeInformer(config, '/api/v1/pods', () => api.listPodForAllNamespaces()))
      : run(makeInformer(config, '/api/v1/configmaps', () => api.listConfigMapForAllNamespaces()));
  };
}

function heap(): number {
  for (let i = 0; i < 3; i++) globalThis.gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const cpu = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1000;

/** Looks at every turn of the event loop; the function returned stops that and answers the longest one. */
function watchTurns(): () => number {
  let longest = 0;
  let last = threadCpu();
  let next = setImmediate(look);
  function look(): void {
    const now = threadCpu();
    longest = Math.max(longest, now - last);
    last = now;
    next = setImmediate(look);
  }
  return () => {
    clearImmediate(next);
    return longest;
  };
}

function threadCpu(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(5);
}

const start = job.which === 'client-node' ? await prepareClientNode() : await prepareOurs();
let added = 0;
let updated = 0;
const heapBefore = heap();
const rssBefore = process.memoryUsage().rss;
const cpuBefore = cpu();
const turns = job.watchTurns ? watchTurns() : () => 0;
const begun = performance.now();
const kept = await start({ add: () => added++, update: () => updated++ });
await until(() => added >= job.count);
const pause = turns();
const listCpu = cpu() - cpuBefore;
const listTime = performance.now() - begun;
const peakRss = process.resourceUsage().maxRSS * 1024 - rssBefore;
await sleep(500);
const retained = heap() - heapBefore;

let updatesCpu = 0;
if (job.updates > 0) {
  // Until the watch is open an update would be missed.
  await sleep(500);
  const before = cpu();
  process.send!({ touch: job.updates });
  await until(() => updated >= job.updates);
  updatesCpu = cpu() - before;
}
const measured: Measured = { listCpu, listTime, updatesCpu, retained, peakRss, pause };
console.log(JSON.stringify(measured));
if (kept === undefined) throw new Error('the cache was collected');
process.exit(0);
