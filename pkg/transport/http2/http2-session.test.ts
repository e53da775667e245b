import { getEventListeners } from 'node:events';

import { describe, expect, test } from 'vitest';

import { TransportError } from '#pkg/client';
import { failureOf, rawFrame, rawSettings } from '#pkg/testing';

import { CODE, FLAG, FRAME, LARGEST_WINDOW, SETTING } from './frames.ts';
import { HeaderDecoder } from './header-decoder.ts';
import { SessionWorld, TIMES, data, goAway, head, outcomeOf, ping, window } from './session-world.fixture.ts';

const { ACK, PADDED } = FLAG;
const LAST_STREAM = LARGEST_WINDOW;
const greeted = (...settings: readonly (readonly [id: number, value: number])[]): Promise<SessionWorld> =>
  SessionWorld.greeted(...settings);

describe('a server that says goodbye', () => {
  test('keeps the streams it has seen; others go elsewhere, whatever the reason', async () => {
    for (const code of [CODE.NO_ERROR, CODE.ENHANCE_YOUR_CALM]) {
      const world = await greeted();
      const outcomes = [1, 3, 5].map(() => outcomeOf(world.ask()));
      await world.peer.turn();
      const unsent = outcomeOf(world.ask());
      // Seen before the request that was asked for in the same turn goes out.
      world.peer.send(goAway(3, code));
      await world.peer.turn();
      expect(world.session.usable).toBe(false);
      expect(await Promise.all([outcomes[2], unsent])).toEqual(['unprocessed', 'unprocessed']);
      await world.give(head(1), head(5, true), data(1, 'body', true));
      expect(world.peer.closed).toBe(false);
      await world.give(head(3, true));
      expect(await Promise.all(outcomes)).toEqual(['200 body', '200 ', 'unprocessed']);
      expect(world.peer.closed).toBe(true);
      expect(world.goneWith).toBe(CODE.NO_ERROR);
      expect(world.session.failure).toBeUndefined();
      expect(world.told.filter((one) => one === 'close').length).toBe(1);
      expect(world.clock.pending).toBe(0);
    }
  });

  test('more than once: first of what it will see, then of what it has', async () => {
    const world = await greeted();
    const outcomes = [1, 3].map(() => outcomeOf(world.ask()));
    await world.peer.turn();
    await world.give(goAway(LAST_STREAM));
    expect(world.session.reserve()).toBe(false);
    await world.give(goAway(1));
    expect(await outcomes[1]).toBe('unprocessed');
    await world.give(goAway(0));
    expect(await outcomes[0]).toBe('unprocessed');
    expect(world.peer.closed).toBe(true);
  });

  test('and closes: what it had seen may have been done', async () => {
    const world = await greeted();
    const outcomes = [1, 3].map(() => outcomeOf(world.ask()));
    await world.peer.turn();
    world.peer.send(goAway(1));
    world.peer.end();
    expect(await Promise.all(outcomes)).toEqual([expect.stringContaining('reset'), 'unprocessed']);
  });
});

describe('draining', () => {
  test('sends what was asked for before, answers it, then ends in good order', async () => {
    const world = await greeted();
    const before = outcomeOf(world.ask({ method: 'POST', body: 'x' }));
    world.session.reserve();
    world.session.drain();
    expect(world.session.reserve()).toBe(false);
    const reserved = outcomeOf(world.session.request({ method: 'GET', path: '/', headers: {}, lane: 'read' }, {}, '/'));
    await world.peer.turn();
    expect(world.peer.bodyOf(1)).toEqual({ bytes: Buffer.from('x'), complete: true });
    await world.give(head(1, true));
    expect(world.peer.finished).toBe(false);
    await world.give(head(3, true));
    expect([await before, await reserved]).toEqual(['200 ', '200 ']);
    expect([world.peer.finished, world.peer.closed, world.goneWith]).toEqual([true, true, CODE.NO_ERROR]);
    expect(world.clock.pending).toBe(0);
  });

  test('lets go of a peer that does not take the rest', async () => {
    const world = await greeted();
    world.peer.stall();
    world.session.drain();
    await world.peer.turn();
    expect(world.peer.closed).toBe(false);
    await world.clock.step(10_000);
    expect(world.peer.closed).toBe(true);
    expect(world.clock.pending).toBe(0);
  });

  test('happens by itself when numbers run out: what has none goes elsewhere', async () => {
    const world = new SessionWorld({ firstStream: LAST_STREAM - 2 });
    await world.give(rawSettings());
    const outcomes = [1, 2, 3].map(() => outcomeOf(world.ask()));
    await world.peer.turn();
    expect(await outcomes[2]).toBe('unprocessed');
    expect(world.session.usable).toBe(false);
    await world.give(head(LAST_STREAM - 2, true), head(LAST_STREAM, true));
    expect(await Promise.all(outcomes)).toEqual(['200 ', '200 ', 'unprocessed']);
    expect(world.peer.sent(FRAME.HEADERS).map(({ stream }) => stream)).toEqual([LAST_STREAM - 2, LAST_STREAM]);
    expect(world.peer.closed).toBe(true);
  });

  test('happens after a time without streams', async () => {
    const world = await greeted();
    void outcomeOf(world.ask());
    await world.peer.turn();
    await world.give(head(1, true));
    for (let passed = 0; passed < TIMES.idle; passed += 10_000) {
      expect(world.peer.closed).toBe(false);
      await world.clock.step(10_000);
      await world.give(ping());
    }
    expect(world.peer.closed).toBe(true);
    expect(world.clock.pending).toBe(0);
  });
});

