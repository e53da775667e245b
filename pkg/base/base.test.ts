import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { Backoff } from './backoff.ts';
import { formatMicroTime, formatTime, parseTime, sleep, systemClock } from './clock.ts';
import { deepFreeze, semanticEqual } from './equality.ts';
import { CodedError, describeError, isAbort } from './errors.ts';
import { fnv128a, fnv32, fnv32a } from './hash.ts';
import { Heap } from './heap.ts';
import { randomNameSuffix, safeEncode, seededRandom } from './random.ts';

test('times are written as the API writes them, and read back', () => {
  const instant = Date.parse('2026-01-02T03:04:05.678Z');
  expect(formatTime(instant)).toBe('2026-01-02T03:04:05Z');
  expect(formatMicroTime(instant)).toBe('2026-01-02T03:04:05.678000Z');
  expect(formatMicroTime(instant + 0.25)).toBe('2026-01-02T03:04:05.678250Z');
  expect(parseTime(formatMicroTime(instant))).toBe(instant);
  expect(parseTime(undefined)).toBeNaN();
});

describe('sleep', () => {
  test('rejects at once with the reason of a signal that aborts, leaving no timer', async () => {
    const controller = new AbortController();
    const timers: number[] = [];
    const clock = {
      ...systemClock,
      setTimeout: () => {
        timers.push(1);
        return { cancel: () => timers.pop() };
      },
    };
    const waiting = sleep(clock, 1000, controller.signal);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(timers).toEqual([]);
    await expect(sleep(clock, 1000, controller.signal)).rejects.toThrow('enough');
  });

  test('the system clock fires', async () => {
    const before = systemClock.monotonic();
    await sleep(systemClock, 5);
    expect(systemClock.monotonic() - before).toBeGreaterThanOrEqual(4);
  });
});

test('back-off grows to its bound and starts again', () => {
  const backoff = new Backoff({ initial: 100, max: 500, factor: 2, jitter: 0 }, () => 0);
  expect([1, 2, 3, 4].map(() => backoff.next())).toEqual([100, 200, 400, 500]);
  backoff.reset();
  expect(backoff.next()).toBe(100);
});

test('a heap gives back in order', () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (numbers) => {
      const heap = new Heap<number>((a, b) => a < b);
      for (const number of numbers) heap.push(number);
      const popped: number[] = [];
      while (heap.size > 0) {
        const top = heap.peek();
        expect(heap.pop()).toBe(top);
        popped.push(top!);
      }
      expect(popped).toEqual(numbers.toSorted((a, b) => a - b));
    }),
  );
});

test.each([
  ['', 0x811c9dc5],
  ['a', 0xe40c292c],
  ['foobar', 0xbf9cf968],
])('FNV-1a of %j', (text, hash) => {
  expect(fnv32a(text)).toBe(hash);
});

test.each([
  ['', 0x811c9dc5],
  ['a', 0x050c5d7e],
  ['foobar', 0x31f0b262],
])('FNV-1 of %j', (text, hash) => {
  expect(fnv32(text)).toBe(hash);
});

test.each([
  ['', '6c62272e07bb014262b821756295c58d'],
  ['a', 'd228cb696f1a8caf78912b704e4a8964'],
  ['foobar', '343e1662793c64bf6f0d3597ba446f18'],
])('FNV-1a of 128 bits of %j', (text, hash) => {
  expect(fnv128a(text).toString(16)).toBe(hash);
});

describe('semanticEqual', () => {
  test.each([
    [{ a: 1 }, { a: 1, b: null }, true],
    [{ a: [] }, {}, true],
    [{ a: {} }, {}, false],
    [{ a: 0 }, {}, false],
    [[1, 2], [2, 1], false],
    [{ a: { b: [1, { c: 'x' }] } }, { a: { b: [1, { c: 'x' }] } }, true],
    [{ a: '1' }, { a: 1 }, false],
    [[], {}, false],
  ])('%j and %j: %s', (a, b, equal) => {
    expect([semanticEqual(a, b), semanticEqual(b, a)]).toEqual([equal, equal]);
  });

  test('any JSON equals its copy', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => semanticEqual(value, structuredClone(value))));
  });
});

test('frozen means all the way down', () => {
  const frozen = deepFreeze({ a: { b: [1] } });
  expect(() => frozen.a.b.push(2)).toThrow(TypeError);
});

describe('errors', () => {
  class SampleError extends CodedError<'Broken', { part: string }> {}

  test('carry a code, data and their causes', () => {
    const error = new SampleError('Broken', 'cannot start', { part: 'x' }, { cause: new Error('no fuel') });
    expect(error).toMatchObject({ name: 'SampleError', code: 'Broken', data: { part: 'x' } });
    expect(describeError(error)).toBe('cannot start: no fuel');
    expect(describeError('text')).toBe('text');
  });

  test('an abort is told by the signal and by the name', () => {
    const controller = new AbortController();
    controller.abort(new Error('custom'));
    expect(isAbort(controller.signal.reason, controller.signal)).toBe(true);
    expect(isAbort(new DOMException('x', 'AbortError'))).toBe(true);
    expect(isAbort(new Error('x'), controller.signal)).toBe(false);
  });
});

test('random names are of the alphabet, the same for one seed', () => {
  expect(randomNameSuffix(seededRandom(1))).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  expect(randomNameSuffix(seededRandom(7))).toBe(randomNameSuffix(seededRandom(7)));
  expect(safeEncode('1234567890')).toHaveLength(10);
});
