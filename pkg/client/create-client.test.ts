import { getEventListeners } from 'node:events';

import { describe, expect, test } from 'vitest';

import { type Pod, resources } from '#pkg/api';
import { type Fields, type Logger, silentLogger } from '#pkg/log';
import { Metrics } from '#pkg/metrics';
import { FakeClock, failureOf, settle } from '#pkg/testing';

import { type ClientOptions, createClient } from './create-client.ts';
import { TransportError } from './errors.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

interface Scripted {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly chunks?: AsyncIterable<Uint8Array>;
}
type Script = (request: TransportRequest, n: number) => Scripted | Error | 'hang';

/** A transport that answers from a script and records what it was asked, with the time. */
function scripted(clock: FakeClock, script: Script) {
  const requests: (TransportRequest & { readonly at: number })[] = [];
  const transport: Transport = {
    host: 'api:6443',
    roundTrip(request) {
      requests.push({ ...request, at: clock.monotonic() });
      const answer = script(request, requests.length);
      if (answer instanceof Error) return Promise.reject(answer);
      if (answer === 'hang') {
        return new Promise((_, reject) =>
          request.signal?.addEventListener('abort', () => reject(request.signal!.reason), { once: true }),
        );
      }
      return Promise.resolve(responseOf(answer));
    },
    close: () => Promise.resolve(),
  };
  return { transport, requests };
}

function responseOf({ status = 200, headers = {}, body = {}, chunks }: Scripted): TransportResponse {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield Buffer.from(text);
  }
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: chunks ?? whole() };
}

function world(script: Script, options: Partial<ClientOptions> = {}) {
  const clock = new FakeClock();
  const { transport, requests } = scripted(clock, script);
  const client = createClient({ transport, clock, userAgent: 'test/v1', qps: -1, ...options });
  return { clock, client, requests, pods: client.resource(resources.pods), nodes: client.resource(resources.nodes) };
}

