import { getEventListeners } from 'node:events';

import fc from 'fast-check';
import { expect, test } from 'vitest';

import { TransportError, type TransportResponse } from '#pkg/client';
import { type PeerFrame, rawSettings } from '#pkg/testing';

import { CODE, FLAG, FRAME, LARGEST_WINDOW, SETTING } from './frames.ts';
import { HeaderDecoder } from './header-decoder.ts';
import { SessionWorld, data, goAway, head, outcomeOf, ping, reset, window } from './session-world.fixture.ts';

/** A request, what the server knows and has said of it, and where in the server's bytes that ends. */
interface Asked {
  readonly body: Buffer | undefined;
  readonly controller: AbortController;
  outcome: string | undefined;
  aborted: boolean;
  id?: number;
  answered: boolean;
  answer: string;
  over?: { readonly kind: 'end' | 'reset' | 'refused'; readonly at: number };
  granted: number;
}

type Step =
  | { readonly do: 'ask'; readonly body: number | undefined }
  | { readonly do: 'abort' | 'head' | 'end' | 'reset' | 'refuse'; readonly which: number }
  | { readonly do: 'data' | 'window'; readonly which: number; readonly size: number }
  | { readonly do: 'settings'; readonly window: number; readonly table: number }
  | { readonly do: 'connection window' | 'deliver'; readonly size: number }
  | { readonly do: 'ping' | 'turn' | 'drain' | 'deliver all' }
  | { readonly do: 'goaway'; readonly beyond: number; readonly code: number };

const which = fc.nat(11);
const size = fc.oneof(fc.nat(40), fc.integer({ min: 0, max: 40_000 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ask' as const), body: fc.option(size, { nil: undefined }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('head' as const, 'end'), which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('abort' as const, 'reset', 'refuse'), which }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('data' as const, 'window'),
      which,
      size: fc.integer({ min: 1, max: 20_000 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('settings' as const), window: size, table: fc.constantFrom(0, 100, 4096) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('connection window' as const), size: fc.integer({ min: 1, max: 70_000 }) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), size: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('turn' as const, 'deliver all') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('ping' as const, 'ping', 'ping', 'drain') }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('goaway' as const), beyond: fc.nat(4), code: fc.constantFrom(0, 11) }),
  },
);

/** A server that keeps to the protocol and else does as it is told; its bytes arrive when they are delivered. */
class Schedule {
  readonly world: SessionWorld;
  readonly asked: Asked[] = [];
  readonly #decoder = new HeaderDecoder();
  #seen = 0;
  #wire: Buffer[] = [];
  #sent = 0;
  delivered = 0;
  goneAway: { readonly last: number; readonly at: number }[] = [];
  #initialWindow: number;
  #connectionWindow = 65_535;

  private constructor(world: SessionWorld, initialWindow: number) {
    this.world = world;
    this.#initialWindow = initialWindow;
  }

  static async start(initialWindow: number): Promise<Schedule> {
    return new Schedule(await SessionWorld.greeted([SETTING.INITIAL_WINDOW_SIZE, initialWindow]), initialWindow);
  }

