/**
 * What a key costs on its way through the queue, hosted as controllers host it (worker loops in p-queue, metrics on),
 * against the same work given to p-queue as tasks. CPU time, median of several rounds.
 */
import PQueue from 'p-queue';
import { systemClock } from '#pkg/base';
import { Metrics } from '#pkg/metrics';
import { type RateLimitingQueue, createRateLimitingQueue } from '#pkg/workqueue';
import { figure } from './report.ts';

const WORKERS = 5;
const ROUNDS = 7;

/** Stands for a sync that finds nothing to do. */
async function work(): Promise<void> {}

const createQueue = (): RateLimitingQueue<string> =>
  createRateLimitingQueue<string>({ name: 'bench', clock: systemClock, metrics: new Metrics() });

function host(queue: RateLimitingQueue<string>): PQueue {
  const workers = new PQueue({ concurrency: WORKERS });
  for (let i = 0; i < WORKERS; i++) {
    void workers.add(async () => {
      for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
        await work();
        queue.forget(key);
        queue.done(key);
      }
    });
  }
  return workers;
}

async function ours(keys: readonly string[]): Promise<void> {
  const queue = createQueue();
  for (const key of keys) queue.add(key);
  const workers = host(queue);
  queue.shutDown();
  await workers.onIdle();
}

async function theirs(keys: readonly string[]): Promise<void> {
  const queue = new PQueue({ concurrency: WORKERS });
  for (let i = 0; i < keys.length; i++) void queue.add(work);
  await queue.onIdle();
}

/** Keys come one by one to workers that wait for them. */
async function oursIdle(keys: readonly string[]): Promise<void> {
  const queue = createQueue();
  const workers = host(queue);
  for (const key of keys) {
    queue.add(key);
    await Promise.resolve();
  }
  queue.shutDown();
  await workers.onIdle();
}

async function theirsIdle(keys: readonly string[]): Promise<void> {
  const queue = new PQueue({ concurrency: WORKERS });
  for (let i = 0; i < keys.length; i++) await queue.add(work);
}

/** Every key is delayed before it is worked on, as after a failure. */
async function oursDelayed(keys: readonly string[]): Promise<void> {
  const queue = createQueue();
  for (let i = 0; i < keys.length; i++) queue.addAfter(keys[i]!, 1 + ((i * 7919) % 50));
  for (let i = 0; i < keys.length; i++) queue.done((await queue.get())!);
  queue.shutDown();
}

async function theirsDelayed(keys: readonly string[]): Promise<void> {
  const queue = new PQueue({ concurrency: WORKERS });
  await Promise.all(
    keys.map(
      (_key, i) =>
        new Promise<void>((resolve) => setTimeout(() => void queue.add(work).then(resolve), 1 + ((i * 7919) % 50))),
    ),
  );
}

async function microseconds(run: (keys: readonly string[]) => Promise<void>, keys: readonly string[]): Promise<number> {
  await run(keys);
  const rounds: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    globalThis.gc?.();
    const start = process.cpuUsage();
    await run(keys);
    const { user, system } = process.cpuUsage(start);
    rounds.push((user + system) / keys.length);
  }
  return rounds.toSorted((a, b) => a - b)[ROUNDS >> 1]!;
}

async function compare(
  name: string,
  keys: readonly string[],
  run: (keys: readonly string[]) => Promise<void>,
  other: (keys: readonly string[]) => Promise<void>,
): Promise<void> {
  const value = await microseconds(run, keys);
  const against = await microseconds(other, keys);
  figure({ bench: 'workqueue', figure: name, value, unit: 'µs CPU per key', against, ratio: value / against });
}

const distinct = Array.from({ length: 100_000 }, (_, i) => `namespace-${i % 50}/object-${i}`);
const repeated = Array.from({ length: 100_000 }, (_, i) => `namespace-${i % 50}/object-${i % 1000}`);

await compare('backlog of 100,000 keys', distinct, ours, theirs);
await compare('backlog of 1,000 keys, each added 100 times', repeated, ours, theirs);
await compare('keys one by one to waiting workers', distinct, oursIdle, theirsIdle);
await compare('100,000 keys delayed by 1 to 50 ms', distinct, oursDelayed, theirsDelayed);