const pod = (name: string): Pod => ({
  metadata: { name, namespace: 'ns', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
});
const notReady = (retryAfter?: string): Scripted => ({
  status: 429,
  headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
  body: { kind: 'Status', code: 429, reason: 'TooManyRequests', message: 'slow down' },
});

describe('what is sent', () => {
  const { pods, nodes, client, requests } = world(() => ({ body: { items: [] } }));
  test.each<[string, () => Promise<unknown>, Partial<TransportRequest> & { json?: unknown }]>([
    [
      'get',
      () => pods.get({ namespace: 'ns', name: 'a' }),
      { method: 'GET', path: '/api/v1/namespaces/ns/pods/a', lane: 'read' },
    ],
    ['get of a cluster-scoped object', () => nodes.get({ name: 'n' }), { method: 'GET', path: '/api/v1/nodes/n' }],
    ['list everywhere', () => pods.list(), { method: 'GET', path: '/api/v1/pods' }],
    [
      'list with everything',
      () =>
        pods.list({
          namespace: 'ns',
          labelSelector: 'a in (b, c)',
          fieldSelector: 'spec.nodeName=x',
          limit: 5,
          continue: 'tok=',
          resourceVersion: '0',
          resourceVersionMatch: 'NotOlderThan',
        }),
      {
        path: '/api/v1/namespaces/ns/pods?labelSelector=a%20in%20(b%2C%20c)&fieldSelector=spec.nodeName%3Dx&resourceVersion=0&resourceVersionMatch=NotOlderThan&limit=5&continue=tok%3D',
      },
    ],
    [
      'metadata only',
      () => pods.list({ metadataOnly: true }),
      {
        headers: {
          accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
          'user-agent': 'test/v1',
        },
      },
    ],
    [
      'create',
      () => pods.create(pod('a'), { fieldManager: 'me', dryRun: true }),
      {
        method: 'POST',
        path: '/api/v1/namespaces/ns/pods?dryRun=All&fieldManager=me',
        lane: 'write',
        json: { apiVersion: 'v1', kind: 'Pod', ...pod('a') },
      },
    ],
    [
      'create with the bytes given',
      () => pods.create(pod('a'), { encoded: '{"a":"\\u003c"}' }),
      { method: 'POST', body: '{"a":"\\u003c"}' },
    ],
    ['update', () => pods.update(pod('a')), { method: 'PUT', path: '/api/v1/namespaces/ns/pods/a' }],
    ['updateStatus', () => pods.updateStatus(pod('a')), { method: 'PUT', path: '/api/v1/namespaces/ns/pods/a/status' }],
    [
      'merge patch',
      () => pods.patch({ namespace: 'ns', name: 'a' }, 'merge', { x: null }),
      {
        method: 'PATCH',
        path: '/api/v1/namespaces/ns/pods/a',
        headers: {
          accept: 'application/json',
          'content-type': 'application/merge-patch+json',
          'user-agent': 'test/v1',
        },
        json: { x: null },
      },
    ],
    [
      'apply',
      () =>
        pods.patch(
          { namespace: 'ns', name: 'a' },
          'apply',
          {},
          { fieldManager: 'me', force: true, subresource: 'status' },
        ),
      { path: '/api/v1/namespaces/ns/pods/a/status?fieldManager=me&force=true' },
    ],
    [
      'delete',
      () =>
        pods.delete(
          { namespace: 'ns', name: 'a' },
          { gracePeriodSeconds: 0, propagationPolicy: 'Background', preconditions: { uid: 'u' } },
        ),
      {
        method: 'DELETE',
        path: '/api/v1/namespaces/ns/pods/a',
        json: {
          kind: 'DeleteOptions',
          apiVersion: 'v1',
          gracePeriodSeconds: 0,
          propagationPolicy: 'Background',
          preconditions: { uid: 'u' },
        },
      },
    ],
    [
      'request',
      () => client.request({ method: 'GET', path: '/version' }),
      { method: 'GET', path: '/version', lane: 'read' },
    ],
    ['lease lane', () => client.request({ method: 'PUT', path: '/x', body: {} }, { lane: 'lease' }), { lane: 'lease' }],
  ])('%s', async (_, call, { json, ...expected }) => {
    await call();
    const sent = requests.at(-1)!;
    expect(sent).toMatchObject(expected);
    expect(json === undefined ? undefined : JSON.parse(String(sent.body))).toEqual(json);
  });

  test.each<[string, () => Promise<unknown>]>([
    ['no namespace', () => pods.get({ name: 'a' })],
    ['no name', () => pods.get({ namespace: 'ns', name: '' })],
    ['a way out', () => pods.get({ namespace: 'ns', name: '..' })],
    ['a slash', () => pods.delete({ namespace: 'ns', name: 'a/b' })],
    ['a namespace with a slash', () => pods.list({ namespace: 'a/b' })],
    ['create without namespace', () => pods.create({ metadata: { name: 'a' } })],
  ])('refuses %s before anything is sent', async (_, call) => {
    const before = requests.length;
    await expect(call()).rejects.toThrow(RangeError);
    expect(requests.length).toBe(before);
  });

  test('text answers come back as text', async () => {
    const { client: own } = world(() => ({ headers: { 'content-type': 'text/plain' }, body: 'ok' }));
    expect(await own.request({ method: 'GET', path: '/healthz' })).toBe('ok');
  });
});

describe('refusals', () => {
  test.each<[string, Scripted, { code: string; message: string }]>([
    [
      'a Status',
      {
        status: 404,
        body: { kind: 'Status', status: 'Failure', code: 404, reason: 'NotFound', message: 'pods "a" not found' },
      },
      { code: 'NotFound', message: 'pods "a" not found' },
    ],
    [
      'no Status',
      { status: 404, body: '404 page not found', headers: { 'content-type': 'text/plain' } },
      { code: 'NotFound', message: 'the server could not find the requested resource (get pods a)' },
    ],
    [
      'a page of a proxy',
      { status: 502, body: '<html>bad gateway</html>', headers: { 'content-type': 'text/html' } },
      {
        code: 'InternalError',
        message:
          'an error on the server ("<html>bad gateway</html>") has prevented the request from succeeding (get pods a)',
      },
    ],
    [
      '401 with nothing',
      { status: 401, body: '' },
      { code: 'Unauthorized', message: 'the server has asked for the client to provide credentials (get pods a)' },
    ],
    [
      '403 in words',
      { status: 403, body: 'nope', headers: { 'content-type': 'text/plain' } },
      { code: 'Forbidden', message: 'nope (get pods a)' },
    ],
    [
      'an unknown 4xx',
      { status: 418, body: '' },
      {
        code: 'Unknown',
        message: 'the server responded with the status code 418 but did not return more information (get pods a)',
      },
    ],
  ])('%s', async (_, answer, expected) => {
    const { pods } = world(() => answer);
    await expect(pods.get({ namespace: 'ns', name: 'a' })).rejects.toMatchObject(expected);
  });

  test('an answer that is not JSON is garbled', async () => {
    const { pods } = world(() => ({ body: '{"metadata":' }));
    await expect(pods.get({ namespace: 'ns', name: 'a' })).rejects.toMatchObject({ code: 'garbled' });
    await expect(pods.list()).rejects.toMatchObject({ code: 'garbled' });
  });
});

describe('asking again', () => {
  test('waits as long as Retry-After says, and then gets its answer', async () => {
    const { clock, pods, requests } = world((_, n) => (n < 3 ? notReady('2') : { body: pod('a') }));
    const call = pods.update(pod('a'));
    await clock.step(4000);
    expect(await call).toEqual(pod('a'));
    expect(requests.map(({ at }) => at)).toEqual([0, 2000, 4000]);
  });

  test('ends after ten more tries', async () => {
    const { clock, pods, requests } = world(() => ({ ...notReady('1'), status: 503 }), { timeout: 0 });
    const rejected = failureOf(pods.get({ namespace: 'ns', name: 'a' }));
    await clock.step(60_000);
    expect(await rejected).toMatchObject({ code: 'TooManyRequests', data: { retryAfter: 1000 } });
    expect(requests.length).toBe(11);
    expect(clock.pending).toBe(0);
  });

  test.each([undefined, 'tomorrow', 'Wed, 21 Oct 2026 07:28:00 GMT'])(
    '429 with Retry-After %s is not asked again',
    async (retryAfter) => {
      const { pods, requests } = world(() => notReady(retryAfter));
      await expect(pods.get({ namespace: 'ns', name: 'a' })).rejects.toMatchObject({ code: 'TooManyRequests' });
      expect(requests.length).toBe(1);
    },
  );

  test('404 with Retry-After is not asked again', async () => {
    const { pods, requests } = world(() => ({ status: 404, headers: { 'retry-after': '1' }, body: '' }));
    await expect(pods.get({ namespace: 'ns', name: 'a' })).rejects.toMatchObject({ code: 'NotFound' });
    expect(requests.length).toBe(1);
  });

  test('a read whose connection broke goes again after a second, a write does not', async () => {
    const reset = new TransportError('reset', 'connection reset');
    const { clock, pods, requests } = world((_, n) => (n === 1 || n === 3 ? reset : { body: pod('a') }));
    const call = pods.get({ namespace: 'ns', name: 'a' });
    await clock.step(1000);
    expect(await call).toEqual(pod('a'));
    await expect(pods.update(pod('a'))).rejects.toBe(reset);
    expect(requests.map(({ method }) => method)).toEqual(['GET', 'GET', 'PUT']);
  });

  test.each(['refused', 'timeout', 'tls', 'dns', 'closed'] as const)(
    'what failed as %s is not asked again',
    async (code) => {
      const { pods, requests } = world(() => new TransportError(code, code));
      await expect(pods.get({ namespace: 'ns', name: 'a' })).rejects.toMatchObject({ code });
      expect(requests.length).toBe(1);
    },
  );
});

describe('deadlines and cancellation', () => {
  test('a call without an answer rejects at its deadline, the default and its own', async () => {
    const { clock, pods } = world(() => 'hang', { timeout: 5000 });
    const byDefault = failureOf(pods.get({ namespace: 'ns', name: 'a' }));
    const own = failureOf(pods.get({ namespace: 'ns', name: 'a' }, { timeout: 100 }));
    await clock.step(100);
    expect(await own).toMatchObject({ code: 'timeout' });
    await clock.step(4900);
    expect(await byDefault).toMatchObject({ code: 'timeout', message: expect.stringContaining('5 s') });
    expect(clock.pending).toBe(0);
  });

  test('the deadline covers waits between tries', async () => {
    const { clock, pods } = world(() => notReady('30'), { timeout: 10_000 });
    const rejected = failureOf(pods.get({ namespace: 'ns', name: 'a' }));
    await clock.step(10_000);
    expect(await rejected).toMatchObject({ code: 'timeout' });
    expect(clock.pending).toBe(0);
  });

  test('the wait for the rate limit is not part of it', async () => {
    const { clock, pods } = world(() => ({ body: pod('a') }), { timeout: 1000, qps: 0.1, burst: 1 });
    await pods.get({ namespace: 'ns', name: 'a' });
    const second = pods.get({ namespace: 'ns', name: 'a' });
    await clock.step(10_000);
    expect(await second).toEqual(pod('a'));
  });

  test('cancelling ends any wait with the reason and leaves no timer and no listener', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const { clock, client, pods } = world((request) => (request.path.includes('hang') ? 'hang' : notReady('60')), {
      qps: 1,
      burst: 2,
    });
    const calls = [
      pods.get({ namespace: 'ns', name: 'hang' }, { signal }),
      pods.get({ namespace: 'ns', name: 'later' }, { signal }),
      client.request({ method: 'GET', path: '/throttled' }, { signal }),
    ];
    const outcomes = Promise.allSettled(calls);
    await settle();
    controller.abort(new Error('enough'));
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'enough' } });
    expect(clock.pending).toBe(0);
    expect(getEventListeners(signal, 'abort').length).toBe(0);
  });
});

