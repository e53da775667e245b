import { describe, expect, test } from 'vitest';

import { sleep } from '#pkg/base';

import { FakeClock } from './fake-clock.ts';

describe('FakeClock', () => {
  test('fires timers in order of time, then of setting, also those set on the way', () => {
    const clock = new FakeClock();
    const fired: string[] = [];
    clock.setTimeout(() => fired.push('b'), 20);
    clock.setTimeout(() => {
      fired.push('a');
      clock.setTimeout(() => fired.push('a2'), 5);
    }, 10);
    clock.setTimeout(() => fired.push('b2'), 20);
    clock.setTimeout(() => fired.push('late'), 21);
    clock.stepSync(20);
    expect(fired).toEqual(['a', 'a2', 'b', 'b2']);
    expect(clock.pending).toBe(1);
    expect(clock.untilNext).toBe(1);
  });

  test('promises run between timers', async () => {
    const clock = new FakeClock();
    const seen: number[] = [];
    const loop = async (): Promise<void> => {
      for (let i = 0; i < 3; i++) {
        await sleep(clock, 10);
        seen.push(clock.monotonic());
      }
    };
    const done = loop();
    await clock.step(30);
    await done;
    expect(seen).toEqual([10, 20, 30]);
    expect(clock.pending).toBe(0);
  });

  test('cancelling twice or after firing counts once', () => {
    const clock = new FakeClock();
    const timer = clock.setTimeout(() => {}, 1);
    const other = clock.setTimeout(() => {}, 1);
    other.cancel();
    other.cancel();
    expect(clock.pending).toBe(1);
    clock.stepSync(1);
    timer.cancel();
    expect(clock.pending).toBe(0);
  });

  test('wall time jumps alone; a pause moves time without firing', () => {
    const clock = new FakeClock('2026-01-01T00:00:00Z');
    let fired = 0;
    clock.setTimeout(() => fired++, 10);
    clock.jumpWall(-5000);
    expect(clock.now()).toBe(Date.parse('2025-12-31T23:59:55Z'));
    expect(clock.monotonic()).toBe(0);
    clock.pause(100);
    expect(fired).toBe(0);
    clock.stepSync(0);
    expect([fired, clock.monotonic()]).toEqual([1, 100]);
  });

  test('stepUntil stops at the condition and complains when it cannot come', async () => {
    const clock = new FakeClock();
    let done = false;
    clock.setTimeout(() => (done = true), 70_000);
    await clock.stepUntil(() => done);
    expect(clock.monotonic()).toBe(70_000);
    await expect(clock.stepUntil(() => false)).rejects.toThrow('no timer is left');
  });
});
