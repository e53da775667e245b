import { describe, expect, test } from 'vitest';

import { FakeClock } from '#pkg/testing';

import { LineSink } from './line-sink.ts';

type Answer = 'all' | 'EAGAIN' | 'ENOSPC' | number;

function bench(minLength?: number): {
  readonly sink: LineSink;
  readonly clock: FakeClock;
  readonly written: () => string;
  answer: Answer;
  tries: number;
} {
  const clock = new FakeClock();
  const written: Uint8Array[] = [];
  const world = {
    answer: 'all' as Answer,
    tries: 0,
    clock,
    written: () => Buffer.concat(written).toString('utf8'),
    sink: undefined as unknown as LineSink,
  };
  world.sink = new LineSink({
    clock,
    minLength,
    write(bytes) {
      world.tries++;
      if (typeof world.answer === 'string' && world.answer !== 'all')
        throw Object.assign(new Error(world.answer), { code: world.answer });
      const count = world.answer === 'all' ? bytes.length : Math.min(world.answer, bytes.length);
      written.push(bytes.slice(0, count));
      return count;
    },
    onDropped: (count) => world.sink.write(`dropped ${count}\n`),
  });
  return world;
}

describe('lines', () => {
  test('are written at once', () => {
    const { sink, written } = bench();
    sink.write('a\n');
    expect(written()).toBe('a\n');
  });

  test('are gathered up to a size, and written by a flush', () => {
    const { sink, written } = bench(10);
    sink.write('abc\n');
    expect(written()).toBe('');
    sink.write('defghij\n');
    expect(written()).toBe('abc\ndefghij\n');
    sink.write('k\n');
    sink.flush();
    expect(written()).toBe('abc\ndefghij\nk\n');
  });

  test('that are taken in pieces come out whole', () => {
    const world = bench();
    world.answer = 3;
    world.sink.write('grüße aus dem Log\n');
    expect(world.written()).toBe('grüße aus dem Log\n');
  });

  test('wait for a reader who takes nothing, and keep their order', async () => {
    const world = bench();
    world.answer = 'EAGAIN';
    for (const line of ['a\n', 'b\n', 'c\n']) world.sink.write(line);
    expect(world.tries).toBe(1);
    world.answer = 'all';
    await world.clock.step(50);
    expect(world.written()).toBe('a\nb\nc\n');
  });

  test('wait in bounded memory: the rest is dropped, and counted when writing works again', async () => {
    const world = bench();
    world.answer = 'EAGAIN';
    const line = `${'x'.repeat(1023)}\n`;
    for (let i = 0; i < 2000; i++) world.sink.write(line);
    world.answer = 'all';
    await world.clock.step(50);
    expect(world.written()).toBe(`${line.repeat(1024)}dropped 976\n`);
  });

  test('that a full disk refuses are dropped and counted, without waiting or trying again', async () => {
    const world = bench();
    world.answer = 'ENOSPC';
    world.sink.write('a\n');
    world.sink.write('b\n');
    expect(world.tries).toBe(2);
    await world.clock.step(10_000);
    expect(world.tries).toBe(2);
    world.answer = 'all';
    world.sink.write('c\n');
    expect(world.written()).toBe('c\ndropped 2\n');
  });
});

describe('the end', () => {
  test('writes what was held back', () => {
    const { sink, written } = bench(100);
    sink.write('a\n');
    sink.close();
    expect(written()).toBe('a\n');
  });

  test('comes although nobody takes the lines', async () => {
    const world = bench();
    world.answer = 'EAGAIN';
    world.sink.write('a\n');
    world.sink.close();
    const { tries } = world;
    expect(tries).toBeGreaterThan(2);
    await world.clock.step(10_000);
    expect(world.tries).toBe(tries);
  });
});
