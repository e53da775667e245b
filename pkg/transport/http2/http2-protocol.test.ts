import { describe, expect, test } from 'vitest';

import { TransportError } from '#pkg/client';
import { failureOf, rawFrame, rawHeaders, rawNumber, rawSettings } from '#pkg/testing';

import { CODE, FLAG, FRAME, LARGEST_WINDOW, SETTING } from './frames.ts';
import { STREAM_WINDOW } from './http2-stream.ts';
import { OK, SessionWorld, data, head, outcomeOf, ping, reset, window } from './session-world.fixture.ts';

const { END_HEADERS, END_STREAM, ACK, PADDED, PRIORITY } = FLAG;
const greeted = (...settings: readonly (readonly [id: number, value: number])[]): Promise<SessionWorld> =>
  SessionWorld.greeted(...settings);

describe('what breaks the protocol ends the connection', () => {
  const rows: readonly (readonly [what: string, code: keyof typeof CODE, ...frames: Buffer[]])[] = [
    ['a frame larger than agreed upon', 'FRAME_SIZE_ERROR', data(1, Buffer.alloc(16_385))],
    ['an unknown frame larger than agreed upon', 'FRAME_SIZE_ERROR', rawFrame(0xbe, 0, 0, Buffer.alloc(16_385))],
    ['data of no stream', 'PROTOCOL_ERROR', data(0, 'x')],
    ['data of a stream that was never opened', 'PROTOCOL_ERROR', data(5, 'x')],
    ['data of a stream of its own', 'PROTOCOL_ERROR', data(2, 'x')],
    ['data of nothing but a wrong padding', 'PROTOCOL_ERROR', head(1), rawFrame(FRAME.DATA, PADDED, 1, Buffer.of(1))],
    ['padded data without a length', 'PROTOCOL_ERROR', head(1), rawFrame(FRAME.DATA, PADDED, 1)],
    ['headers of no stream', 'PROTOCOL_ERROR', head(0)],
    ['headers of a stream that was never opened', 'PROTOCOL_ERROR', head(5)],
    ['headers of a stream of its own', 'PROTOCOL_ERROR', head(2)],
    [
      'headers shorter than their padding',
      'PROTOCOL_ERROR',
      rawFrame(FRAME.HEADERS, END_HEADERS | PADDED, 1, Buffer.of(9, 0x88)),
    ],
    [
      'headers too short for their priority',
      'FRAME_SIZE_ERROR',
      rawFrame(FRAME.HEADERS, END_HEADERS | PRIORITY, 1, Buffer.of(0, 0, 0, 0)),
    ],
    ['headers that are no block', 'COMPRESSION_ERROR', rawFrame(FRAME.HEADERS, END_HEADERS, 1, Buffer.of(0xff))],
    [
      'headers that are no block, of a stream that has ended',
      'COMPRESSION_ERROR',
      head(1, true),
      rawFrame(FRAME.HEADERS, END_HEADERS, 1, Buffer.of(0xff)),
    ],
    ['another frame within headers', 'PROTOCOL_ERROR', rawFrame(FRAME.HEADERS, 0, 1, OK), ping()],
    ['an unknown frame within headers', 'PROTOCOL_ERROR', rawFrame(FRAME.HEADERS, 0, 1, OK), rawFrame(0xbe, 0, 1)],
    [
      'headers that go on in another stream',
      'PROTOCOL_ERROR',
      rawFrame(FRAME.HEADERS, 0, 1, OK),
      rawFrame(FRAME.CONTINUATION, END_HEADERS, 3),
    ],
    ['headers that go on without a beginning', 'PROTOCOL_ERROR', rawFrame(FRAME.CONTINUATION, END_HEADERS, 1, OK)],
    ['a reset of no stream', 'PROTOCOL_ERROR', reset(0, 8)],
    ['a reset of a stream that was never opened', 'PROTOCOL_ERROR', reset(5, 8)],
    ['a reset of the wrong size', 'FRAME_SIZE_ERROR', rawFrame(FRAME.RST_STREAM, 0, 1, 'xyz')],
    ['a window of a stream that was never opened', 'PROTOCOL_ERROR', window(5, 1)],
    ['a window of the wrong size', 'FRAME_SIZE_ERROR', rawFrame(FRAME.WINDOW_UPDATE, 0, 0, 'xyz')],
    ['a window that grows by nothing', 'PROTOCOL_ERROR', window(0, 0)],
    ['a window beyond all bounds', 'FLOW_CONTROL_ERROR', window(0, LARGEST_WINDOW)],
    ['settings of a stream', 'PROTOCOL_ERROR', rawFrame(FRAME.SETTINGS, 0, 1)],
    ['settings of the wrong size', 'FRAME_SIZE_ERROR', rawFrame(FRAME.SETTINGS, 0, 0, '12345')],
    ['settings understood, with content', 'FRAME_SIZE_ERROR', rawFrame(FRAME.SETTINGS, ACK, 0, '123456')],
    ['an initial window beyond all bounds', 'FLOW_CONTROL_ERROR', rawSettings([SETTING.INITIAL_WINDOW_SIZE, 2 ** 31])],
    [
      'an initial window that makes one too large',
      'FLOW_CONTROL_ERROR',
      window(1, LARGEST_WINDOW - 65_535),
      rawSettings([SETTING.INITIAL_WINDOW_SIZE, 65_536]),
    ],
    ['frames smaller than allowed', 'PROTOCOL_ERROR', rawSettings([SETTING.MAX_FRAME_SIZE, 16_383])],
    ['frames larger than there can be', 'PROTOCOL_ERROR', rawSettings([SETTING.MAX_FRAME_SIZE, 2 ** 24])],
    ['a server that wants to be pushed to', 'PROTOCOL_ERROR', rawSettings([SETTING.ENABLE_PUSH, 1])],
    ['a push', 'PROTOCOL_ERROR', rawFrame(FRAME.PUSH_PROMISE, END_HEADERS, 1, Buffer.concat([rawNumber(2, 4), OK]))],
    ['a ping of a stream', 'PROTOCOL_ERROR', rawFrame(FRAME.PING, 0, 1, 'whatever')],
    ['a ping of the wrong size', 'FRAME_SIZE_ERROR', ping('short')],
    ['a farewell of a stream', 'PROTOCOL_ERROR', rawFrame(FRAME.GOAWAY, 0, 1, Buffer.alloc(8))],
    ['a farewell of the wrong size', 'FRAME_SIZE_ERROR', rawFrame(FRAME.GOAWAY, 0, 0, '1234567')],
    [
      'more bytes than were asked for',
      'FLOW_CONTROL_ERROR',
      head(1),
      ...Array.from({ length: STREAM_WINDOW / 16_384 + 1 }, () => data(1, Buffer.alloc(16_384))),
    ],
    [
      'headers without an end',
      'ENHANCE_YOUR_CALM',
      rawFrame(FRAME.HEADERS, 0, 1, OK),
      ...Array.from({ length: 65 }, () => rawFrame(FRAME.CONTINUATION, 0, 1, Buffer.alloc(16_384))),
    ],
    [
      'headers without an end, in nothing but frames',
      'ENHANCE_YOUR_CALM',
      rawFrame(FRAME.HEADERS, 0, 1, OK),
      ...Array.from({ length: 120_000 }, () => rawFrame(FRAME.CONTINUATION, 0, 1)),
    ],
    [
      'a few bytes that stand for very many',
      'ENHANCE_YOUR_CALM',
      rawFrame(
        FRAME.HEADERS,
        END_HEADERS,
        1,
        Buffer.concat([
          Buffer.of(0x88, 0x40, 1, 0x61, 0x7f, 0x81, 0x1e),
          Buffer.alloc(4000, 'x'),
          Buffer.alloc(12_000, 0xbe),
        ]),
      ),
    ],
  ];

  test.each(rows.map(([what, code, ...frames]) => ({ what, code, bytes: Buffer.concat(frames) })))(
    '$what',
    async ({ code, bytes }) => {
      const world = await greeted();
      const outcome = outcomeOf(world.ask());
      const other = outcomeOf(world.ask());
      await world.peer.turn();
      await world.give(bytes);
      expect(world.goneWith).toBe(CODE[code]);
      expect(await outcome.then((text) => text.split(':')[0])).toMatch(/^(protocol|200 $)/);
      expect(await other).toContain('protocol');
      expect(world.peer.closed).toBe(true);
      expect(world.session.usable).toBe(false);
      expect(world.told.filter((one) => one === 'close')).toEqual(['close']);
      expect(world.clock.pending).toBe(0);
      // Nothing is taken from it any more.
      await world.give(head(3, true));
      expect(world.session.reserve()).toBe(false);
    },
  );
});