  async run(one: Step): Promise<void> {
    switch (one.do) {
      case 'ask':
        return this.#ask(one.body);
      case 'turn':
        return this.turn();
      case 'deliver':
        return this.deliver(one.size);
      case 'deliver all':
        this.deliver(this.#sent);
        return this.turn();
      case 'drain':
        return this.world.session.drain();
      case 'ping':
        return this.#send(ping());
      case 'connection window':
        this.#connectionWindow += one.size;
        return this.#send(window(0, one.size));
      case 'settings':
        this.#initialWindow = Math.max(this.#initialWindow, one.window);
        return this.#send(
          rawSettings([SETTING.INITIAL_WINDOW_SIZE, one.window], [SETTING.HEADER_TABLE_SIZE, one.table]),
        );
      case 'goaway': {
        const last = Math.min(
          ...this.goneAway.map((before) => before.last),
          Math.max(0, ...this.asked.filter(({ answered, over }) => answered || over).map(({ id }) => id!)) +
            2 * one.beyond,
        );
        this.#send(goAway(last, one.code));
        this.goneAway.push({ last, at: this.#sent });
        return undefined;
      }
      default: {
        const stream = this.asked[one.which];
        if (stream !== undefined) this.#act(one, stream);
        return undefined;
      }
    }
  }

  #act(one: Step & { readonly which: number }, stream: Asked): void {
    if (one.do === 'abort') {
      stream.aborted = true;
      stream.controller.abort('aborted');
      return;
    }
    const { id } = stream;
    if (id === undefined || stream.over || this.goneAway.some(({ last }) => id > last)) return;
    if (one.do === 'window') {
      stream.granted += one.size;
      this.#send(window(id, one.size));
      return;
    }
    if (one.do === 'refuse' || one.do === 'reset') {
      this.#send(reset(id, one.do === 'refuse' ? CODE.REFUSED_STREAM : CODE.CANCEL));
      stream.over = { kind: one.do === 'refuse' && !stream.answered ? 'refused' : 'reset', at: this.#sent };
      return;
    }
    if (!stream.answered) this.#send(head(id, false, ['x-id', String(id)]));
    stream.answered = true;
    if (one.do === 'data') {
      const bytes = Buffer.alloc(Math.min(one.size, 16_384), `${id}.${stream.answer.length}|`);
      this.#send(data(id, bytes));
      stream.answer += String(bytes);
    }
    if (one.do === 'end') {
      this.#send(data(id, '', true));
      stream.over = { kind: 'end', at: this.#sent };
    }
  }

  #ask(body: number | undefined): void {
    const { session } = this.world;
    if (this.asked.length > 11 || !session.reserve()) return;
    const controller = new AbortController();
    const bytes = body === undefined ? undefined : Buffer.alloc(body, `body ${this.asked.length} `);
    const path = `/${this.asked.length}`;
    const stream: Asked = {
      body: bytes,
      controller,
      outcome: undefined,
      aborted: false,
      answered: false,
      answer: '',
      granted: 0,
    };
    this.asked.push(stream);
    const request = {
      method: 'POST',
      path,
      headers: {},
      lane: 'write',
      signal: controller.signal,
      ...(bytes ? { body: bytes } : {}),
    } as const;
    void this.#note(stream, session.request(request, { 'x-number': path }, path));
  }

  async #note(stream: Asked, response: Promise<TransportResponse>): Promise<void> {
    stream.outcome = await outcomeOf(response);
  }

  #send(bytes: Buffer): void {
    this.#wire.push(bytes);
    this.#sent += bytes.length;
  }