describe('the connection', () => {
  test.each([
    ['ends', (world: SessionWorld): void => world.peer.end()],
    [
      'breaks',
      (world: SessionWorld): void =>
        void world.peer.socket.destroy(Object.assign(new Error('x'), { code: 'ECONNRESET' })),
    ],
    ['is destroyed', (world: SessionWorld): void => world.session.destroy(new TransportError('reset', 'by us'))],
  ])('%s with streams in every state: each is told once, and what was not sent may go elsewhere', async (_how, end) => {
    const { signal } = new AbortController();
    const world = await greeted([SETTING.INITIAL_WINDOW_SIZE, 10]);
    const done = outcomeOf(world.ask({ signal }));
    const reading = world.ask({ signal });
    const waiting = outcomeOf(world.ask({ signal }));
    const uploading = outcomeOf(world.ask({ signal, method: 'POST', body: 'x'.repeat(100) }));
    await world.peer.turn();
    await world.give(head(1), data(1, 'body', true), head(3), data(3, 'bo'));
    const body = (await reading).body[Symbol.asyncIterator]();
    expect(await body.next()).toEqual({ done: false, value: Buffer.from('bo') });
    const rest = failureOf(body.next());
    const unsent = outcomeOf(world.ask({ signal }));
    end(world);
    // What is asked for in the turn of its end is as good as not asked for.
    await world.peer.turn();
    expect(await rest).toMatchObject({ code: 'reset' });
    expect([await done, await waiting, await uploading]).toEqual([
      '200 body',
      expect.stringMatching(/^reset/),
      expect.stringMatching(/^reset/),
    ]);
    expect(await unsent).toMatch(/^(unprocessed|reset)/);
    expect(world.peer.closed).toBe(true);
    const told = (what: string): number => world.told.filter((one) => one === what).length;
    expect([told('answer'), told('room'), told('close')]).toEqual([1, 5, 1]);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(world.clock.pending).toBe(0);
  });

  test('whose peer has ended its half is of no use, even if what was sent is still on its way', async () => {
    const world = await greeted();
    world.peer.stall();
    const outcome = outcomeOf(world.ask());
    await world.peer.turn();
    world.peer.end();
    expect(await outcome).toMatch(/^reset/);
    expect(world.peer.closed).toBe(true);
  });

  test('that has ended takes a reserved request nowhere', async () => {
    const world = await greeted();
    world.session.reserve();
    world.session.destroy(new TransportError('reset', 'gone'));
    const request = world.session.request({ method: 'GET', path: '/', headers: {}, lane: 'read' }, {}, '/');
    expect(await outcomeOf(request)).toBe('unprocessed');
  });

  test('of a peer that reads nothing is not fed with replies for ever', async () => {
    for (const frames of [ping(), rawSettings()]) {
      const world = await greeted();
      world.peer.stall();
      for (let i = 0; i < 20 && world.session.usable; i++)
        await world.give(...Array.from({ length: 1000 }, () => frames));
      expect(world.session.usable).toBe(false);
      expect(world.session.failure).toMatchObject({ code: 'protocol' });
      expect(world.clock.pending).toBe(0);
    }
  });

  test('of a peer that does read answers all its pings', async () => {
    const world = await greeted();
    for (let i = 0; i < 20; i++) await world.give(...Array.from({ length: 1000 }, () => ping()));
    expect(world.peer.sent(FRAME.PING).length).toBe(20_000);
    expect(
      world.peer.sent(FRAME.PING).every(({ flags, payload }) => flags === ACK && String(payload) === 'whatever'),
    ).toBe(true);
  });

  test('is asked for a sign of life after a silence, and given up without one', async () => {
    const world = await greeted();
    const outcome = outcomeOf(world.ask());
    await world.clock.step(TIMES.readIdle);
    await world.clock.step(TIMES.readIdle);
    const [question] = world.peer.sent(FRAME.PING);
    await world.give(rawFrame(FRAME.PING, ACK, 0, question!.payload));
    await world.clock.step(TIMES.pingTimeout);
    expect(world.session.usable).toBe(true);
    await world.clock.step(TIMES.readIdle);
    expect(world.peer.sent(FRAME.PING).length).toBe(2);
    // What is no answer to the question is none.
    await world.give(rawFrame(FRAME.PING, ACK, 0, 'whatever'));
    await world.clock.step(TIMES.pingTimeout);
    expect(await outcome).toMatch(/^reset: .*silent for 45 s/);
    expect(world.clock.pending).toBe(0);
  });
});