/** What becomes of one request, whose stream is 1; the connection lives on. */
describe('an answer', () => {
  const many = Array.from({ length: 600 }, (_, i) => [`x-${i}`, 'v'.repeat(30)] as const);
  const block = rawHeaders([':status', '200'], ...many);
  const length = (value: string): readonly [string, string] => ['content-length', value];
  const rows: readonly (readonly [
    what: string,
    outcome: string | RegExp,
    resets: readonly number[],
    ...frames: Buffer[],
  ])[] = [
    ['in one frame', '200 ', [], head(1, true)],
    ['of two frames', '200 body', [], head(1), data(1, 'body', true)],
    ['that ends in an empty frame', '200 body', [], head(1), data(1, 'body'), data(1, '', true)],
    ['as long as announced', '200 body', [], head(1, false, length('4')), data(1, 'bo'), data(1, 'dy', true)],
    [
      'shorter than announced',
      /^reset: GET \/: .*shorter/,
      [CODE.PROTOCOL_ERROR],
      head(1, false, length('5')),
      data(1, 'body', true),
    ],
    ['of nothing but a promise', /^reset: GET \/: .*shorter/, [CODE.PROTOCOL_ERROR], head(1, true, length('5'))],
    [
      'longer than announced',
      /^protocol: GET \/: .*longer/,
      [CODE.PROTOCOL_ERROR],
      head(1, false, length('3')),
      data(1, 'body'),
    ],
    ['whose length is no number', '200 body', [], head(1, false, length('x')), data(1, 'body', true)],
    [
      'with padding',
      '200 body',
      [],
      head(1),
      rawFrame(FRAME.DATA, PADDED | END_STREAM, 1, Buffer.concat([Buffer.of(3), Buffer.from('body'), Buffer.alloc(3)])),
    ],
    [
      'with padding and priority',
      '200 ',
      [],
      rawFrame(
        FRAME.HEADERS,
        PADDED | PRIORITY | END_HEADERS | END_STREAM,
        1,
        Buffer.concat([Buffer.of(2, 0, 0, 0, 0, 9), OK, Buffer.alloc(2)]),
      ),
    ],
    [
      'with a head in three frames',
      '200 ',
      [],
      rawFrame(FRAME.HEADERS, END_STREAM, 1, block.subarray(0, 10)),
      rawFrame(FRAME.CONTINUATION, 0, 1, block.subarray(10, 15_000)),
      rawFrame(FRAME.CONTINUATION, 0, 1, ''),
      rawFrame(FRAME.CONTINUATION, END_HEADERS, 1, block.subarray(15_000)),
    ],
    [
      'with trailers',
      '200 body',
      [],
      head(1),
      data(1, 'body'),
      rawFrame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, rawHeaders(['x', 'y'])),
    ],
    [
      'with trailers that are not the end',
      /^protocol: /,
      [CODE.PROTOCOL_ERROR],
      head(1),
      data(1, 'body'),
      rawFrame(FRAME.HEADERS, END_HEADERS, 1, rawHeaders(['x', 'y'])),
    ],
    [
      'that was promised',
      '200 body',
      [],
      rawFrame(FRAME.HEADERS, END_HEADERS, 1, rawHeaders([':status', '100'])),
      rawFrame(FRAME.HEADERS, END_HEADERS, 1, rawHeaders([':status', '103'])),
      head(1),
      data(1, 'body', true),
    ],
    [
      'that is only promised',
      /^protocol: /,
      [CODE.PROTOCOL_ERROR],
      rawFrame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, rawHeaders([':status', '100'])),
    ],
    [
      'without a status',
      /^protocol: /,
      [CODE.PROTOCOL_ERROR],
      rawFrame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, rawHeaders(['x', 'y'])),
    ],
    [
      'with a status that is none',
      /^protocol: /,
      [CODE.PROTOCOL_ERROR],
      rawFrame(FRAME.HEADERS, END_HEADERS, 1, rawHeaders([':status', '2e2'])),
    ],
    [
      'with a status out of place',
      /^protocol: /,
      [CODE.PROTOCOL_ERROR],
      rawFrame(FRAME.HEADERS, END_HEADERS, 1, rawHeaders(['x', 'y'], [':status', '200'])),
    ],
    ['with two statuses', /^protocol: /, [CODE.PROTOCOL_ERROR], head(1, true, [':status', '200'])],
    ["with a request's header", /^protocol: /, [CODE.PROTOCOL_ERROR], head(1, true, [':path', '/'])],
    ['with a header in capitals', /^protocol: /, [CODE.PROTOCOL_ERROR], head(1, true, ['X', 'y'])],
    [
      'with a header that goes on in another line',
      /^protocol: /,
      [CODE.PROTOCOL_ERROR],
      head(1, true, ['x', 'y\r\nz: a']),
    ],
    ['with a header of no name', /^protocol: /, [CODE.PROTOCOL_ERROR], head(1, true, ['', 'y'])],
    ['whose body comes first', /^protocol: /, [CODE.PROTOCOL_ERROR], data(1, 'bo'), head(1), data(1, 'dy', true)],
    ['that only ends', /^protocol: /, [CODE.PROTOCOL_ERROR], data(1, '', true)],
    [
      'without content, with content',
      /^protocol: /,
      [CODE.PROTOCOL_ERROR],
      rawFrame(FRAME.HEADERS, END_HEADERS, 1, rawHeaders([':status', '204'])),
      data(1, 'x', true),
    ],
    [
      'that has not changed, of a length',
      '304 ',
      [],
      rawFrame(FRAME.HEADERS, END_HEADERS | END_STREAM, 1, rawHeaders([':status', '304'], length('5'))),
    ],
    ['refused', 'unprocessed', [], reset(1, CODE.REFUSED_STREAM)],
    ['refused in its middle', /^reset: .*code 7/, [], head(1), reset(1, CODE.REFUSED_STREAM)],
    ['broken off before it', /^reset: .*code 2/, [], reset(1, 2)],
    ['broken off in its middle', /^reset: .*code 2/, [], head(1), data(1, 'bo'), reset(1, 2)],
    ['broken off without a reason', /^reset: /, [], head(1), data(1, 'bo'), reset(1, 0)],
    ['as long as announced, and broken off', /^reset: /, [], head(1, false, length('4')), data(1, 'body'), reset(1, 0)],
    ['broken off behind its end', '200 body', [], head(1), data(1, 'body', true), reset(1, CODE.CANCEL)],
    [
      'with much behind its end',
      '200 body',
      [],
      head(1),
      data(1, 'body', true),
      data(1, 'more'),
      head(1),
      head(1, true),
      window(1, 5),
      reset(1, 0),
      reset(1, 2),
    ],
    ['with a window beyond all bounds', /^protocol: /, [CODE.FLOW_CONTROL_ERROR], window(1, LARGEST_WINDOW)],
    ['with a window that grows by nothing', /^protocol: /, [CODE.PROTOCOL_ERROR], window(1, 0)],
    [
      'among frames that mean nothing to us',
      '200 body',
      [],
      rawFrame(0xbe, 0xff, 7, 'x'),
      rawFrame(FRAME.PRIORITY, 0, 1, '12345'),
      head(1),
      rawFrame(0x10, 0, 1),
      data(1, 'body', true),
    ],
  ];
  test.each(
    rows.map(([what, outcome, resets, ...frames]) => ({ what, outcome, resets, bytes: Buffer.concat(frames) })),
  )('$what', async ({ outcome, resets, bytes }) => {
    const world = await greeted();
    const first = outcomeOf(world.ask());
    const second = outcomeOf(world.ask());
    await world.peer.turn();
    await world.give(bytes);
    expect(await first).toMatch(typeof outcome === 'string' ? new RegExp(`^${outcome}$`) : outcome);
    expect(world.resets(1)).toEqual(resets);
    await world.give(head(3), data(3, 'other', true));
    expect(await second).toBe('200 other');
    expect(world.goneWith).toBeUndefined();
    expect(world.told.filter((one) => one === 'room').length).toBe(2);
    expect(world.told.filter((one) => one === 'answer').length).toBe(1);
  });

  test('keeps what names of headers mean elsewhere out of it', async () => {
    const world = await greeted();
    const response = world.ask();
    await world.peer.turn();
    await world.give(head(1, true, ['constructor', 'a'], ['__proto__', 'b'], ['x', 'c'], ['x', 'd']));
    const { headers } = await response;
    expect(headers).toEqual({ constructor: 'a', ['__proto__']: 'b', x: 'c, d' });
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
  });

  test('reset at any time keeps its reason, whatever the connection ends with', async () => {
    const world = await greeted();
    const response = world.ask();
    await world.peer.turn();
    await world.give(head(1), reset(1, 2));
    world.session.destroy(new TransportError('timeout', 'another reason'));
    await expect(response.then(({ body }) => body[Symbol.asyncIterator]().next())).rejects.toMatchObject({
      code: 'reset',
      message: expect.stringContaining('code 2'),
    });
  });
});

