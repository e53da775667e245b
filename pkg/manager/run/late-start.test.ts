import { describe, expect, test } from 'vitest';

import { FakeClock, settle } from '#pkg/testing';

import { lateStart } from './late-start.ts';

function started(): {
  clock: FakeClock;
  starts: () => number;
  failures: unknown[];
  late: ReturnType<typeof lateStart<string>>;
  open: (error?: Error) => void;
} {
  const clock = new FakeClock();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const failures: unknown[] = [];
  let starts = 0;
  const start = (): Promise<string> => {
    starts++;
    return promise;
  };
  const late = lateStart(clock, start, (error) => failures.push(error));
  return { clock, starts: () => starts, failures, late, open: (error) => (error ? reject(error) : resolve('open')) };
}

describe('what is started late', () => {
  test('starts when told to, once, and is waited for until it has', async () => {
    const { clock, late, starts, open } = started();
    late.begin();
    late.begin();
    await clock.step(1000);
    expect(starts()).toBe(1);
    let ready: boolean | undefined;
    void late.ready(new AbortController().signal).then((result) => (ready = result));
    await settle();
    expect(ready).toBe(undefined);
    open();
    await settle();
    expect(ready).toBe(true);
    expect(await late.callOff()).toBe('open');
  });

  test('starts by itself when nobody tells it to for 200 ms', async () => {
    const { clock, starts } = started();
    await clock.step(199);
    expect(starts()).toBe(0);
    await clock.step(1);
    expect(starts()).toBe(1);
  });

  test('called off before, it never starts', async () => {
    const { clock, late, starts } = started();
    expect(await late.callOff()).toBe(undefined);
    late.begin();
    await clock.step(1000);
    expect(starts()).toBe(0);
  });

  test('failing, it tells why, and who waits for it waits until the end', async () => {
    const { late, failures, open } = started();
    late.begin();
    const abort = new AbortController();
    const ready = late.ready(abort.signal);
    open(new Error('port taken'));
    await settle();
    expect(failures).toEqual([new Error('port taken')]);
    abort.abort();
    expect(await ready).toBe(false);
    expect(await late.ready(abort.signal)).toBe(false);
    expect(await late.callOff()).toBe(undefined);
  });
});
