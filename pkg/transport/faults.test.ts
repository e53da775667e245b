import { type AddressInfo, createServer } from 'node:net';

import { afterEach, describe, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';
import type { TransportResponse } from '#pkg/client';
import {
  type ContractHandler,
  FakeClock,
  TcpProxy,
  type TestServer,
  type TestServerOptions,
  failureOf,
  startTestServer,
  textOf,
} from '#pkg/testing';

import { type HttpTransportOptions, createHttpTransport } from './http-transport.ts';

const GET = { method: 'GET', path: '/', headers: {}, lane: 'read' } as const;
const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).toReversed()) await end();
});

async function world(
  handler: ContractHandler,
  options: Partial<HttpTransportOptions> & { on?: TestServerOptions } = {},
) {
  const server = await startTestServer(handler, options.on ?? { protocol: 'h2' });
  cleanup.push(() => server.close());
  const proxy = await TcpProxy.start(server.port);
  cleanup.push(() => proxy.close());
  const scheme = options.on?.protocol === 'http' ? 'http' : 'https';
  const transport = createHttpTransport({
    server: `${scheme}://127.0.0.1:${proxy.port}`,
    tls: { ca: { data: server.authority.certificate } },
    environment: {},
    ...options,
  });
  cleanup.push(() => transport.close());
  return { server, proxy, transport };
}

