import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type Position, type ReflectorInput, type ReflectorState, initialState, step } from './reflector-state.ts';

const context = { now: 1000, random: 0 };
const watching: Position = { at: 'watching' };
const pages: Position = { at: 'listing', continue: '', whole: false };

function state(position: Position, parts: Partial<ReflectorState> = {}): ReflectorState {
  return { ...initialState(), resourceVersion: '7', ...parts, position };
}

function after(from: ReflectorState, ...inputs: ReflectorInput[]): ReflectorState {
  return inputs.reduce((at, input) => step(at, input, context), from);
}

const failed = (kind: Extract<ReflectorInput, { type: 'failed' }>['kind'], retryAfter?: number): ReflectorInput => ({
  type: 'failed',
  kind,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

describe('without failures', () => {
  test('a streamed list leads into the watch on the same connection', () => {
    const end = after(initialState(), { type: 'initial-events-end', resourceVersion: '9' });
    expect(end).toMatchObject({ position: watching, resourceVersion: '9' });
  });

  test('pages follow one another, and the last leads to a watch', () => {
    const second = after(state(pages), { type: 'page', resourceVersion: '9', continue: 'more' });
    expect(second.position).toEqual({ at: 'listing', continue: 'more', whole: false });
    expect(second.resourceVersion).toBe('7');
    expect(after(second, { type: 'page', resourceVersion: '9' })).toMatchObject({
      position: watching,
      resourceVersion: '9',
    });
  });

  test('a watch that the server ends in good order is opened again at once', () => {
    expect(after(state(watching), { type: 'ended', lasted: 300_000 }).position).toEqual(watching);
  });

  test('a restart asks for nothing older than what is cached', () => {
    expect(initialState('42').position).toEqual({ at: 'streaming', from: '42' });
  });
});

describe('where a failure leads, after a wait', () => {
  const streaming: Position = { at: 'streaming', from: '7' };
  const streamingNow: Position = { at: 'streaming', from: '' };
  const page2: Position = { at: 'listing', continue: 'p2', whole: false };

  test.each<[string, ReflectorState, ReflectorInput, Position]>([
    ['a watch of expired history lists anew', state(watching), failed('expired'), streaming],
    ['a watch ahead of the server lists what there is', state(watching), failed('ahead'), streamingNow],
    ['a broken watch is taken up where it was', state(watching), failed('broken'), watching],
    ['a throttled watch is taken up where it was', state(watching), failed('throttled'), watching],
    ['a refused watch is tried again', state(watching), failed('refused'), watching],
    [
      'a watch refused for the third time gives way to a list',
      state(watching, { strikes: 2 }),
      failed('refused'),
      streamingNow,
    ],
    ['so does one that makes no sense', state(watching, { strikes: 2 }), failed('garbled'), streamingNow],
    ['a watch request that is not understood gives way to a list', state(watching), failed('rejected'), streamingNow],
    ['a watch of a resource that is gone lists', state(watching), failed('missing'), streamingNow],
    ['a short watch is opened again', state(watching), { type: 'ended', lasted: 10 }, watching],
    ['a silent watch is opened again', state(watching), { type: 'stalled' }, watching],
    [
      'a watch without a version has nothing to resume',
      state(watching, { resourceVersion: '' }),
      failed('broken'),
      streamingNow,
    ],
    [
      'the same, ended in good order',
      state(watching, { resourceVersion: '' }),
      { type: 'ended', lasted: 300_000 },
      streamingNow,
    ],
    ['a list asked from expired history asks for now', state(streaming), failed('expired'), streamingNow],
    ['a list ahead of the server asks for now', state(streaming), failed('ahead'), streamingNow],
    ['a broken stream begins again', state(streaming), failed('broken'), streaming],
    ['a stream that ends before its end begins again', state(streaming), { type: 'ended', lasted: 5000 }, streaming],
    ['a stream that broke twice gives way to pages', state(streaming, { strikes: 1 }), failed('broken'), pages],
    ['a silent stream gives way to pages', state(streaming), { type: 'stalled' }, pages],
    ['pages that failed twice give way to a stream', state(pages, { strikes: 3 }), failed('refused'), streamingNow],
    ['... unless the server has none', state(pages, { strikes: 3, canStream: false }), failed('refused'), pages],
    ['a page lost with its connection is asked for again', state(page2), failed('broken'), page2],
    ['a throttled page is asked for again', state(page2), failed('throttled'), page2],
    ['an expired page starts over', state(page2), failed('expired'), pages],
    [
      'expired again, everything in one page',
      state(page2, { strikes: 1 }),
      failed('expired'),
      { at: 'listing', continue: '', whole: true },
    ],
  ])('%s', (_, from, input, expected) => {
    const waiting = after(from, input);
    expect(waiting.position).toMatchObject({ at: 'waiting', next: expected });
    expect(after(waiting, { type: 'waited' }).position).toEqual(expected);
  });

  test('a server without streamed lists is asked for pages at once, and from then on', () => {
    const listing = after(state(streaming), failed('rejected'));
    expect(listing).toMatchObject({ position: pages, canStream: false });
    const relisting = after(listing, { type: 'page', resourceVersion: '9' }, failed('expired'), { type: 'waited' });
    expect(relisting.position).toEqual(pages);
  });

  test('what went back in time is remembered until the next whole list', () => {
    const behind = after(state(watching), failed('ahead'));
    expect(behind.wentBack).toBe(true);
    expect(after(behind, { type: 'waited' }, { type: 'initial-events-end', resourceVersion: '3' })).toMatchObject({
      wentBack: false,
      resourceVersion: '3',
    });
  });
});

describe('a watch that had been open for a while', () => {
  const after8s = (kind: 'broken' | 'garbled' | 'expired' | 'refused' | 'throttled'): ReflectorInput => ({
    ...(failed(kind) as Extract<ReflectorInput, { type: 'failed' }>),
    lasted: 8000,
  });

  test('and breaks off is taken up again at once, every time', () => {
    let at = state(watching);
    for (let round = 0; round < 7; round++) {
      at = after(at, after8s('broken'));
      expect(at).toMatchObject({ position: watching, resourceVersion: '7', backoffs: 0 });
    }
  });

  test('and is cut off in the middle of an event is taken up again at once, a few times', () => {
    const twice = after(state(watching), after8s('garbled'), after8s('garbled'));
    expect(twice.position).toEqual(watching);
    expect(after(twice, after8s('garbled')).position.at).toBe('waiting');
  });

  test('is waited with when it breaks off again soon', () => {
    const again = after(state(watching), after8s('broken'), failed('broken'));
    expect(again.position).toEqual({ at: 'waiting', delay: 100, next: watching });
  });

  test.each(['expired', 'refused', 'throttled'] as const)('is waited with when the server says %s', (kind) => {
    expect(after(state(watching), after8s(kind)).position.at).toBe('waiting');
  });

  test('has to start anew where there is no resource version to go on from', () => {
    expect(after(state(watching, { resourceVersion: '' }), after8s('broken')).position.at).toBe('waiting');
  });
});

describe('delays', () => {
  function delays(inputs: readonly ReflectorInput[], start: number, pause: number, random = 0): number[] {
    let at = state(watching);
    let now = start;
    return inputs.map((input) => {
      at = step(at, input, { now, random });
      if (at.position.at !== 'waiting') throw new Error('expected a wait');
      const { delay } = at.position;
      now += delay + pause;
      at = step(at, { type: 'waited' }, { now, random });
      return delay;
    });
  }
  const refused = Array.from({ length: 9 }, () => failed('throttled'));
  const broken = Array.from({ length: 11 }, () => failed('broken'));

  test('double from 0.8 s to 30 s', () => {
    expect(delays(refused, 0, 0)).toEqual([800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000]);
  });

  test('begin small for a watch that breaks off again and again', () => {
    expect(delays(broken, 0, 0)).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]);
  });

  test('are stretched by up to their own length', () => {
    expect(delays(refused.slice(0, 2), 0, 0, 0.5)).toEqual([1200, 2400]);
  });

  test('start anew after two quiet minutes', () => {
    expect(delays(refused.slice(0, 3), 0, 121_000)).toEqual([800, 800, 800]);
  });

  test('honour Retry-After, within reason', () => {
    expect(delays([failed('throttled', 10_000)], 0, 0)).toEqual([10_000]);
    expect(delays([failed('throttled', 100)], 0, 0)).toEqual([800]);
    expect(delays([failed('throttled', 86_400_000)], 0, 0)).toEqual([300_000]);
  });

  test('stay short while broken watches bring news', () => {
    let at = state(watching, { backoffs: 6, lastBackoff: 999 });
    at = after(at, { type: 'progress', resourceVersion: '8' }, failed('broken'));
    expect(at.position).toMatchObject({ delay: 400 });
  });
});

