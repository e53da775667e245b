import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';
import { FakeClock, HOSTILE_DATA_KEYS, HOSTILE_KEYS, HOSTILE_NAME } from '#pkg/testing';

import { type ApiServer, createApiServer } from './api-server.ts';
import { admin } from './auth/users.ts';

let server: ApiServer;
beforeEach(() => {
  server = createApiServer({ clock: new FakeClock(), random: seededRandom(1), freeze: true });
});
afterEach(() => server.close());

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Bodies are texts, because a literal of JavaScript cannot hold `__proto__` as a key of its own. */
async function send(method: string, path: string, body?: string, type = 'application/json'): Promise<Answer> {
  const headers = { accept: 'application/json', 'content-type': type };
  const { status, body: answer } = await server.handler({
    method,
    path,
    headers,
    user: admin,
    ...(body === undefined ? {} : { body: Buffer.from(body) }),
  });
  if (!(answer instanceof Uint8Array) && typeof answer !== 'string')
    throw new TypeError('an answer in one piece was expected');
  return { status, text: Buffer.from(answer).toString('utf8') };
}

const MAPS = '/api/v1/namespaces/default/configmaps';
const PODS = '/api/v1/namespaces/default/pods';
const data = (value: string): string =>
  `{${HOSTILE_DATA_KEYS.map((key) => `${JSON.stringify(key)}:"${value}"`).join(',')}}`;
const configMap = (value: string): string =>
  `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${HOSTILE_NAME}"},"data":${data(value)}}`;

/** Keys and values below `data`, without going through property lookups of the test's own. */
function dataOf({ text }: Answer): readonly (readonly [string, unknown])[] {
  return Object.entries((JSON.parse(text) as { data: object }).data).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
const all = (value: string): readonly (readonly [string, string])[] =>
  HOSTILE_DATA_KEYS.toSorted().map((key) => [key, value] as const);

describe('keys that every plain object has', () => {
  test('are stored and answered as they came', async () => {
    expect((await send('POST', MAPS, configMap('a'))).status).toBe(201);
    expect(dataOf(await send('GET', `${MAPS}/${HOSTILE_NAME}`))).toEqual(all('a'));
    const replaced = await send('PUT', `${MAPS}/${HOSTILE_NAME}`, configMap('b'));
    expect(replaced.status).toBe(200);
    expect(dataOf(replaced)).toEqual(all('b'));
  });

  test.each([
    ['application/merge-patch+json', `{"data":${data('b')}}`],
    ['application/strategic-merge-patch+json', `{"data":${data('b')}}`],
    ['application/json-patch+json', `[{"op":"replace","path":"/data","value":${data('b')}}]`],
    [
      'application/json-patch+json',
      `[${HOSTILE_DATA_KEYS.map((key) => `{"op":"replace","path":"/data/${key}","value":"b"}`).join(',')}]`,
    ],
    ['application/apply-patch+yaml', configMap('b')],
  ])('are patched by %s', async (type, patch) => {
    const query = type.includes('apply') ? '?fieldManager=test&force=true' : '';
    await send('POST', MAPS, configMap('a'));
    const patched = await send('PATCH', `${MAPS}/${HOSTILE_NAME}${query}`, patch, type);
    expect(patched).toMatchObject({ status: 200 });
    expect(dataOf(patched)).toEqual(all('b'));
  });

  test('are taken away by a merge patch', async () => {
    await send('POST', MAPS, configMap('a'));
    const nothing = data('').replaceAll('""', 'null');
    const patched = await send(
      'PATCH',
      `${MAPS}/${HOSTILE_NAME}`,
      `{"data":${nothing}}`,
      'application/merge-patch+json',
    );
    expect((JSON.parse(patched.text) as { data?: object }).data ?? {}).toEqual({});
  });

  test.each(HOSTILE_KEYS)('are labels of those alone that have them: %s', async (key) => {
    const pod = (name: string, labels: object): string =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, labels },
        spec: { containers: [{ name: HOSTILE_NAME, image: 'x', ports: [{ name: HOSTILE_NAME, containerPort: 80 }] }] },
      });
    expect(await send('POST', PODS, pod('with', { [key]: 'x' }))).toMatchObject({ status: 201 });
    expect(await send('POST', PODS, pod('without', {}))).toMatchObject({ status: 201 });
    const names = async (selector: string): Promise<string[]> => {
      const { text } = await send('GET', `${PODS}?labelSelector=${encodeURIComponent(selector)}`);
      return (JSON.parse(text) as { items: { metadata: { name: string } }[] }).items.map(
        ({ metadata }) => metadata.name,
      );
    };
    expect(await names(key)).toEqual(['with']);
    expect(await names(`!${key}`)).toEqual(['without']);
    expect(await names(`${key}=x`)).toEqual(['with']);
    expect(await names(`${key}!=x`)).toEqual(['without']);
  });

  test('are names of namespaces', async () => {
    const namespace = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: HOSTILE_NAME } });
    expect(await send('POST', '/api/v1/namespaces', namespace)).toMatchObject({ status: 201 });
    expect(await send('POST', `/api/v1/namespaces/${HOSTILE_NAME}/configmaps`, configMap('a'))).toMatchObject({
      status: 201,
    });
    expect(await send('GET', `/api/v1/namespaces/toString/configmaps/${HOSTILE_NAME}`)).toMatchObject({ status: 404 });
  });

  test.each([
    '/api/v1/constructor',
    '/apis/constructor',
    '/apis/apps/constructor',
    '/apis/toString/v1/valueOf',
    '/constructor',
  ])('are no resources: %s', async (path) => {
    expect((await send('GET', path)).status).toBe(404);
  });
});
