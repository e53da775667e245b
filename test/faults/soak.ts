/**
 * The controller manager under steady churn, Deployments scaled, updated, deleted and created, with its memory sampled at
 * rest after full garbage collections: what it keeps of what has gone it has to give back, so that the live heap stays flat.
 *
 *     node test/faults/soak.ts [minutes, 10] [seed]
 *
 * In much less than 10 minutes the correlators of events, which remember the last 4096, are still filling: it then fails.
 */
import { setTimeout as pause } from 'node:timers/promises';

import { type ResourceType, isConflict, isNotFound, resourcePath, resources } from '#pkg/api';
import { describeError, seededRandom } from '#pkg/base';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { DaemonWorld } from './daemon-world.ts';

const minutes = Number(process.argv[2] ?? 10);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000_000);
const random = seededRandom(seed);
/** Deployments alive at most. */
const MOST = 30;
const SAMPLES = 21;
const REVISIONS = 2;
/** The live heap may grow by this from the middle of the samples before to that of those after, as a share. */
const GROWTH = 0.02;
/** Besides by this, bytes, for each object that was new: the correlators remember about whom events were, too, up to 4096. */
const REMEMBERED = 8000;
/** Objects told about: a Deployment and its ReplicaSets. */
const OBJECTS = 1 + REVISIONS;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const mega = (bytes: number): number => Number((bytes / 2 ** 20).toFixed(2));

async function churn(world: DaemonWorld, alive: Set<string>, count: number): Promise<void> {
  const deployments = world.client.resource(resources.deployments);
  const names = [...alive];
  const name = names[Math.floor(random() * names.length)];
  const at = { namespace: world.namespace, name: name ?? '' };
  const what = random();
  if (name === undefined || alive.size < MOST) {
    const created = await world.create(`web-${count}`);
    alive.add(created.metadata.name);
  } else if (what < 0.6) {
    await deployments.patch(at, 'merge', { spec: { replicas: Math.floor(random() * 4) } });
  } else if (what < 0.95) {
    // One of few, so that old ReplicaSets come back.
    const revision = String(Math.floor(random() * REVISIONS));
    await deployments.patch(at, 'merge', { spec: { template: { metadata: { annotations: { revision } } } } });
  } else {
    alive.delete(name);
    await deployments.delete(at);
    // Where nothing collects garbage, what is left would pile up, in the server and so in the caches.
    await pause(300);
    await sweep(world, resources.replicaSets, `app=${name}`);
    await sweep(world, resources.pods, `app=${name}`);
  }
}

async function sweep(world: DaemonWorld, type: ResourceType, labelSelector = ''): Promise<void> {
  const path = `${resourcePath(type, world.namespace)}?labelSelector=${encodeURIComponent(labelSelector)}`;
  await world.client.request({
    method: 'DELETE',
    path,
    body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 },
  });
}

/** Everything stands at the same, whatever was done to it. */
async function calmDown(world: DaemonWorld, alive: ReadonlySet<string>): Promise<void> {
  const spec = { replicas: 2, template: { metadata: { annotations: { revision: '0' } } } };
  for (const name of alive)
    await world.client.resource(resources.deployments).patch({ namespace: world.namespace, name }, 'merge', { spec });
  await world.settled();
}

async function main(): Promise<boolean> {
  print(`soaking on a ${controlPlaneKind()} for ${minutes} minutes, seed ${seed}`);
  const world = await DaemonWorld.start();
  const heaps: number[] = [];
  const created: number[] = [];
  try {
    await world.populate(0);
    const alive = new Set<string>();
    let count = 0;
    let creations = 0;
    for (let sample = 1; sample <= SAMPLES; sample++) {
      for (const end = performance.now() + (minutes * 60_000) / SAMPLES; performance.now() < end; count++) {
        if (alive.size < MOST) creations++;
        await churn(world, alive, count).catch((error: unknown) => {
          if (!isConflict(error) && !isNotFound(error)) throw error;
        });
        await pause(30);
      }
      await calmDown(world, alive);
      const resident = world.resident();
      const { heapUsed, external, rss, sockets, resources: active } = await world.footprint();
      heaps.push(heapUsed);
      created.push(creations);
      const traffic = world.traffic(0);
      print(
        JSON.stringify({
          sample,
          changes: count,
          creations,
          writes: traffic.writes,
          heap: mega(heapUsed),
          external: mega(external),
          resident: mega(resident),
          residentAfterCollection: mega(rss),
          sockets,
          active,
        }),
      );
    }
  } finally {
    await world.stop();
  }
  // The first third warms up.
  const median = (values: readonly number[]): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const [early, late] = [
    [SAMPLES / 3, (2 * SAMPLES) / 3],
    [(2 * SAMPLES) / 3, SAMPLES],
  ].map(([from, to]) => [heaps, created].map((all) => median(all.slice(from, to))));
  const allowed = early![0]! * (1 + GROWTH) + (late![1]! - early![1]!) * OBJECTS * REMEMBERED;
  print(`live heap: ${mega(early![0]!)} MiB, later ${mega(late![0]!)} MiB, of ${mega(allowed)} MiB allowed`);
  return late![0]! < allowed;
}

try {
  const flat = await main();
  print(flat ? 'flat' : `FAILED, seed ${seed}: it grows`);
  process.exitCode = flat ? 0 : 1;
} catch (error) {
  print(`FAILED, seed ${seed}: ${describeError(error)}`);
  process.exitCode = 1;
}
