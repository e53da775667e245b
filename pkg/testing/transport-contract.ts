import { getEventListeners } from 'node:events';

import { afterEach, describe, expect, test } from 'vitest';

import type { Lane, Transport, TransportRequest, TransportResponse } from '#pkg/client';

/** A request as the far side sees it. */
export interface ContractRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** Aborts when the client has gone before the answer's end. */
  readonly signal: AbortSignal;
}

export interface ContractAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array | AsyncIterable<string | Uint8Array>;
}

export type ContractHandler = (request: ContractRequest) => ContractAnswer | Promise<ContractAnswer>;

export interface TransportHarness {
  readonly transport: Transport;
  /** Closes the far side, and the transport if the test has not. */
  close(): Promise<void>;
}

/** Brings up a far side that answers with `handler`, and a transport to it. */
export type MakeTransportHarness = (handler: ContractHandler) => Promise<TransportHarness>;

const GET: TransportRequest = { method: 'GET', path: '/', headers: {}, lane: 'read' };
const LANES: readonly Lane[] = ['read', 'write', 'lease'];

/** What every Transport keeps to. `transportContract('HTTP/2', makeHarness)` at the top of a test file. */
export function transportContract(name: string, makeHarness: MakeTransportHarness): void {
  describe(`transport contract: ${name}`, () => {
    const open: TransportHarness[] = [];
    async function harness(handler: ContractHandler): Promise<Transport> {
      const made = await makeHarness(handler);
      open.push(made);
      return made.transport;
    }
    afterEach(async () => {
      await Promise.all(open.splice(0).map((made) => made.close()));
    });

    test('carries method, path, headers and body, and brings back status, headers and body', async () => {
      let seen: ContractRequest | undefined;
      const transport = await harness((request) => {
        seen = request;
        return { status: 201, headers: { 'content-type': 'application/json', 'x-many': ['a', 'b'] }, body: '{"ä":1}' };
      });
      const response = await transport.roundTrip({
        method: 'PATCH',
        path: '/apis/apps/v1/namespaces/a/deployments/b?fieldManager=x%20y&force=true',
        headers: { 'content-type': 'application/json-patch+json', 'user-agent': 'contract' },
        body: '[{"ö":"€"}]',
        lane: 'write',
      });
      expect(response.status).toBe(201);
      expect(response.headers).toMatchObject({ 'content-type': 'application/json', 'x-many': 'a, b' });
      expect(await textOf(response)).toBe('{"ä":1}');
      expect(seen).toMatchObject({
        method: 'PATCH',
        path: '/apis/apps/v1/namespaces/a/deployments/b?fieldManager=x%20y&force=true',
      });
      expect(seen!.headers).toMatchObject({ 'content-type': 'application/json-patch+json', 'user-agent': 'contract' });
      expect(seen!.body.toString()).toBe('[{"ö":"€"}]');
    });

    test.each([200, 404, 409, 429, 500, 503])('an answer of status %i resolves', async (status) => {
      const transport = await harness(() => ({ status, body: 'text' }));
      const response = await transport.roundTrip(GET);
      expect([response.status, await textOf(response)]).toEqual([status, 'text']);
    });

    test('what beforeSend throws rejects, and nothing is sent', async () => {
      const paths: string[] = [];
      const transport = await harness(({ path }) => {
        paths.push(path);
        return { status: 200 };
      });
      const refused = transport.roundTrip({
        ...GET,
        path: '/refused',
        beforeSend() {
          throw new Error('not now');
        },
      });
      await expect(refused).rejects.toThrow('not now');
      let asked = 0;
      await textOf(await transport.roundTrip({ ...GET, path: '/sent', beforeSend: () => void asked++ }));
      expect({ asked, paths }).toEqual({ asked: 1, paths: ['/sent'] });
    });

    test('an answer without a body ends', async () => {
      const transport = await harness(() => ({ status: 200 }));
      expect(await textOf(await transport.roundTrip(GET))).toBe('');
    });

    test('large bodies arrive whole, both ways', async () => {
      const large = Buffer.alloc(6 * 1024 * 1024, 'abcdefghijk');
      const transport = await harness((request) => ({ status: 200, body: request.body }));
      const response = await transport.roundTrip({ ...GET, method: 'POST', body: large, lane: 'write' });
      expect(Buffer.compare(await bytesOf(response), large)).toBe(0);
    });

    test('the body streams: each part is there before the next is sent', async () => {
      const parts = signalled(['one\n', 'two\n', 'three\n']);
      const transport = await harness(() => ({ status: 200, body: parts.body }));
      const response = await transport.roundTrip(GET);
      const received: string[] = [];
      parts.release();
      for await (const chunk of response.body) {
        received.push(Buffer.from(chunk).toString());
        parts.release();
      }
      expect(received.join('')).toBe('one\ntwo\nthree\n');
      expect(received.length).toBe(3);
    });

    test('leaving the body early tells the other side', async () => {
      const gone = Promise.withResolvers<void>();
      const transport = await harness((request) => {
        request.signal.addEventListener('abort', () => gone.resolve(), { once: true });
        return { status: 200, body: endless(request.signal) };
      });
      const response = await transport.roundTrip(GET);
      for await (const chunk of response.body) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      await gone.promise;
    });

    test('cancelling while waiting for the answer rejects with the reason and tells the other side', async () => {
      const arrived = Promise.withResolvers<void>();
      const gone = Promise.withResolvers<void>();
      const transport = await harness(async (request) => {
        request.signal.addEventListener('abort', () => gone.resolve(), { once: true });
        arrived.resolve();
        await gone.promise;
        return { status: 200 };
      });
      const controller = new AbortController();
      const call = transport.roundTrip({ ...GET, signal: controller.signal });
      await arrived.promise;
      controller.abort(new Error('enough'));
      await expect(call).rejects.toThrow('enough');
      await gone.promise;
    });

    test('cancelling in the middle of the body rejects with the reason', async () => {
      const transport = await harness((request) => ({ status: 200, body: endless(request.signal) }));
      const controller = new AbortController();
      const response = await transport.roundTrip({ ...GET, signal: controller.signal });
      const reading = (async () => {
        for await (const _ of response.body) controller.abort(new Error('enough'));
      })();
      await expect(reading).rejects.toThrow('enough');
    });

    test('a signal that has already aborted keeps the request from being sent', async () => {
      let requests = 0;
      const transport = await harness(() => ({ status: 200, body: String(++requests) }));
      await expect(transport.roundTrip({ ...GET, signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow(
        'too late',
      );
      expect(await textOf(await transport.roundTrip(GET))).toBe('1');
    });

    test('an answer that does not come in time rejects with timeout', async () => {
      const transport = await harness(
        (request) =>
          new Promise((resolve) => {
            request.signal.addEventListener('abort', () => resolve({ status: 200 }), { once: true });
          }),
      );
      await expect(transport.roundTrip({ ...GET, timeout: 50 })).rejects.toMatchObject({ code: 'timeout' });
    });

    test('the time limit is for the head, not for the body', async () => {
      const parts = signalled(['a', 'b']);
      const transport = await harness(() => ({ status: 200, body: parts.body }));
      parts.release();
      const response = await transport.roundTrip({ ...GET, timeout: 250 });
      setTimeout(parts.release, 350);
      expect(await textOf(response)).toBe('ab');
    });

    test('nothing stays on a signal that outlives its requests', async () => {
      const transport = await harness((request) =>
        request.path === '/endless' ? { status: 200, body: endless(request.signal) } : { status: 200, body: 'x' },
      );
      const { signal } = new AbortController();
      for (const timeout of [undefined, 60_000]) {
        const options = timeout === undefined ? { signal } : { signal, timeout };
        await textOf(await transport.roundTrip({ ...GET, ...options }));
        const response = await transport.roundTrip({ ...GET, path: '/endless', ...options });
        for await (const _ of response.body) break;
      }
      await expect.poll(() => getEventListeners(signal, 'abort').length).toBe(0);
    });

    test('many requests at once each get their own answer', async () => {
      const transport = await harness(async (request) => {
        await new Promise((resolve) => setImmediate(resolve));
        return { status: 200, body: `${request.path} ${request.body.toString()}` };
      });
      const answers = await Promise.all(
        Array.from({ length: 300 }, async (_, i) => {
          const lane = LANES[i % 3]!;
          const response = await transport.roundTrip({
            method: 'POST',
            path: `/${i}`,
            headers: {},
            body: `body ${i}`,
            lane,
          });
          return textOf(response);
        }),
      );
      expect(answers).toEqual(answers.map((_, i) => `/${i} body ${i}`));
    });

    test('open streams keep nothing else waiting', async () => {
      const transport = await harness((request) =>
        request.path === '/watch' ? { status: 200, body: endless(request.signal) } : { status: 200, body: 'done' },
      );
      const streams = await Promise.all(
        Array.from({ length: 130 }, () => transport.roundTrip({ ...GET, path: '/watch' })),
      );
      for (const lane of LANES) expect(await textOf(await transport.roundTrip({ ...GET, lane }))).toBe('done');
      await Promise.all(
        streams.map(async ({ body }) => {
          for await (const _ of body) break;
        }),
      );
    });

    test('closing ends what is under way, and there is nothing after it', async () => {
      const transport = await harness((request) =>
        request.path === '/watch'
          ? { status: 200, body: endless(request.signal) }
          : new Promise((resolve) =>
              request.signal.addEventListener('abort', () => resolve({ status: 200 }), { once: true }),
            ),
      );
      const stream = await transport.roundTrip({ ...GET, path: '/watch' });
      const reading = (async () => {
        for await (const _ of stream.body);
      })();
      const waiting = transport.roundTrip(GET);
      const outcomes = Promise.allSettled([reading, waiting]);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await transport.close();
      await transport.close();
      const failures = (await outcomes).map(
        (outcome) => (outcome.status === 'rejected' ? outcome.reason : outcome.status) as unknown,
      );
      expect(failures).toEqual([
        expect.objectContaining({ code: 'closed' }),
        expect.objectContaining({ code: 'closed' }),
      ]);
      await expect(transport.roundTrip(GET)).rejects.toMatchObject({ code: 'closed' });
    });
  });
}

export async function bytesOf(response: TransportResponse): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export async function textOf(response: TransportResponse): Promise<string> {
  return (await bytesOf(response)).toString();
}

/** Parts that are sent one for each `release`. */
function signalled(parts: readonly string[]): { body: AsyncIterable<string>; release: () => void } {
  const gates = parts.map(() => Promise.withResolvers<void>());
  let released = 0;
  async function* body(): AsyncGenerator<string> {
    for (const [i, part] of parts.entries()) {
      await gates[i]!.promise;
      yield part;
    }
  }
  return { body: body(), release: () => gates[released++]?.resolve() };
}

/** A part at once, then one every few milliseconds until the client has gone. */
async function* endless(signal: AbortSignal): AsyncGenerator<string> {
  while (!signal.aborted) {
    yield 'tick\n';
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
