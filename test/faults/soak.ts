/**
 * The controller manager under steady churn, Deployments created, updated, scaled and deleted, with its memory sampled
 * after full garbage collections. Whatever it keeps an object, it has to give back: after warming up, the live heap stays flat.
 *
 *     node test/faults/soak.ts [minutes, 10] [seed]
 */
import { setTimeout as pause } from 'node:timers/promises';

import { type KubeObject, type ResourceType, isConflict, isNotFound, resourcePath, resources } from '#pkg/api';
import { describeError, seededRandom } from '#pkg/base';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { DaemonWorld } from './daemon-world.ts';

const minutes = Number(process.argv[2] ?? 10);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000_000);
const random = seededRandom(seed);
/** Deployments alive at most. */
const MOST = 30;
const SAMPLES = 20;
/** The live heap may grow from the first half of the samples to the second by this, as a share. */
const GROWTH = 0.05;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const mega = (bytes: number): number => Number((bytes / 2 ** 20).toFixed(2));

async function churn(world: DaemonWorld, alive: Set<string>, count: number): Promise<void> {
  const deployments = world.client.resource(resources.deployments);
  const names = [...alive];
  const name = names[Math.floor(random() * names.length)];
  const at = { namespace: world.namespace, name: name ?? '' };
  const what = random();
  if (name === undefined || (what < 0.35 && alive.size < MOST)) {
    const created = await world.create(`web-${count}`);
    alive.add(created.metadata.name);
  } else if (what < 0.65) {
    await deployments.patch(at, 'merge', { spec: { replicas: Math.floor(random() * 4) } });
  } else if (what < 0.8) {
    await deployments.patch(at, 'merge', { spec: { template: { metadata: { annotations: { count: String(count) } } } } });
  } else {
    alive.delete(name);
    await deployments.delete(at);
    // Where nothing collects garbage, what is left would pile up, in the server and so in the caches.
    await pause(300);
    await sweep(world, resources.replicaSets, `app=${name}`);
    await sweep(world, resources.pods, `app=${name}`);
  }
}

async function sweep(world: DaemonWorld, type: ResourceType<KubeObject>, labelSelector = ''): Promise<void> {
  const path = `${resourcePath(type, world.namespace)}?labelSelector=${encodeURIComponent(labelSelector)}`;
  await world.client.request({ method: 'DELETE', path, body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 } });
}

/** Nothing is left of the fleet, and the daemon has nothing more to do. */
async function empty(world: DaemonWorld, alive: Set<string>): Promise<void> {
  const at = { namespace: world.namespace };
  alive.clear();
  for (let left = 1; left > 0; ) {
    for (const type of [resources.deployments, resources.replicaSets, resources.pods]) await sweep(world, type);
    await pause(500);
    left = (await world.client.resource(resources.pods).list(at)).items.length + (await world.client.resource(resources.replicaSets).list(at)).items.length;
  }
}

async function main(): Promise<boolean> {
  print(`soaking on a ${controlPlaneKind()} for ${minutes} minutes, seed ${seed}`);
  const world = await DaemonWorld.start();
  const heaps: number[] = [];
  try {
    await world.populate(0);
    const alive = new Set<string>();
    let count = 0;
    for (let sample = 1; sample <= SAMPLES; sample++) {
      for (const end = performance.now() + (minutes * 60_000) / SAMPLES; performance.now() < end; count++) {
        await churn(world, alive, count).catch((error: unknown) => {
          if (!isConflict(error) && !isNotFound(error)) throw error;
        });
        await pause(30);
      }
      // Sampled when nothing is there, so that what counts is what was kept of what has gone.
      await empty(world, alive);
      await world.settled();
      const resident = world.resident();
      const { heapUsed, external, rss, sockets, resources: active } = await world.footprint();
      heaps.push(heapUsed);
      const traffic = world.traffic(0);
      print(JSON.stringify({ sample, changes: count, writes: traffic.writes, heap: mega(heapUsed), external: mega(external), resident: mega(resident), residentAfterCollection: mega(rss), sockets, active }));
    }
  } finally {
    await world.stop();
  }
  // The first quarter warms up.
  const rest = heaps.slice(SAMPLES / 4);
  const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
  const before = median(rest.slice(0, rest.length / 2));
  const after = median(rest.slice(rest.length / 2));
  print(`live heap: ${mega(before)} MiB, later ${mega(after)} MiB`);
  return after < before * (1 + GROWTH);
}

try {
  const flat = await main();
  print(flat ? 'flat' : `FAILED, seed ${seed}: it grows`);
  process.exitCode = flat ? 0 : 1;
} catch (error) {
  print(`FAILED, seed ${seed}: ${describeError(error)}`);
  process.exitCode = 1;
}
