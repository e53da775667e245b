import { describe, expect, it } from 'vitest';
import { Metrics } from '#pkg/metrics';
import { FakeClock, settle } from '#pkg/testing';
import {
  bucketRateLimiter,
  cappedRateLimiter,
  createRateLimitingQueue,
  defaultControllerRateLimiter,
  exponentialRateLimiter,
  fastSlowRateLimiter,
  maxOfRateLimiters,
} from './index.ts';

function world() {
  const clock = new FakeClock();
  const metrics = new Metrics();
  const queue = createRateLimitingQueue<string>({ name: 'test', clock, metrics });
  const metric = async (line: string): Promise<string | undefined> =>
    (await metrics.expose())
      .split('\n')
      .find((text) => text.startsWith(line))
      ?.split(' ')[1];
  return { clock, queue, metric };
}

describe('a key', () => {
  it('waits once however often it is added, in its first place', async () => {
    const { queue } = world();
    for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
    expect(queue.length).toBe(3);
    expect([await queue.get(), await queue.get(), await queue.get()]).toEqual(['a', 'b', 'c']);
  });

  it('is with one worker only, and comes back if it was added meanwhile', async () => {
    const { queue } = world();
    queue.add('a');
    expect(await queue.get()).toBe('a');
    queue.add('a');
    queue.add('a');
    expect(queue.length).toBe(0);
    let second: string | undefined;
    void queue.get().then((key) => (second = key));
    await settle();
    expect(second).toBeUndefined();
    queue.done('a');
    await settle();
    expect(second).toBe('a');
    queue.done('a');
    expect(queue.length).toBe(0);
  });

  it('goes to the worker that has waited longest', async () => {
    const { queue } = world();
    const got: string[] = [];
    for (const worker of [1, 2, 3]) void queue.get().then((key) => got.push(`${worker}:${key}`));
    for (const key of ['x', 'y', 'z']) queue.add(key);
    await settle();
    expect(got).toEqual(['1:x', '2:y', '3:z']);
  });

  it('cannot be done by one who does not have it', async () => {
    const { queue } = world();
    queue.add('a');
    queue.done('a');
    queue.done('never');
    expect(queue.length).toBe(1);
    expect(await queue.get()).toBe('a');
  });
});

describe('a delay', () => {
  it('ends when it is over, all of them on one timer', async () => {
    const { clock, queue } = world();
    for (let i = 1000; i > 0; i--) queue.addAfter(`k${i}`, i);
    expect(clock.pending).toBe(1);
    clock.stepSync(499.5);
    expect(queue.length).toBe(499);
    clock.stepSync(0.5);
    expect(queue.length).toBe(500);
    clock.stepSync(500);
    expect(queue.length).toBe(1000);
    expect(clock.pending).toBe(0);
    expect([await queue.get(), await queue.get()]).toEqual(['k1', 'k2']);
  });

  it('of several for one key is the one that ends first', () => {
    const { clock, queue } = world();
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    clock.stepSync(99);
    expect(queue.length).toBe(0);
    clock.stepSync(1);
    expect(queue.length).toBe(1);
    clock.stepSync(10_000);
    expect(queue.length).toBe(1);
  });

  it('of no length, or none at all, is none', () => {
    const { queue } = world();
    queue.addAfter('a', 0);
    queue.addAfter('b', -5);
    queue.addAfter('c', Number.NaN);
    expect(queue.length).toBe(3);
  });
});

describe('shutting down', () => {
  it('refuses new keys, drops delayed ones, hands out waiting ones, then says so', async () => {
    const { clock, queue } = world();
    queue.add('a');
    queue.addAfter('b', 10);
    queue.shutDown();
    queue.add('c');
    queue.addAfter('d', 0);
    queue.addRateLimited('e');
    clock.stepSync(1000);
    expect(clock.pending).toBe(0);
    expect([await queue.get(), await queue.get()]).toEqual(['a', undefined]);
  });

  it('ends those who wait', async () => {
    const { queue } = world();
    const waiting = [queue.get(), queue.get()];
    queue.shutDown();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
  });

  it('with drain waits for those at work, and for what they had been told to do again', async () => {
    const { queue } = world();
    queue.add('a');
    await queue.get();
    queue.add('a');
    let drained = false;
    void queue.shutDownWithDrain().then(() => (drained = true));
    queue.add('b');
    queue.done('a');
    await settle();
    expect(await queue.get()).toBe('a');
    queue.done('a');
    await settle();
    expect(drained).toBe(true);
    expect(await queue.get()).toBeUndefined();
  });

  it('without drain ends a drain under way', async () => {
    const { queue } = world();
    queue.add('a');
    await queue.get();
    let drained = false;
    void queue.shutDownWithDrain().then(() => (drained = true));
    await settle();
    expect(drained).toBe(false);
    queue.shutDown();
    await settle();
    expect(drained).toBe(true);
  });
});

