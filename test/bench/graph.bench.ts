/**
 * The garbage collector's graph alone: 50,000 objects listed as metadata in pages, as the API server sends them, each with
 * labels, annotations and an owner. What it keeps for each, how long it takes to be filled, and for how long at most the
 * event loop is held meanwhile and while half of the objects go.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

import { ApiError, type KubeList, type KubeObject, type WatchEvent, resources } from '#pkg/api';
import { seededRandom, systemClock } from '#pkg/base';
import { type InformerClient, createInformerFactory } from '#pkg/cache';
import { silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';

import { Graph } from '../../controllers/garbagecollector/graph.ts';
import { Monitors } from '../../controllers/garbagecollector/monitors.ts';
import { figure } from './report.ts';

const OBJECTS = 50_000;
const FAMILY = 20;
const PAGE = 500;
const AIM_BYTES = 400;
const AIM_PAUSE = 50;

const uidOf = (i: number): string =>
  `${(i + 0x10000000).toString(16)}-89ab-4cde-8123-${(i + 0x100000000000).toString(16)}`;
const ownerOf = (i: number): number => i - (i % FAMILY);

/** As text, so that each object is parsed on its way in and shares nothing with another. */
function textOf(i: number): string {
  const owner = ownerOf(i);
  return JSON.stringify({
    metadata: {
      name: `application-${owner}-${i}-x7k2p`,
      namespace: `tenant-${owner % 100}`,
      uid: uidOf(i),
      resourceVersion: String(100_000 + i),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: {
        'app.kubernetes.io/name': `application-${owner}`,
        'app.kubernetes.io/instance': `application-${i}`,
        tier: 'backend',
      },
      annotations: { 'example.com/checksum': uidOf(i).repeat(4) },
      ...(i === owner
        ? {}
        : {
            ownerReferences: [
              {
                apiVersion: 'v1',
                kind: 'ConfigMap',
                name: `application-${owner}-${owner}-x7k2p`,
                uid: uidOf(owner),
                controller: true,
                blockOwnerDeletion: true,
              },
            ],
          }),
    },
  });
}

/** Pages on demand, and then, when told to, deletions one after the other. */
class Source {
  #remove = Promise.withResolvers<void>();

  readonly client = { resource: () => ({ list: this.list, watch: this.watch }) } as unknown as InformerClient;

  list = async ({ continue: token = '0' }: { readonly continue?: string } = {}): Promise<KubeList<KubeObject>> => {
    await nextTurn();
    const first = Number(token);
    const items = Array.from({ length: PAGE }, (_, i) => textOf(first + i)).join();
    const next = first + PAGE < OBJECTS ? { continue: String(first + PAGE) } : {};
    return { metadata: { resourceVersion: '500000', ...next }, items: JSON.parse(`[${items}]`) as KubeObject[] };
  };

  watch = (
    options: { readonly sendInitialEvents?: boolean; readonly signal?: AbortSignal } = {},
  ): AsyncIterable<WatchEvent<KubeObject>> => this.#events(options);

  async *#events({
    sendInitialEvents,
    signal,
  }: {
    readonly sendInitialEvents?: boolean;
    readonly signal?: AbortSignal;
  }): AsyncGenerator<WatchEvent<KubeObject>> {
    if (sendInitialEvents) throw new ApiError({ code: 400, reason: 'BadRequest' });
    await this.#remove.promise;
    for (let i = 0; i < OBJECTS / 2; i++) {
      const object = JSON.parse(textOf(i)) as KubeObject;
      yield {
        type: 'DELETED',
        object: { ...object, metadata: { ...object.metadata, resourceVersion: String(600_000 + i) } },
      };
      if (i % 100 === 0) await nextTurn();
    }
    await new Promise((resolve) => signal?.addEventListener('abort', resolve, { once: true }));
  }

  removeHalf(): void {
    this.#remove.resolve();
  }
}

function heap(): number {
  for (let i = 0; i < 3; i++) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

const now = () => {
  const { user, system } = process.threadCpuUsage();
  return { cpu: (user + system) / 1000, wall: performance.now() };
};

/** Runs until `done`; the longest time between two turns of the event loop, ms. What others take of the machine does not count. */
async function longestTurn(done: () => boolean): Promise<number> {
  let longest = 0;
  let last = now();
  while (!done()) {
    await nextTurn();
    const here = now();
    longest = Math.max(longest, Math.min(here.wall - last.wall, here.cpu - last.cpu));
    last = here;
  }
  return longest;
}

const source = new Source();
let suspects = 0;
const graph = new Graph({ suspect: () => suspects++, orphans: () => {}, misplaced: () => {} });
const informers = createInformerFactory({
  client: source.client,
  clock: systemClock,
  random: seededRandom(1),
  log: silentLogger,
  metrics: new Metrics(),
});
const monitors = new Monitors({ informers, graph, clock: systemClock, log: silentLogger, onDefinition: () => {} });
// What is loaded and compiled once does not count.
for (let i = 0; i < 2000; i++) JSON.parse(textOf(i));

const before = heap();
const started = performance.now();
monitors.adjust([resources.configMaps], () => false);
const filling = await longestTurn(() => monitors.synced);
const seconds = (performance.now() - started) / 1000;
const bytes = (heap() - before) / OBJECTS;
if (graph.size !== OBJECTS) throw new Error(`the graph has ${graph.size} objects`);
source.removeHalf();
const removing = await longestTurn(() => graph.size <= OBJECTS / 2);
await monitors.stop();

figure({
  bench: 'graph',
  figure: 'heap kept an object',
  value: bytes,
  unit: 'B',
  against: AIM_BYTES,
  ratio: bytes / AIM_BYTES,
});
figure({ bench: 'graph', figure: `time to fill with ${OBJECTS}`, value: seconds, unit: 's' });
figure({
  bench: 'graph',
  figure: 'longest turn while filling',
  value: filling,
  unit: 'ms',
  against: AIM_PAUSE,
  ratio: filling / AIM_PAUSE,
});
figure({
  bench: 'graph',
  figure: 'longest turn while half goes',
  value: removing,
  unit: 'ms',
  against: AIM_PAUSE,
  ratio: removing / AIM_PAUSE,
});