/** `tick` at once and whenever `tick()` is called, until the client has gone. */
function ticking(): { handler: ContractHandler; tick: () => void } {
  const wakers = new Set<() => void>();
  async function* body(signal: AbortSignal): AsyncGenerator<string> {
    while (!signal.aborted) {
      yield 'tick\n';
      await new Promise<void>((resolve) => {
        wakers.add(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
  return {
    handler: (request) =>
      request.path === '/watch' ? { status: 200, body: body(request.signal) } : { status: 200, body: 'answer' },
    tick: () => {
      for (const wake of wakers) wake();
      wakers.clear();
    },
  };
}

async function nextText(body: AsyncIterator<Uint8Array>): Promise<string> {
  const step = await body.next();
  return step.done ? '<end>' : Buffer.from(step.value).toString();
}

const iterate = (response: TransportResponse): AsyncIterator<Uint8Array> => response.body[Symbol.asyncIterator]();

describe('connections that break', () => {
  test('because the server is killed are told as broken, not as never made', async () => {
    const { proxy, transport } = await world(ticking().handler);
    await textOf(await transport.roundTrip(GET));
    const body = iterate(await transport.roundTrip({ ...GET, path: '/watch' }));
    await nextText(body);
    proxy.cutAll('rst');
    expect(await failureOf(body.next())).toMatchObject({
      code: 'reset',
      message: `https://127.0.0.1:${proxy.port}: connection reset by peer`,
    });
  });

  test('because what answers does not speak HTTP say so', async () => {
    const server = createServer((socket) =>
      socket.on('error', () => {}).once('data', () => socket.end('SSH-2.0-OpenSSH_9.2\r\n')),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup.push(() => new Promise((resolve) => server.close(() => resolve())));
    const transport = createHttpTransport({
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      environment: {},
    });
    cleanup.push(() => transport.close());
    expect(await failureOf(transport.roundTrip(GET))).toMatchObject({
      code: 'protocol',
      message: expect.stringMatching(/^GET \/: not a proper HTTP answer \(/),
    });
  });

  test.each([
    ['h2', 'fin'],
    ['h2', 'rst'],
    ['https', 'fin'],
    ['https', 'rst'],
    ['http', 'rst'],
  ] as const)('%s, %s: an answer that is cut anywhere rejects, and never looks complete', async (protocol, kind) => {
    const seed = Date.now() % 1_000_000;
    const random = seededRandom(seed);
    const whole = 'x'.repeat(200_000);
    const { proxy, transport } = await world(() => ({ status: 200, body: whole }), { on: { protocol } });
    for (let i = 0; i < 25; i++) {
      const bytes = Math.floor(random() ** 2 * 200_000) + 1;
      proxy.cutAfter(bytes, kind);
      proxy.cutAll('rst');
      const outcome = await transport
        .roundTrip(GET)
        .then(textOf)
        .then(
          (text) => `complete with ${text.length}`,
          (error: { code?: string }) => error.code,
        );
      expect(['reset', 'tls'], `seed ${seed}, cut after ${bytes}`).toContain(outcome);
    }
    proxy.heal();
    proxy.cutAll('rst');
    const retried = await transport.roundTrip(GET).catch(() => transport.roundTrip(GET));
    expect((await textOf(retried)).length).toBe(200_000);
  });

  test('an open watch whose connection breaks rejects with reset, and the next goes over a new connection', async () => {
    const { handler } = ticking();
    const { proxy, transport } = await world(handler);
    for (const kind of ['rst', 'fin'] as const) {
      const body = iterate(await transport.roundTrip({ ...GET, path: '/watch' }));
      expect(await nextText(body)).toBe('tick\n');
      const rejected = failureOf(body.next());
      proxy.cutAll(kind);
      expect(await rejected).toMatchObject({ code: 'reset' });
    }
    expect(proxy.accepted).toBe(2);
    await expect.poll(() => proxy.active).toBe(0);
  });

  test.each(['h2', 'https', 'http'] as const)(
    '%s: nobody there: refused; and there again: answered',
    async (protocol) => {
      const { handler } = ticking();
      const { proxy, transport } = await world(handler, { on: { protocol } });
      await proxy.refuse();
      await expect(transport.roundTrip(GET)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining('connection refused'),
      });
      await proxy.accept();
      expect(await textOf(await transport.roundTrip(GET))).toBe('answer');
    },
  );

  test('a connection that is accepted and never answered is given up when the handshake is due', async () => {
    const clock = new FakeClock();
    const { handler } = ticking();
    const { proxy, transport } = await world(handler, { clock });
    proxy.blackHole();
    const call = transport.roundTrip(GET);
    const rejected = failureOf(call);
    await expect.poll(() => proxy.accepted).toBe(1);
    await expect.poll(() => clock.untilNext).toBe(10_000);
    await clock.step(10_000);
    expect(await rejected).toMatchObject({ code: 'timeout', message: expect.stringContaining('handshake') });
    expect(clock.pending).toBe(0);
  });
});

describe('a silent peer', () => {
  test('is pinged after 30 s, given up 15 s later, and its streams reject; others find a new connection', async () => {
    const clock = new FakeClock();
    const { handler } = ticking();
    const { proxy, transport } = await world(handler, { clock });
    const body = iterate(await transport.roundTrip({ ...GET, path: '/watch' }));
    expect(await nextText(body)).toBe('tick\n');
    proxy.stall();
    const rejected = failureOf(body.next());
    await clock.step(60_000);
    await clock.step(15_000);
    expect(await rejected).toMatchObject({ code: 'reset', message: expect.stringContaining('silent') });
    proxy.heal();
    expect(await textOf(await transport.roundTrip(GET))).toBe('answer');
    expect(proxy.accepted).toBe(2);
  });

  test('that answers pings keeps its watches as long as it likes', async () => {
    const clock = new FakeClock();
    const { handler, tick } = ticking();
    const { proxy, server, transport } = await world(handler, { clock });
    const body = iterate(await transport.roundTrip({ ...GET, path: '/watch' }));
    expect(await nextText(body)).toBe('tick\n');
    let pings = 0;
    for (const session of server.sessions) session.on('ping', () => pings++);
    // The first look finds the bytes of the connection's beginning.
    await clock.step(30_000);
    for (let i = 1; i <= 3; i++) {
      await clock.step(30_000);
      // The answer to the ping starts the watch over the connection anew.
      await expect.poll(() => clock.untilNext, { interval: 5 }).toBe(30_000);
      expect(pings).toBe(i);
    }
    tick();
    expect(await nextText(body)).toBe('tick\n');
    expect(proxy.accepted).toBe(1);
  });
});

describe('a server that asks for another connection (GOAWAY)', () => {
  async function goneAway(server: TestServer): Promise<void> {
    for (const session of server.sessions) session.goaway(0, 2 ** 31 - 1);
    // The frame is on its way; a round trip on its connection would be refused, so wait for what the client does.
    await new Promise((resolve) => setTimeout(resolve, 30));
  }

  test('gets new requests on a new one, while open watches go on over the old one until they end', async () => {
    const { handler, tick } = ticking();
    const { server, proxy, transport } = await world(handler);
    const old = iterate(await transport.roundTrip({ ...GET, path: '/watch' }));
    expect(await nextText(old)).toBe('tick\n');
    await goneAway(server);
    const next = iterate(await transport.roundTrip({ ...GET, path: '/watch' }));
    expect(await nextText(next)).toBe('tick\n');
    expect(await textOf(await transport.roundTrip(GET))).toBe('answer');
    expect(proxy.accepted).toBe(2);
    tick();
    expect(await nextText(old)).toBe('tick\n');
    expect(await nextText(next)).toBe('tick\n');
    await old.return?.();
    await expect.poll(() => proxy.active).toBe(1);
    await next.return?.();
  });

  test('again and again under load loses no request and no answer', async () => {
    const { handler } = ticking();
    const { server, proxy, transport } = await world(handler);
    const ending = new AbortController();
    let done = 0;
    const churn = (async () => {
      for (let before = -1; !ending.signal.aborted;) {
        // A connection that has carried nothing yet and is closed is another fault: the server is not there.
        if (done > before) for (const session of server.sessions) session.close();
        before = done;
        await new Promise((resolve) => setTimeout(resolve, 40));
      }
    })();
    const write = { method: 'POST', path: '/', headers: {}, lane: 'write', body: 'x' } as const;
    for (let round = 0; round < 100; round++) {
      const answers = await Promise.all(Array.from({ length: 10 }, () => transport.roundTrip(write).then(textOf)));
      expect(new Set(answers)).toEqual(new Set(['answer']));
      done++;
    }
    ending.abort();
    await churn;
    expect(proxy.accepted).toBeGreaterThan(3);
  });

  test('and refuses streams under way has them sent again elsewhere, writes too', async () => {
    let arrived = 0;
    const { server, proxy, transport } = await world((request) => {
      arrived++;
      return request.path === '/first' ? new Promise(() => {}) : { status: 200, body: 'answer' };
    });
    void transport.roundTrip({ ...GET, path: '/first', lane: 'write' }).catch(() => {});
    await expect.poll(() => arrived).toBe(1);
    // Only the first stream was seen, it says: what comes after it was not processed.
    for (const session of server.sessions) session.goaway(0, 1);
    expect(await textOf(await transport.roundTrip({ ...GET, method: 'POST', body: 'x', lane: 'write' }))).toBe(
      'answer',
    );
    expect(proxy.accepted).toBe(2);
  });
});

describe('what is kept open', () => {
  test('an idle connection is closed after 90 s and leaves nothing behind', async () => {
    const clock = new FakeClock();
    const { handler } = ticking();
    const { proxy, transport } = await world(handler, { clock });
    expect(await textOf(await transport.roundTrip(GET))).toBe('answer');
    expect(proxy.active).toBe(1);
    await expect.poll(async () => (await clock.step(10_000), clock.monotonic())).toBeGreaterThanOrEqual(90_000);
    await expect.poll(() => proxy.active).toBe(0);
    await expect.poll(() => clock.pending).toBe(0);
    expect(await textOf(await transport.roundTrip(GET))).toBe('answer');
    expect(proxy.accepted).toBe(2);
  });

  test('one connection a lane, opened when first used', async () => {
    const { handler } = ticking();
    const { proxy, transport } = await world(handler);
    expect(proxy.accepted).toBe(0);
    await Promise.all(Array.from({ length: 20 }, () => transport.roundTrip(GET).then(textOf)));
    expect(proxy.accepted).toBe(1);
    await textOf(await transport.roundTrip({ ...GET, lane: 'write' }));
    await textOf(await transport.roundTrip({ ...GET, lane: 'lease' }));
    expect(proxy.accepted).toBe(3);
    await transport.close();
    await expect.poll(() => proxy.active).toBe(0);
  });
});