describe('the rate limit', () => {
  test('lets a burst through, then one every 1/qps seconds, in order', async () => {
    const { clock, client, requests } = world(() => ({}), { qps: 10, burst: 3 });
    const calls = Promise.all(Array.from({ length: 6 }, (_, i) => client.request({ method: 'GET', path: `/${i}` })));
    await clock.step(1000);
    await calls;
    expect(requests.map(({ at }) => Math.round(at))).toEqual([0, 0, 0, 100, 200, 300]);
    expect(requests.map(({ path }) => path)).toEqual(['/0', '/1', '/2', '/3', '/4', '/5']);
  });

  test('lease renewal has its own bucket; watches take no token', async () => {
    const { clock, client, pods, requests } = world((request) => ({ body: request.path.includes('watch') ? '' : {} }), {
      qps: 0.001,
      burst: 1,
    });
    await client.request({ method: 'GET', path: '/a' });
    await client.request({ method: 'PUT', path: '/lease', body: {} }, { lane: 'lease' });
    for await (const _ of pods.watch());
    expect(requests.length).toBe(3);
    expect(clock.pending).toBe(0);
  });

  test('a permit of a cancelled wait goes to the next', async () => {
    const { clock, client, requests } = world(() => ({}), { qps: 1, burst: 1 });
    await client.request({ method: 'GET', path: '/first' });
    const controller = new AbortController();
    const cancelled = client.request({ method: 'GET', path: '/cancelled' }, { signal: controller.signal });
    controller.abort(new Error('no'));
    await expect(cancelled).rejects.toThrow('no');
    const next = client.request({ method: 'GET', path: '/next' });
    await clock.step(1000);
    await next;
    expect(requests.map(({ at }) => at)).toEqual([0, 1000]);
  });
});