describe('a request', () => {
  test('of a signal that has aborted meanwhile is not sent, and its stream is free again', async () => {
    const world = await greeted([SETTING.MAX_CONCURRENT_STREAMS, 1]);
    expect(await outcomeOf(world.ask({ signal: AbortSignal.abort(new Error('too late')) }))).toBe('Error: too late');
    const outcome = outcomeOf(world.ask());
    await world.peer.turn();
    await world.give(head(1, true));
    expect(await outcome).toBe('200 ');
    expect(world.peer.sent(FRAME.HEADERS).length).toBe(1);
  });

  test('that is ended, or ends all, right before it goes out, does not go out', async () => {
    for (const close of [false, true]) {
      const world = await greeted();
      const controller = new AbortController();
      const beforeSend = (): void =>
        close ? world.session.destroy(new TransportError('closed', 'over')) : controller.abort(new Error('fenced'));
      const outcomes = [world.ask({ signal: controller.signal, beforeSend }), world.ask()].map(outcomeOf);
      await world.peer.turn();
      await world.give(head(1, true));
      expect(await Promise.all(outcomes)).toEqual(close ? ['unprocessed', 'unprocessed'] : ['Error: fenced', '200 ']);
      expect(world.peer.sent(FRAME.HEADERS).length).toBe(close ? 0 : 1);
    }
  });

  test('that is refused here leaves the two tables of headers as one', async () => {
    const world = await greeted();
    const bad: readonly Record<string, string>[] = [
      { 'x-new': 'a\nb' },
      { 'x-new': 'ok', 'x y': 'z' },
      { 'x-new': 'other', 'x-€': 'z' },
    ];
    const refused = bad.map((headers) => outcomeOf(world.ask({ headers })));
    const thrown = outcomeOf(
      world.ask({
        beforeSend: () => {
          throw new Error('not the leader');
        },
      }),
    );
    const sent = outcomeOf(world.ask({ headers: { 'x-new': 'a', 'x-other': 'b' } }));
    const again = outcomeOf(world.ask({ headers: { 'x-other': 'b', 'x-new': 'a' } }));
    await world.peer.turn();
    expect(await Promise.all(refused)).toEqual([
      expect.stringContaining('in its value'),
      expect.stringContaining('in its name'),
      expect.stringContaining('in its name'),
    ]);
    expect(await thrown).toBe('Error: not the leader');
    const decoder = new HeaderDecoder();
    const blocks = world.peer.sent(FRAME.HEADERS).map(({ payload }) => decoder.decode(payload).slice(4));
    expect(blocks).toEqual([
      [
        ['x-new', 'a'],
        ['x-other', 'b'],
      ],
      [
        ['x-other', 'b'],
        ['x-new', 'a'],
      ],
    ]);
    await world.give(head(1, true), head(3, true));
    expect([await sent, await again]).toEqual(['200 ', '200 ']);
  });

  test('that cannot be made frees its stream', async () => {
    const world = await greeted([SETTING.MAX_CONCURRENT_STREAMS, 1]);
    world.session.reserve();
    const request = { method: 'GET', path: '/', headers: {}, lane: 'read' } as const;
    // A caller without types.
    expect(
      await failureOf(world.session.request(request, { x: undefined } as unknown as Record<string, string>, '/')),
    ).toBeInstanceOf(TypeError);
    expect(world.session.reserve()).toBe(true);
  });

  test('that is answered before it is uploaded sends no more', async () => {
    const world = await greeted([SETTING.INITIAL_WINDOW_SIZE, 10]);
    const outcome = outcomeOf(world.ask({ method: 'POST', body: 'x'.repeat(100) }));
    await world.peer.turn();
    await world.give(head(1), data(1, 'too much', true), window(1, 1000));
    expect(await outcome).toBe('200 too much');
    expect(world.resets(1)).toEqual([CODE.NO_ERROR]);
    expect(world.peer.bodyOf(1)).toMatchObject({ bytes: { length: 10 }, complete: false });
  });

  test('with an empty body is as long as it says', async () => {
    const world = await greeted([SETTING.INITIAL_WINDOW_SIZE, 0]);
    void outcomeOf(world.ask({ method: 'POST', body: '' }));
    await world.peer.turn();
    expect(world.peer.bodyOf(1)).toEqual({ bytes: Buffer.alloc(0), complete: true });
  });

  test('waits for the window of all streams, too', async () => {
    const world = await greeted([SETTING.INITIAL_WINDOW_SIZE, 1_000_000]);
    void outcomeOf(world.ask({ method: 'POST', body: Buffer.alloc(65_000) }));
    void outcomeOf(world.ask({ method: 'POST', body: Buffer.alloc(1000) }));
    const controller = new AbortController();
    const cancelled = outcomeOf(world.ask({ method: 'POST', body: Buffer.alloc(1000), signal: controller.signal }));
    await world.peer.turn();
    controller.abort(new Error('enough'));
    expect(await cancelled).toBe('Error: enough');
    expect([1, 3].map((id) => world.peer.bodyOf(id).bytes.length)).toEqual([65_000, 535]);
    await world.give(window(0, 400));
    expect(world.peer.bodyOf(3).bytes.length).toBe(935);
    await world.give(window(0, 65));
    expect(world.peer.bodyOf(3)).toMatchObject({ bytes: { length: 1000 }, complete: true });
    await world.give(window(0, 5000));
    expect(world.peer.bodyOf(5).bytes.length).toBe(0);
  });
});

