import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { inParallel, slowStart } from './fan-out.ts';

describe('slowStart', () => {
  test.each([
    { count: 0, failAt: [], calls: 0, successes: 0 },
    { count: 1, failAt: [], calls: 1, successes: 1 },
    { count: 10, failAt: [], calls: 10, successes: 10 },
    { count: 10, failAt: [0], calls: 1, successes: 0 },
    { count: 10, failAt: [2], calls: 3, successes: 2 },
    { count: 10, failAt: [3, 6], calls: 7, successes: 5 },
    { count: 10, failAt: [9], calls: 10, successes: 9 },
    { count: 500, failAt: [100], calls: 127, successes: 126 },
  ])('$count with failures at $failAt: $calls calls', async ({ count, failAt, calls, successes }) => {
    let called = 0;
    const result = await slowStart(count, async () => {
      const call = called++;
      await Promise.resolve();
      if (failAt.includes(call)) throw new Error(`call ${call}`);
    });
    expect(called).toBe(calls);
    expect(result.successes).toBe(successes);
    expect(result.errors.map((error) => (error as Error).message)).toEqual(failAt.map((call) => `call ${call}`));
  });

  test('a batch starts only when the one before has ended well', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 200 }), async (count) => {
        let running = 0;
        let started = 0;
        const batches: number[] = [];
        await slowStart(
          count,
          async () => {
            if (running === 0) batches.push(0);
            batches[batches.length - 1]!++;
            running++;
            started++;
            await new Promise(setImmediate);
            running--;
          },
          1000,
        );
        expect(started).toBe(count);
        batches.forEach((size, i) => expect(size).toBe(i < batches.length - 1 ? 2 ** i : count - (2 ** i - 1)));
      }),
      { numRuns: 20 },
    );
  });
});

test('inParallel tries all, some at a time', async () => {
  let running = 0;
  let most = 0;
  const result = await inParallel(
    Array.from({ length: 20 }, (_, i) => i),
    async (i) => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
      if (i % 5 === 0) throw new Error(String(i));
    },
    3,
  );
  expect(most).toBe(3);
  expect(result.successes).toBe(16);
  expect(result.errors).toHaveLength(4);
});
