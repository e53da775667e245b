import { afterEach, describe, expect, test } from 'vitest';

import { ApiError, type ConfigMap, resources } from '#pkg/api';
import { type Fields, type Logger, silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';
import { FakeClock, FakeCluster, LaggingInformers, settle } from '#pkg/testing';

import type { Controller } from '../definition/definition.ts';
import { type LoopOptions, createLoop } from './loop.ts';
import { forObject, on } from '../source/triggers.ts';
import { ConsistencyStore } from '../ownership/consistency-store.ts';

const { configMaps } = resources;

/** Info, warning and error lines: `E Error syncing default/a`. */
function recorder(lines: string[]): Logger {
  const line = (level: string, message: string, fields?: Fields): void =>
    void lines.push([level, message, fields?.['configMap']].filter(Boolean).join(' '));
  const log: Logger = {
    ...silentLogger,
    info: (message, fields) => line('I', message, fields),
    error: (message, _error, fields) => line('E', message, fields),
    v: (level) => (level <= 2 ? log : undefined),
  };
  return log;
}

let end: (() => Promise<void>) | undefined;
afterEach(() => end?.());

function setUp(options: Partial<LoopOptions> & Pick<LoopOptions, 'reconcile'>, lag = 0) {
  const clock = new FakeClock();
  const cluster = new FakeCluster({ clock });
  const informers = new LaggingInformers({ cluster, clock, lag: () => lag });
  const lines: string[] = [];
  const metrics = new Metrics();
  const abort = new AbortController();
  const context = { name: 'test-controller', informers, clock, metrics, log: recorder(lines) };
  const loop: Controller = createLoop(context, {
    queue: 'test',
    resource: configMaps,
    workers: 2,
    triggers: [forObject(configMaps)],
    ...options,
  });
  let ended = false;
  const run = (): Promise<void> => loop.run(abort.signal).finally(() => (ended = true));
  end = async () => {
    abort.abort(new DOMException('test ends', 'AbortError'));
    await settle();
  };
  const start = async (): Promise<Promise<void>> => {
    informers.start(abort.signal);
    const running = run();
    await clock.step(lag);
    return running;
  };
  const put = (name: string): ConfigMap => cluster.create(configMaps, { metadata: { name } });
  const touch = (name: string): ConfigMap =>
    cluster.change(configMaps, `default/${name}`, (map) => ({ ...map, data: { at: cluster.resourceVersion } }));
  return { clock, cluster, informers, lines, abort, loop, start, put, touch, metrics, hasEnded: () => ended };
}

describe('work', () => {
  test('begins when the caches are filled, with each object once', async () => {
    const keys: string[] = [];
    const { clock, start, put } = setUp({ reconcile: async (key) => void keys.push(key) }, 5000);
    put('a');
    put('b');
    await Promise.race([start(), clock.step(0)]);
    await clock.step(100);
    expect(keys.toSorted()).toEqual(['default/a', 'default/b']);
  });

  test('one key at a time, as many keys as workers, and a change meanwhile brings the key back', async () => {
    const running = new Set<string>();
    const seen: string[] = [];
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const { clock, loop, start, put, touch } = setUp({
      async reconcile(key) {
        expect(running.has(key)).toBe(false);
        running.add(key);
        seen.push(key);
        await gate;
        running.delete(key);
      },
    });
    for (const name of ['a', 'b', 'c']) put(name);
    void start();
    await clock.step(100);
    expect(loop.running?.()).toEqual(['default/a', 'default/b']);
    touch('a');
    await clock.step(100);
    expect(seen).toEqual(['default/a', 'default/b']);
    release();
    await clock.step(100);
    expect(seen).toEqual(['default/a', 'default/b', 'default/c', 'default/a']);
    expect(loop.running?.()).toEqual([]);
  });

  test('a key that always asks to come back at once comes back later and later', async () => {
    let count = 0;
    const { clock, start, put } = setUp({
      async reconcile() {
        return count++ < 500 ? { requeueAfter: 0 } : undefined;
      },
    });
    put('a');
    void start();
    await clock.step(10);
    expect(count).toBe(2);
    // 5 ms, doubling: the 15th comes after 82 s.
    await clock.step(100_000);
    expect(count).toBeLessThan(16);
  });

  test('requeueAfter brings a key back, and a trigger may delay one', async () => {
    const times: number[] = [];
    const { clock, start, put } = setUp({
      triggers: [on(configMaps, { add: () => [{ key: 'later', after: 3000 }] })],
      reconcile: async () => {
        times.push(clock.monotonic());
        return times.length < 3 ? { requeueAfter: 10_000 } : undefined;
      },
    });
    put('a');
    void start();
    await clock.step(60_000);
    expect(times).toEqual([3000, 13_000, 23_000]);
  });

  test('resyncs are told for the object itself, and dropped for others', async () => {
    let own = 0;
    let others = 0;
    const { clock, informers, start, put } = setUp({
      triggers: [forObject(configMaps), on(configMaps, { update: () => (others++, []) })],
      reconcile: async () => void own++,
    });
    put('a');
    void start();
    await clock.step(100);
    informers.resync();
    await clock.step(100);
    expect([own, others]).toEqual([2, 0]);
  });
});

describe('failures', () => {
  test('come back with growing delay, and are forgotten after a success', async () => {
    const times: number[] = [];
    const { clock, lines, start, put } = setUp({
      reconcile: async () => {
        times.push(clock.monotonic());
        if (times.length < 6) throw new Error('no');
      },
    });
    put('a');
    void start();
    await clock.step(10_000);
    const gaps = times.slice(1).map((time, i) => time - times[i]!);
    expect(gaps).toEqual([5, 10, 20, 40, 80]);
    expect(lines.filter((line) => line.startsWith('E'))).toEqual(
      Array.from({ length: 5 }, () => 'E Error syncing default/a'),
    );
  });

  test('of one key do not hold up others, whatever is thrown', async () => {
    const done: string[] = [];
    const { clock, loop, start, put, lines } = setUp({
      workers: 1,
      async reconcile(key) {
        if (key === 'default/a') throw undefined;
        if (key === 'default/b') (null as unknown as { x: () => void }).x();
        done.push(key);
      },
    });
    for (const name of ['a', 'b', 'c']) put(name);
    void start();
    await clock.step(1000);
    expect(done).toEqual(['default/c']);
    expect(lines).toContain('E Observed a panic default/b');
    expect(() => loop.healthy?.()).not.toThrow();
  });

  test.each([
    [
      'a conflict is told quietly and tried again',
      { code: 409, reason: 'Conflict' },
      'I Conflict while syncing, will retry default/a',
      true,
    ],
    [
      'a namespace that goes away ends it',
      { code: 403, reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } },
      'I The namespace is being terminated default/a',
      false,
    ],
  ])('%s', async (_name, status, line, again) => {
    let calls = 0;
    const { clock, lines, start, put } = setUp({
      async reconcile() {
        calls++;
        throw new ApiError(status);
      },
    });
    put('a');
    void start();
    await clock.step(1000);
    expect(lines).toContain(line);
    expect(lines.filter((one) => one.startsWith('E'))).toEqual([]);
    expect(calls > 1).toBe(again);
  });

  test('in a row beyond maxRetries drop the key until its next change', async () => {
    let calls = 0;
    const { clock, lines, start, put, touch } = setUp({
      maxRetries: 3,
      async reconcile() {
        calls++;
        throw new Error('no');
      },
    });
    put('a');
    void start();
    await clock.step(100_000);
    expect(calls).toBe(4);
    expect(lines.at(-1)).toBe('E Dropping out of the queue default/a');
    touch('a');
    await clock.step(100_000);
    expect(calls).toBe(8);
  });
});

