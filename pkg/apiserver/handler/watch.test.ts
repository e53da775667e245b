import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';
import { FakeClock, settle } from '#pkg/testing';

import { type ApiServer, createApiServer } from '../api-server.ts';

interface Line {
  readonly type: string;
  readonly object: {
    readonly kind?: string;
    readonly code?: number;
    readonly reason?: string;
    readonly metadata: {
      readonly name?: string;
      readonly resourceVersion: string;
      readonly annotations?: Record<string, string>;
    };
  };
}

let clock: FakeClock;
let server: ApiServer;

beforeEach(() => {
  clock = new FakeClock();
  server = createApiServer({ clock, random: seededRandom(1), freeze: true, historyPerResource: 20 });
});
afterEach(async () => {
  await server.close();
  await settle();
  if (clock.pending > 0) throw new Error(`${clock.pending} timers left`);
});

async function send(method: string, path: string, body?: unknown): Promise<{ status: number; body: Line['object'] }> {
  const headers = { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await server.inProcessTransport().roundTrip({ method, path, headers, ...sent });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return { status: response.status, body: JSON.parse(Buffer.concat(chunks).toString()) as Line['object'] };
}

/** Follows a watch; `lines` grows as events come. */
async function follow(
  path: string,
): Promise<{ lines: Line[]; ended: Promise<void>; status: number; abort: () => void }> {
  const leave = new AbortController();
  const response = await server
    .inProcessTransport()
    .roundTrip({ method: 'GET', path, headers: {}, signal: leave.signal });
  const lines: Line[] = [];
  const read = async (): Promise<void> => {
    let text = '';
    for await (const chunk of response.body) {
      text += Buffer.from(chunk).toString();
      const parts = text.split('\n');
      text = parts.pop()!;
      lines.push(...parts.map((part) => JSON.parse(part) as Line));
    }
  };
  const ended = read();
  // Leaving is not an end that anyone waits for.
  ended.catch(() => {});
  await settle();
  return { lines, ended, status: response.status, abort: () => leave.abort(new Error('left')) };
}

const told = (lines: readonly Line[]): string[] =>
  lines.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`.trim());
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const create = (name: string, labels: Record<string, string> = {}): Promise<unknown> =>
  send('POST', CONFIG_MAPS, { metadata: { name, labels } });

describe('a watch', () => {
  test('begins with what is there, unless it says from where', async () => {
    await create('a');
    const { body } = await send('GET', CONFIG_MAPS);
    const fresh = await follow(`${CONFIG_MAPS}?watch=true`);
    const resumed = await follow(`${CONFIG_MAPS}?watch=true&resourceVersion=${body.metadata.resourceVersion}`);
    await create('b');
    await settle();
    expect(told(fresh.lines)).toEqual(['ADDED a', 'ADDED b']);
    expect(told(resumed.lines)).toEqual(['ADDED b']);
  });

  test('marks the end of the initial events where they were asked for', async () => {
    await create('a');
    const query = 'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const { lines } = await follow(`${CONFIG_MAPS}?${query}`);
    expect(told(lines)).toEqual(['ADDED a', 'BOOKMARK']);
    expect(lines[1]!.object.metadata).toEqual({
      resourceVersion: String(server.store.revision),
      annotations: { 'k8s.io/initial-events-end': 'true' },
    });
    await create('b');
    await settle();
    expect(told(lines)).toEqual(['ADDED a', 'BOOKMARK', 'ADDED b']);
  });

  test('sees objects come into and go out of what it selects', async () => {
    await create('a', { app: 'x' });
    await create('b', { app: 'y' });
    const { lines } = await follow(`${CONFIG_MAPS}?watch=true&labelSelector=app%3Dx`);
    await send('PATCH', `${CONFIG_MAPS}/b`, { metadata: { labels: { app: 'x' } } });
    await send('PATCH', `${CONFIG_MAPS}/b`, { data: { k: 'v' } });
    const { body } = await send('PATCH', `${CONFIG_MAPS}/a`, { metadata: { labels: { app: 'z' } } });
    await send('PATCH', `${CONFIG_MAPS}/a`, { data: { k: 'v' } });
    await send('DELETE', `${CONFIG_MAPS}/b`);
    await settle();
    expect(told(lines)).toEqual(['ADDED a', 'ADDED b', 'MODIFIED b', 'DELETED a', 'DELETED b']);
    // The farewell carries the revision of the change, so that the client does not resume before it.
    expect(lines[3]!.object.metadata.resourceVersion).toBe(body.metadata.resourceVersion);
  });

  test('of Pods on a node hears of a Pod when it comes there', async () => {
    const pods = '/api/v1/namespaces/default/pods';
    const { lines } = await follow('/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dn1');
    await send('POST', pods, { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'x' }] } });
    await send('POST', `${pods}/p/binding`, { metadata: { name: 'p' }, target: { name: 'n1' } });
    await send('DELETE', `${pods}/p?gracePeriodSeconds=0`);
    await settle();
    expect(told(lines)).toEqual(['ADDED p', 'MODIFIED p', 'DELETED p']);
  });

  test('ends when its time is up, with a bookmark shortly before', async () => {
    const { lines, ended } = await follow(
      `${CONFIG_MAPS}?watch=true&timeoutSeconds=10&allowWatchBookmarks=true&resourceVersion=0`,
    );
    await clock.step(10_000);
    await ended;
    expect(told(lines)).toEqual(['BOOKMARK']);
  });

  test('hears every minute how far the server is, where it takes bookmarks', async () => {
    const watch = await follow(`${CONFIG_MAPS}?watch=true&allowWatchBookmarks=true`);
    const silent = await follow(`${CONFIG_MAPS}?watch=true`);
    await send('POST', '/api/v1/namespaces', { metadata: { name: 'other' } });
    await clock.step(60_000);
    expect(watch.lines.map(({ type, object }) => [type, object.metadata.resourceVersion])).toEqual([
      ['BOOKMARK', String(server.store.revision)],
    ]);
    expect(silent.lines).toEqual([]);
  });

  test('is refused with 410 where its history is gone', async () => {
    const { body } = await send('GET', CONFIG_MAPS);
    for (let i = 0; i < 25; i++) await create(`c${i}`);
    const { status, body: refused } = await send(
      'GET',
      `${CONFIG_MAPS}?watch=true&resourceVersion=${body.metadata.resourceVersion}`,
    );
    expect(status).toBe(410);
    expect(refused).toMatchObject({ reason: 'Expired', code: 410 });
  });

  test('leaves nothing behind when its client leaves', async () => {
    const watch = await follow(`${CONFIG_MAPS}?watch=true&allowWatchBookmarks=true`);
    watch.abort();
    await expect(watch.ended).rejects.toThrow('left');
    await settle();
    expect(clock.pending).toBe(0);
  });

  test('of metadata alone carries nothing else', async () => {
    const response = await server.inProcessTransport().roundTrip({
      method: 'GET',
      path: `${CONFIG_MAPS}?watch=true&timeoutSeconds=1`,
      headers: { accept: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1' },
    });
    await send('POST', CONFIG_MAPS, { metadata: { name: 'a' }, data: { key: 'hidden' } });
    await clock.step(1000);
    let text = '';
    for await (const chunk of response.body) text += Buffer.from(chunk).toString();
    expect(JSON.parse(text)).toMatchObject({
      type: 'ADDED',
      object: { kind: 'PartialObjectMetadata', metadata: { name: 'a' } },
    });
    expect(text).not.toContain('hidden');
  });
});

describe('a list in pages', () => {
  test('shows the state of its first page to the end', async () => {
    for (const name of ['a', 'b', 'c', 'd']) await create(name);
    const first = (await send('GET', `${CONFIG_MAPS}?limit=2`)).body as unknown as Page;
    await send('DELETE', `${CONFIG_MAPS}/c`);
    await create('bb');
    const second = (await send('GET', `${CONFIG_MAPS}?limit=2&continue=${first.metadata.continue}`))
      .body as unknown as Page;
    expect(names(first)).toEqual(['a', 'b']);
    expect(first.metadata.remainingItemCount).toBe(2);
    expect(names(second)).toEqual(['c', 'd']);
    expect(second.metadata).toEqual({ resourceVersion: first.metadata.resourceVersion });
  });

  test('can go on as things are now when the state of its first page is gone', async () => {
    for (const name of ['a', 'b', 'c']) await create(name);
    const first = (await send('GET', `${CONFIG_MAPS}?limit=2`)).body as unknown as Page;
    await create('d');
    server.store.compact();
    const refused = await send('GET', `${CONFIG_MAPS}?limit=2&continue=${first.metadata.continue}`);
    expect(refused.status).toBe(410);
    const { continue: token } = (refused.body as unknown as Page).metadata;
    const rest = (await send('GET', `${CONFIG_MAPS}?continue=${token}`)).body as unknown as Page;
    expect(names(rest)).toEqual(['c', 'd']);
  });
});

interface Page {
  readonly metadata: {
    readonly continue?: string;
    readonly remainingItemCount?: number;
    readonly resourceVersion: string;
  };
  readonly items: readonly { readonly metadata: { readonly name: string } }[];
}

function names(page: Page): string[] {
  return page.items.map(({ metadata }) => metadata.name);
}