describe('cancelling', () => {
  test.each(['queued', 'uploading', 'waiting', 'reading', 'with bytes unread'] as const)(
    '%s: rejects with the reason, tells the peer, and nothing is left',
    async (state) => {
      const world = await greeted([SETTING.INITIAL_WINDOW_SIZE, 10]);
      const controller = new AbortController();
      const request = world.ask({
        signal: controller.signal,
        method: 'POST',
        body: state === 'uploading' ? 'x'.repeat(100) : 'x',
      });
      if (state !== 'queued') await world.peer.turn();
      if (state === 'reading' || state === 'with bytes unread')
        await world.give(head(1), state === 'reading' ? Buffer.alloc(0) : data(1, 'unread'));
      const outcome = outcomeOf(request);
      controller.abort(new Error('enough'));
      expect(await outcome).toBe('Error: enough');
      await world.give(window(0, 1000));
      expect(world.resets(1)).toEqual(state === 'queued' ? [] : [CODE.CANCEL]);
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      const next = outcomeOf(world.ask());
      await world.peer.turn();
      const id = state === 'queued' ? 1 : 3;
      await world.give(...(id === 3 ? [head(1), data(1, 'late', true), window(1, 500)] : []), head(id, true));
      expect(await next).toBe('200 ');
    },
  );
});

describe('windows are given back', () => {
  const chunk = Buffer.alloc(16_384, 'x');
  const grants = (world: SessionWorld, stream: number): number =>
    world.peer.sent(FRAME.WINDOW_UPDATE, stream).reduce((sum, { payload }) => sum + payload.readUInt32BE(), 0);

  test('for what is read, and only for that', async () => {
    const world = await greeted();
    const request = world.ask();
    await world.peer.turn();
    await world.give(head(1), ...Array.from({ length: 256 }, () => data(1, chunk)));
    const body = (await request).body[Symbol.asyncIterator]();
    for (let i = 0; i < 127; i++) await body.next();
    await world.peer.turn();
    expect(grants(world, 1)).toBe(0);
    await body.next();
    await world.peer.turn();
    expect(grants(world, 1)).toBe(128 * 16_384);
    await world.give(...Array.from({ length: 128 }, () => data(1, chunk)));
    expect(world.session.usable).toBe(true);
    await world.give(data(1, 'x'));
    expect(world.session.usable).toBe(false);
  });

  test('for padding, which nobody reads', async () => {
    const world = await greeted();
    const request = world.ask();
    const padding = rawFrame(FRAME.DATA, PADDED, 1, Buffer.concat([Buffer.of(255), Buffer.alloc(255)]));
    await world.peer.turn();
    await world.give(head(1), ...Array.from({ length: 16_000 }, () => padding));
    expect(grants(world, 1)).toBeGreaterThan(0);
    await world.give(...Array.from({ length: 8000 }, () => padding), data(1, 'end', true));
    expect(await outcomeOf(request)).toBe('200 end');
  });
});