test('a key waits until the caches have read its own writes, then comes back by itself', async () => {
  const seen: { at: number; data: unknown }[] = [];
  const stores: ConsistencyStore[] = [];
  const world = setUp(
    {
      reconcile: async (key) => {
        const { clock, cluster, informers } = world;
        seen.push({ at: clock.monotonic(), data: informers.informer(configMaps).lister.get(key)?.data });
        if (seen.length > 1) return;
        const written = cluster.change(configMaps, key, (map) => ({ ...map, data: { written: 'yes' } }));
        stores[0]!.wroteAt(key, written.metadata.uid, configMaps, written.metadata.resourceVersion);
        return { requeueAfter: 10 };
      },
      consistency: { ensureReady: (key: string) => stores[0]?.ensureReady(key) } as ConsistencyStore,
    },
    1000,
  );
  const { clock, informers, metrics, start, put } = world;
  stores.push(new ConsistencyStore({ informers: [informers.informer(configMaps)], metrics, subsystem: 'test' }));
  put('a');
  void start();
  await clock.step(5000);
  expect(seen).toEqual([
    { at: 1000, data: undefined },
    { at: 2000, data: { written: 'yes' } },
  ]);
});

describe('the stop', () => {
  test('waits for what runs, names it, starts nothing more, and leaves no timer', async () => {
    const started: string[] = [];
    let release = (): void => {};
    const { clock, abort, lines, loop, start, put, hasEnded } = setUp({
      workers: 1,
      async reconcile(key) {
        started.push(key);
        await new Promise<void>((resolve) => (release = resolve));
      },
    });
    put('a');
    put('b');
    const running = start();
    await clock.step(100);
    abort.abort(new Error('stop'));
    await settle();
    expect(hasEnded()).toBe(false);
    expect(loop.running?.()).toEqual(['default/a']);
    release();
    await running;
    expect(started).toEqual(['default/a']);
    expect(lines.slice(-2)).toEqual(['I Shutting down controller', 'I Controller stopped']);
    expect(clock.pending).toBe(0);
  });

  test('before the caches are filled ends at once', async () => {
    const { clock, abort, loop } = setUp({ reconcile: async () => {} });
    const running = loop.run(abort.signal);
    await settle();
    abort.abort(new Error('stop'));
    await running;
    expect(clock.pending).toBe(0);
  });

  test('is what a loop without workers waits for', async () => {
    const { clock, abort, start, put, hasEnded } = setUp({
      workers: 0,
      reconcile: () => Promise.reject(new Error('never called')),
    });
    put('a');
    const running = start();
    await clock.step(1000);
    expect(hasEnded()).toBe(false);
    abort.abort(new Error('stop'));
    await running;
    expect(hasEnded()).toBe(true);
  });

  test('a reconcile that ends because of it is no error', async () => {
    const { clock, abort, lines, start, put } = setUp({
      reconcile: (_key, signal) =>
        new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    });
    put('a');
    const running = start();
    await clock.step(100);
    abort.abort(new Error('stop'));
    await running;
    expect(lines.filter((line) => line.startsWith('E'))).toEqual([]);
  });
});