describe('a long backlog', () => {
  it('lets the event loop turn now and then, though no worker ever waits', async () => {
    const clock = new FakeClock();
    let turns = 0;
    const afterEventLoopTurn = (callback: () => void): void => {
      turns++;
      setImmediate(callback);
    };
    const queue = createRateLimitingQueue<number>({ name: '', clock, afterEventLoopTurn });
    for (let i = 0; i < 100; i++) queue.add(i);
    for (let i = 0; i < 100; i++) {
      expect(await queue.get()).toBe(i);
      clock.pause(1);
      queue.done(i);
    }
    expect(turns).toBeGreaterThanOrEqual(9);
    expect(turns).toBeLessThanOrEqual(10);
  });
});

describe('rate limits', () => {
  it('double for each failure of a key and end with it', () => {
    const limiter = exponentialRateLimiter<string>(5, 1_000_000);
    expect(Array.from({ length: 5 }, () => limiter.when('a'))).toEqual([5, 10, 20, 40, 80]);
    expect(limiter.when('b')).toBe(5);
    expect(limiter.numRequeues('a')).toBe(5);
    for (let i = 0; i < 2000; i++) limiter.when('a');
    expect(limiter.when('a')).toBe(1_000_000);
    limiter.forget('a');
    expect([limiter.numRequeues('a'), limiter.when('a')]).toEqual([0, 5]);
  });

  it('hold for all keys together in a bucket', () => {
    const clock = new FakeClock();
    const limiter = bucketRateLimiter<string>(10, 3, clock);
    expect(['a', 'b', 'c', 'd', 'e'].map((key) => limiter.when(key))).toEqual([0, 0, 0, 100, 200]);
    clock.stepSync(150);
    expect(limiter.when('f')).toBeCloseTo(150);
    clock.stepSync(60_000);
    expect([1, 2, 3, 4].map(() => Math.round(limiter.when('g')))).toEqual([0, 0, 0, 100]);
  });

  it('combine to the longest, or are capped', () => {
    const clock = new FakeClock();
    const both = maxOfRateLimiters(exponentialRateLimiter<string>(5, 1000), fastSlowRateLimiter<string>(30, 60, 2));
    expect([1, 2, 3, 4, 5].map(() => both.when('a'))).toEqual([30, 30, 60, 60, 80]);
    expect(both.numRequeues('a')).toBe(5);
    both.forget('a');
    expect(both.numRequeues('a')).toBe(0);
    const capped = cappedRateLimiter(exponentialRateLimiter<string>(400, 10_000), 1000);
    expect([1, 2, 3].map(() => capped.when('a'))).toEqual([400, 800, 1000]);
    const usual = defaultControllerRateLimiter<string>(clock);
    expect([1, 2, 3].map(() => usual.when('a'))).toEqual([5, 10, 20]);
  });

  it('put keys back later, until they are forgotten', async () => {
    const { clock, queue } = world();
    for (const delay of [5, 10, 20]) {
      queue.addRateLimited('a');
      clock.stepSync(delay - 1);
      expect(queue.length).toBe(0);
      clock.stepSync(1);
      queue.done((await queue.get())!);
    }
    expect(queue.numRequeues('a')).toBe(3);
    queue.forget('a');
    expect(queue.numRequeues('a')).toBe(0);
  });
});

describe('metrics', () => {
  it('are there from the start', async () => {
    const { metric } = world();
    for (const family of [
      'depth',
      'adds_total',
      'retries_total',
      'unfinished_work_seconds',
      'longest_running_processor_seconds',
    ]) {
      expect(await metric(`workqueue_${family}{name="test"}`)).toBe('0');
    }
    expect(await metric('workqueue_queue_duration_seconds_count{name="test"}')).toBe('0');
    expect(await metric('workqueue_work_duration_seconds_count{name="test"}')).toBe('0');
  });

  it('tell what goes on, at the moment they are read', async () => {
    const { clock, queue, metric } = world();
    for (const key of ['a', 'b', 'c', 'a']) queue.add(key);
    clock.pause(2000);
    await queue.get();
    clock.pause(1000);
    await queue.get();
    queue.add('a');
    clock.pause(500);
    expect(await metric('workqueue_adds_total')).toBe('4');
    expect(await metric('workqueue_depth')).toBe('2');
    expect(await metric('workqueue_unfinished_work_seconds')).toBe('2');
    expect(await metric('workqueue_longest_running_processor_seconds')).toBe('1.5');
    expect(await metric('workqueue_queue_duration_seconds_sum')).toBe('5');
    queue.done('b');
    queue.addAfter('b', 10);
    queue.addAfter('b', 0);
    expect(await metric('workqueue_work_duration_seconds_sum')).toBe('0.5');
    expect(await metric('workqueue_retries_total')).toBe('2');
    expect(await metric('workqueue_unfinished_work_seconds')).toBe('1.5');
  });

  it('add up over queues of one name', async () => {
    const clock = new FakeClock();
    const metrics = new Metrics();
    for (const key of ['a', 'b']) createRateLimitingQueue<string>({ name: 'test', clock, metrics }).add(key);
    expect(await metrics.expose()).toContain('workqueue_depth{name="test"} 2');
    expect(await metrics.expose()).toContain('workqueue_adds_total{name="test"} 2');
  });
});