  deliver(most: number): void {
    const wire = Buffer.concat(this.#wire);
    const chunk = wire.subarray(0, most);
    this.#wire = [wire.subarray(most)];
    if (chunk.length === 0 || this.world.peer.socket.destroyed) return;
    this.world.peer.sendChunk(Buffer.from(chunk));
    this.delivered += chunk.length;
  }

  async turn(): Promise<void> {
    await this.world.peer.turn();
    const { frames } = this.world.peer;
    for (; this.#seen < frames.length; this.#seen++) this.#take(frames[this.#seen]!);
    for (const { id, body, granted } of this.asked) {
      if (id === undefined || body === undefined) continue;
      const { bytes, complete } = this.world.peer.bodyOf(id);
      expect(bytes.equals(body.subarray(0, bytes.length)) && (!complete || bytes.length === body.length)).toBe(true);
      expect(bytes.length).toBeLessThanOrEqual(this.#initialWindow + granted);
    }
    const ended = new Set<number>();
    for (const { type, stream } of frames) {
      expect(ended.has(stream) && type !== FRAME.RST_STREAM).toBe(false);
      if (type === FRAME.RST_STREAM) ended.add(stream);
    }
    const all = frames.filter(({ type }) => type === FRAME.DATA).reduce((sum, { payload }) => sum + payload.length, 0);
    expect(all).toBeLessThanOrEqual(this.#connectionWindow);
  }

  #take({ type, stream, flags, payload }: PeerFrame): void {
    if (type !== FRAME.HEADERS) return;
    expect(flags & FLAG.END_HEADERS).toBe(FLAG.END_HEADERS);
    const headers = Object.fromEntries(this.#decoder.decode(payload));
    expect(headers['x-number']).toBe(headers[':path']);
    this.asked[Number(headers[':path']!.slice(1))]!.id = stream;
  }

  /** Every upload that is still wanted can end when the server takes all there is. */
  async openWindows(): Promise<void> {
    this.#initialWindow = this.#connectionWindow = LARGEST_WINDOW;
    this.#send(rawSettings([SETTING.INITIAL_WINDOW_SIZE, 1_000_000]));
    this.#send(window(0, 1_000_000));
    this.deliver(this.#sent);
    await this.turn();
    await this.turn();
  }

  /** How this request has to end if the connection ends now; by what the client has seen. */
  expected({ id, over, answer }: Asked): string {
    if (id === undefined) return 'unprocessed';
    const seen = over !== undefined && over.at <= this.delivered ? over : undefined;
    const away = this.goneAway.find(({ last, at }) => id > last && at <= this.delivered);
    if (away !== undefined && (seen === undefined || away.at < seen.at)) return 'unprocessed';
    if (seen?.kind === 'end') return `200 ${answer}`;
    return seen?.kind === 'refused' ? 'unprocessed' : 'reset';
  }
}

const ends = fc.constantFrom('fin' as const, 'break', 'destroy', 'open windows');

test('whatever the schedule, each request ends once and as the server said, and nothing is left', async () => {
  const reached = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 80, size: 'max' }),
      fc.constantFrom(0, 1, 50, 5000, 65_535),
      ends,
      async (steps, initialWindow, end) => {
        const schedule = await Schedule.start(initialWindow);
        const { world, asked } = schedule;
        for (const one of steps) await schedule.run(one);
        await schedule.turn();
        if (end === 'open windows') await schedule.openWindows();
        const uploads = asked.filter(
          ({ id, outcome, body }) =>
            end === 'open windows' && id !== undefined && outcome === undefined && body !== undefined,
        );
        for (const { id, body } of uploads) expect(world.peer.bodyOf(id!)).toEqual({ bytes: body, complete: true });
        const { usable } = world.session;
        if (end === 'fin') world.peer.end();
        else if (end === 'break') world.peer.socket.destroy(new Error('broken'));
        else world.session.destroy(new TransportError('reset', 'over'));
        await world.peer.turn();
        for (const one of asked) {
          const wanted = schedule.expected(one);
          const [word] = (one.outcome ?? 'nothing').split(':');
          reached.set(word!.slice(0, 3), (reached.get(word!.slice(0, 3)) ?? 0) + 1);
          expect([wanted, ...(one.aborted ? ['aborted'] : [])]).toContain(word === 'reset' ? word : one.outcome);
          expect(getEventListeners(one.controller.signal, 'abort')).toEqual([]);
        }
        expect(world.told.filter((what) => what === 'room').length).toBe(asked.length);
        expect(world.told.filter((what) => what === 'close').length).toBe(1);
        expect(world.peer.closed).toBe(true);
        expect(world.clock.pending).toBe(0);
        expect(usable && schedule.goneAway.some(({ at }) => at <= schedule.delivered)).toBe(false);
      },
    ),
    { numRuns: 400 },
  );
  // All ways to end have been taken, and often: else this has not tried much.
  for (const word of ['200', 'res', 'unp', 'abo']) expect(reached.get(word)).toBeGreaterThan(20);
});
