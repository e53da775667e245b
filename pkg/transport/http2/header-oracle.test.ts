import {
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  createServer,
  sensitiveHeaders,
} from 'node:http2';
import { type AddressInfo, type Socket, connect } from 'node:net';

import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { TransportError } from '#pkg/client';
import { silentLogger } from '#pkg/log';
import { FakeClock, bytesOf } from '#pkg/testing';

import { Http2Session } from './http2-session.ts';
import { TIMES } from './session-world.fixture.ts';

type Headers = Readonly<Record<string, string>>;

interface Exchange {
  readonly request: Headers;
  readonly response: Headers;
  readonly secret: boolean;
  /** What the server allows our table from then on. */
  readonly table?: number | undefined;
}

/** Node's server reads what we write and writes what we read. */
let server: Http2Server;
const answers = new Map<string, Exchange>();
const sessions = new Set<ServerHttp2Session>();
beforeAll(async () => {
  // Of the second the types do not know.
  const limits = { maxHeaderListPairs: 1000, maxOutstandingSettings: 1000 };
  server = createServer(limits);
  server.on('session', (session) => void sessions.add(session));
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
    if (stream.destroyed) return;
    const exchange = answers.get(String(headers[':path']))!;
    if (exchange.table !== undefined) stream.session?.settings({ headerTableSize: exchange.table });
    stream.respond({
      ':status': 200,
      ...exchange.response,
      ...(exchange.secret ? { [sensitiveHeaders]: Object.keys(exchange.response) } : {}),
    });
    stream.end(JSON.stringify(raw));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  for (const session of sessions) session.destroy();
  await new Promise((resolve) => server.close(resolve));
});

async function connected(): Promise<{ readonly session: Http2Session; readonly socket: Socket }> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  const nothing = (): void => {};
  const session = new Http2Session(socket, {
    origin: 'https://server:6443',
    clock: new FakeClock(),
    log: silentLogger,
    times: TIMES,
    onRoom: nothing,
    onChange: nothing,
    onAnswer: nothing,
    onClose: nothing,
  });
  await session.opened();
  return { session, socket };
}

const visible = fc
  .integer({ min: 0x21, max: 0xff })
  .filter((code) => code < 0x7f || code >= 0xa1)
  .map((code) => String.fromCharCode(code));
const value = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'application/json', 'gzip, deflate', 'a value with spaces', '12') },
  { weight: 4, arbitrary: fc.string({ unit: visible, minLength: 1, maxLength: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 900, max: 20_000 }).map((length) => 'x'.repeat(length)) },
);
const headers = fc.dictionary(
  fc.constantFrom(
    'accept',
    'content-type',
    'user-agent',
    'x-a',
    'x-b',
    'x-c',
    'audit-id',
    'authorization',
    'etag',
    'warning',
  ),
  value,
  { maxKeys: 8 },
);
const exchange: fc.Arbitrary<Exchange> = fc.record({
  request: headers,
  response: headers,
  secret: fc.boolean(),
  table: fc.option(fc.constantFrom(0, 50, 200, 1000, 4096, 65_536), { nil: undefined, freq: 3 }),
});

test("headers arrive at Node's server as they were sent, and come back so, whatever it allows our table", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(exchange, { minLength: 1, maxLength: 30 }), fc.boolean(), async (exchanges, together) => {
      const { session, socket } = await connected();
      async function one(wanted: Exchange, i: number): Promise<void> {
        const path = `/${i}`;
        answers.set(path, wanted);
        expect(session.reserve()).toBe(true);
        const response = await session.request(
          { method: 'GET', path, headers: {}, lane: 'read' },
          wanted.request,
          path,
        );
        expect(response.headers).toMatchObject(wanted.response);
        const raw = JSON.parse(String(await bytesOf(response))) as string[];
        expect(raw.slice(8)).toEqual(Object.entries(wanted.request).flat());
        expect(raw.slice(0, 8)).toEqual([
          ':method',
          'GET',
          ':scheme',
          'https',
          ':authority',
          'server:6443',
          ':path',
          path,
        ]);
      }
      if (together) await Promise.all(exchanges.map(one));
      else for (const [i, wanted] of exchanges.entries()) await one(wanted, i);
      session.destroy(new TransportError('closed', 'over'));
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    }),
    { numRuns: 60 },
  );
});
