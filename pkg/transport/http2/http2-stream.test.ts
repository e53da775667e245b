import { afterEach, expect, test } from 'vitest';

import type { Transport, TransportRequest } from '#pkg/client';
import { type ContractHandler, startTestServer } from '#pkg/testing';

import { createHttpTransport } from '../http-transport.ts';

const GET: TransportRequest = { method: 'GET', path: '/', headers: {}, lane: 'read' };
const CHUNK = 50_000;
const cleanup: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of cleanup.splice(0).toReversed()) await end();
});

async function connected(handler: ContractHandler): Promise<Transport> {
  const server = await startTestServer(handler, { protocol: 'h2' });
  cleanup.push(() => server.close());
  const transport = createHttpTransport({
    server: server.url,
    tls: { ca: { data: server.authority.certificate } },
    environment: {},
  });
  cleanup.push(() => transport.close());
  return transport;
}

async function* numbered(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield Buffer.alloc(CHUNK, i % 251);
}

test('a reader slower than the server gets every byte in order, and the end behind them', async () => {
  const transport = await connected(() => ({ status: 200, body: numbered(200) }));
  const { body } = await transport.roundTrip(GET);
  const parts: Uint8Array[] = [];
  for await (const chunk of body) {
    parts.push(chunk);
    if (parts.length % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const whole: Uint8Array[] = [];
  for await (const chunk of numbered(200)) whole.push(chunk);
  expect(Buffer.concat(parts).equals(Buffer.concat(whole))).toBe(true);
});

test('an answer that nobody reads yet disturbs no other, and loses nothing', async () => {
  const transport = await connected(({ path }) => ({ status: 200, body: path === '/large' ? numbered(150) : 'small' }));
  const large = await transport.roundTrip({ ...GET, path: '/large' });
  for (let i = 0; i < 50; i++) {
    const { body } = await transport.roundTrip(GET);
    for await (const chunk of body) expect(Buffer.from(chunk).toString()).toBe('small');
  }
  let length = 0;
  for await (const chunk of large.body) length += chunk.length;
  expect(length).toBe(150 * CHUNK);
});

test('leaving the loop ends the stream, and nothing comes after', async () => {
  const gone = Promise.withResolvers<void>();
  async function* endless(signal: AbortSignal): AsyncGenerator<Uint8Array> {
    yield* numbered(3);
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    gone.resolve();
  }
  const transport = await connected(({ signal }) => ({ status: 200, body: endless(signal) }));
  const { body } = await transport.roundTrip(GET);
  let read = 0;
  for await (const chunk of body) {
    read += chunk.length;
    if (read > 0) break;
  }
  expect(await body[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  await gone.promise;
});