const anyInput: fc.Arbitrary<ReflectorInput> = fc.oneof(
  fc.record({
    type: fc.constant('failed' as const),
    kind: fc.constantFrom('expired', 'ahead', 'throttled', 'rejected', 'missing', 'refused', 'garbled', 'broken'),
  }),
  fc.record({ type: fc.constant('ended' as const), lasted: fc.constantFrom(0, 10, 999, 1000, 400_000) }),
  fc.constant({ type: 'stalled' as const }),
  fc.record({ type: fc.constant('progress' as const), resourceVersion: fc.constant('8') }),
  fc.record({
    type: fc.constant('page' as const),
    resourceVersion: fc.constant('8'),
    continue: fc.constantFrom('', 'next'),
  }),
  fc.record({ type: fc.constant('initial-events-end' as const), resourceVersion: fc.constantFrom('8', '') }),
);

test('whatever happens: time passes between requests that fail, and no delay is longer than asked or a minute', () => {
  fc.assert(
    fc.property(
      fc.array(anyInput, { maxLength: 60, size: 'max' }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (inputs, random) => {
        let at = initialState();
        const atOnce: unknown[] = [];
        const waits: number[] = [];
        for (const input of inputs) {
          const before = at.position;
          at = step(at, input, { now: 0, random });
          const failing =
            input.type === 'failed' || input.type === 'stalled' || (input.type === 'ended' && input.lasted < 1000);
          if (failing && at.position.at !== 'waiting')
            atOnce.push([before.at, 'kind' in input ? input.kind : input.type]);
          if (at.position.at !== 'waiting') continue;
          waits.push(at.position.delay);
          at = step(at, { type: 'waited' }, { now: 0, random });
        }
        // The one failure that asks again at once is that of a server without streamed lists, and it comes once.
        expect(atOnce).toEqual([['streaming', 'rejected']].slice(0, Math.min(atOnce.length, 1)));
        for (const delay of waits) expect(delay).toBeGreaterThanOrEqual(100);
        for (const delay of waits) expect(delay).toBeLessThanOrEqual(60_000);
      },
    ),
  );
});

test('from wherever failures have led, a healthy server leads back to watching', () => {
  fc.assert(
    fc.property(fc.array(anyInput, { maxLength: 40, size: 'max' }), (inputs) => {
      let at = inputs.reduce((current, input) => step(current, input, context), initialState());
      for (let turn = 0; turn < 3 && at.position.at !== 'watching'; turn++) at = step(at, healthy(at), context);
      expect(at.position).toEqual(watching);
    }),
  );
});

function healthy({ position }: ReflectorState): ReflectorInput {
  switch (position.at) {
    case 'waiting':
      return { type: 'waited' };
    case 'listing':
      return { type: 'page', resourceVersion: '9' };
    case 'streaming':
      return { type: 'initial-events-end', resourceVersion: '9' };
    case 'watching':
      return { type: 'progress', resourceVersion: '9' };
  }
}