describe('the fence', () => {
  test('is asked after the waits, for every try of a write, and not for reads and leases', async () => {
    const asked: number[] = [];
    const { clock, client, requests } = world((_, n) => (n === 2 ? notReady('1') : {}), {
      qps: 1,
      burst: 1,
      fence: () => asked.push(clockOf()),
    });
    const clockOf = (): number => clock.monotonic();
    const calls = (async () => {
      await client.request({ method: 'GET', path: '/read' });
      await client.request({ method: 'POST', path: '/write', body: {} });
      await client.request({ method: 'PUT', path: '/lease', body: {} }, { lane: 'lease' });
    })();
    await clock.step(10_000);
    await calls;
    expect(requests.map(({ path }) => path)).toEqual(['/read', '/write', '/write', '/lease']);
    expect(asked).toEqual([requests[1]!.at, requests[2]!.at]);
  });

  test('keeps a write from being sent', async () => {
    const refusal = new Error('no longer leading');
    const { pods, requests } = world(() => ({}), {
      fence: () => {
        throw refusal;
      },
    });
    await expect(pods.update(pod('a'))).rejects.toBe(refusal);
    await pods.get({ namespace: 'ns', name: 'a' });
    expect(requests.map(({ method }) => method)).toEqual(['GET']);
  });
});