describe('the beginning', () => {
  test.each([
    ['another frame', ping()],
    ['a confirmation of settings', rawFrame(FRAME.SETTINGS, ACK, 0)],
    ['another protocol', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('%s instead of settings', async (_what, bytes) => {
    const world = new SessionWorld();
    const opened = failureOf(world.session.opened());
    await world.give(bytes);
    expect(await opened).toMatchObject({ code: 'protocol' });
    expect(world.peer.closed).toBe(true);
  });

  test('there are no streams before the settings, and after them as many as they say', async () => {
    const world = new SessionWorld();
    expect(world.session.reserve()).toBe(false);
    await world.give(rawSettings([SETTING.MAX_CONCURRENT_STREAMS, 2]));
    await world.session.opened();
    expect([1, 2, 3].map(() => world.session.reserve())).toEqual([true, true, false]);
  });

  test('settings that never come end it', async () => {
    const world = new SessionWorld();
    const opened = failureOf(world.session.opened());
    await world.clock.step(10_000);
    expect(await opened).toMatchObject({ code: 'timeout' });
    expect(world.clock.pending).toBe(0);
  });

  test('a socket that is closed already', async () => {
    const world = new SessionWorld();
    world.peer.socket.destroy();
    expect(await failureOf(world.session.opened())).toMatchObject({ code: 'reset' });
    expect(world.clock.pending).toBe(0);
  });
});

describe('settings that change', () => {
  test('fewer streams: what is under way goes on, new ones wait for their turn', async () => {
    const world = await greeted([SETTING.MAX_CONCURRENT_STREAMS, 3]);
    const outcomes = [outcomeOf(world.ask()), outcomeOf(world.ask())];
    await world.give(rawSettings([SETTING.MAX_CONCURRENT_STREAMS, 0]));
    expect(world.session.usable).toBe(true);
    expect(world.session.reserve()).toBe(false);
    await world.give(head(1, true), head(3, true));
    expect(await Promise.all(outcomes)).toEqual(['200 ', '200 ']);
    expect(world.session.reserve()).toBe(false);
    await world.give(rawSettings([SETTING.MAX_CONCURRENT_STREAMS, 1]));
    const again = outcomeOf(world.ask());
    await world.peer.turn();
    await world.give(head(5, true));
    expect(await again).toBe('200 ');
  });

  test('a window that shrinks below what is out already, and grows again', async () => {
    const world = await greeted([SETTING.INITIAL_WINDOW_SIZE, 100]);
    const outcome = outcomeOf(world.ask({ method: 'POST', body: Buffer.alloc(300, 'x') }));
    await world.peer.turn();
    expect(world.peer.bodyOf(1)).toMatchObject({ bytes: { length: 100 }, complete: false });
    await world.give(rawSettings([SETTING.INITIAL_WINDOW_SIZE, 10]));
    await world.give(window(1, 90));
    expect(world.peer.bodyOf(1).bytes.length).toBe(100);
    await world.give(window(1, 1));
    expect(world.peer.bodyOf(1).bytes.length).toBe(101);
    await world.give(rawSettings([SETTING.INITIAL_WINDOW_SIZE, 208]));
    expect(world.peer.bodyOf(1)).toMatchObject({ bytes: { length: 299 }, complete: false });
    await world.give(window(1, 1000));
    expect(world.peer.bodyOf(1)).toMatchObject({ bytes: { length: 300 }, complete: true });
    await world.give(head(1, true));
    expect(await outcome).toBe('200 ');
  });

  test('what they allow is used only behind the confirmation: before it, the peer would not have it', async () => {
    const world = await greeted([SETTING.INITIAL_WINDOW_SIZE, 0]);
    void world.ask({ method: 'POST', body: Buffer.alloc(40_000) });
    await world.peer.turn();
    const before = world.peer.frames.length;
    await world.give(rawSettings([SETTING.INITIAL_WINDOW_SIZE, 65_535], [SETTING.MAX_FRAME_SIZE, 30_000]));
    expect(world.peer.frames.slice(before).map(({ type, payload }) => [type, payload.length])).toEqual([
      [FRAME.SETTINGS, 0],
      [FRAME.DATA, 30_000],
      [FRAME.DATA, 10_000],
    ]);
  });

  test("headers beyond the peer's frames go on in others, with nothing between", async () => {
    const world = await greeted();
    void world.ask({ headers: { long: 'x'.repeat(40_000) } });
    void world.ask();
    await world.peer.turn();
    const frames = world.peer.frames.filter(({ stream, type }) => stream > 0 && type !== FRAME.WINDOW_UPDATE);
    expect(frames.map(({ type, flags, stream, payload }) => [type, flags, stream, payload.length <= 16_384])).toEqual([
      [FRAME.HEADERS, END_STREAM, 1, true],
      [FRAME.CONTINUATION, 0, 1, true],
      [FRAME.CONTINUATION, END_HEADERS, 1, true],
      [FRAME.HEADERS, END_HEADERS | END_STREAM, 3, true],
    ]);
  });
});