test('the fence goes along with a write, to be asked once more as it is sent', async () => {
  let open = true;
  const transport: Transport = {
    async roundTrip({ beforeSend }) {
      // The lease ran out while a connection was being made.
      open = false;
      beforeSend?.();
      throw new Error('sent');
    },
    close: async () => {},
  };
  const fence = (): void => {
    if (!open) throw new Error('too late');
  };
  const client = createClient({ transport, userAgent: 'test', fence });
  await expect(client.request({ method: 'POST', path: '/write', body: {} })).rejects.toThrow('too late');
});

describe('what is seen of it', () => {
  test('warnings are logged once a text', async () => {
    const logged: unknown[] = [];
    const log: Logger = { ...silentLogger, warning: (_, fields?: Fields) => logged.push(fields?.warning) };
    const header =
      '299 - "v1 Foo is deprecated", 299 kube "say \\"hi\\", please" "Mon, 01 Jan 2026 00:00:00 GMT", 199 - "other"';
    const { pods } = world(() => ({ headers: { warning: header }, body: pod('a') }), { log });
    for (let i = 0; i < 3; i++) await pods.get({ namespace: 'ns', name: 'a' });
    expect(logged).toEqual(['v1 Foo is deprecated', 'say "hi", please']);
  });

  test('metrics count tries, retries, sizes and waits under the names of client-go', async () => {
    const metrics = new Metrics();
    const { clock, pods } = world(
      (_, n) => (n === 1 ? notReady('1') : n === 3 ? new TransportError('refused', 'x') : { body: pod('a') }),
      { metrics },
    );
    const call = pods.create(pod('a'));
    await clock.step(1000);
    await call;
    await pods.get({ namespace: 'ns', name: 'a' }).catch(() => {});
    const text = await metrics.expose();
    for (const line of [
      'rest_client_requests_total{code="429",method="POST",host="api:6443"} 1',
      'rest_client_requests_total{code="200",method="POST",host="api:6443"} 1',
      'rest_client_requests_total{code="<error>",method="GET",host="api:6443"} 1',
      'rest_client_request_retries_total{code="200",verb="POST",host="api:6443"} 1',
      'rest_client_request_duration_seconds_sum{verb="POST",host="api:6443"} 1',
      'rest_client_request_size_bytes_count{verb="POST",host="api:6443"} 2',
      'rest_client_rate_limiter_duration_seconds_count{verb="POST",host="api:6443"} 2',
      'rest_client_response_size_bytes_count{verb="POST",host="api:6443"} 1',
    ]) {
      expect(text).toContain(line);
    }
  });
});

describe('lists', () => {
  test('say of each item what it is, which the server leaves out', async () => {
    const items = [{ metadata: { name: 'a' } }, { kind: 'Other', apiVersion: 'v9', metadata: { name: 'b' } }];
    const { pods } = world(() => ({
      status: 200,
      body: { kind: 'PodList', metadata: { resourceVersion: '1' }, items },
    }));
    expect((await pods.list()).items).toEqual([{ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a' } }, items[1]]);
  });
});

describe('watches', () => {
  test('stream events, and leaving the loop cancels the body', async () => {
    let cancelled = false;
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        for (;;)
          yield Buffer.from(
            `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'a', managedFields: [] } } })}\n`,
          );
      } finally {
        cancelled = true;
      }
    }
    const { pods, requests } = world(() => ({ chunks: chunks() }));
    const names: string[] = [];
    const options = {
      resourceVersion: '5',
      allowWatchBookmarks: true,
      sendInitialEvents: true,
      resourceVersionMatch: 'NotOlderThan',
      timeoutSeconds: 300,
      dropManagedFields: true,
    } as const;
    for await (const event of pods.watch(options)) {
      if (event.type === 'ERROR') break;
      names.push(JSON.stringify(event.object.metadata));
      if (names.length === 3) break;
    }
    expect(names).toEqual(['{"name":"a"}', '{"name":"a"}', '{"name":"a"}']);
    expect(cancelled).toBe(true);
    expect(requests[0]!.path).toBe(
      '/api/v1/pods?resourceVersion=5&resourceVersionMatch=NotOlderThan&watch=true&allowWatchBookmarks=true&sendInitialEvents=true&timeoutSeconds=300',
    );
    expect(requests[0]!.timeout).toBe(70_000);
  });

  test('refused at the start throw the refusal', async () => {
    const { pods } = world(() => ({
      status: 410,
      body: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' },
    }));
    await expect(pods.watch()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'Expired' });
  });
});
