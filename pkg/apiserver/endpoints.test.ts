import { afterEach, beforeEach, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';
import { FakeClock } from '#pkg/testing';

import { answers } from '../../test/golden/apiserver/answers.ts';
import { scenarios } from '../../test/golden/apiserver/scenarios.ts';
import { type ApiServer, createApiServer } from './api-server.ts';
import { admin } from './auth/users.ts';

let server: ApiServer;
beforeEach(() => {
  server = createApiServer({ clock: new FakeClock(), random: seededRandom(1), freeze: true });
});
afterEach(() => server.close());

async function send(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ readonly status: number; readonly warnings: string[] }> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const { status, headers: answered } = await server.handler({
    method,
    path,
    headers,
    user: admin,
    ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
  });
  return { status, warnings: [answered['warning'] ?? []].flat() };
}

const DEPRECATED = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';
const collection = '/api/v1/namespaces/default/endpoints';
const named = (kind: string, name: string, rest: object = {}): object => ({
  apiVersion: 'v1',
  kind,
  metadata: { name },
  ...rest,
});

test('answers about Endpoints warn as those of the original', async () => {
  const [step] = scenarios.find(({ name }) => name === 'create Endpoints of IPv6')!.steps('default');
  const { code, warnings } = answers['create Endpoints of IPv6']![0]!;
  expect(await send('POST', step!.path, step!.body)).toEqual({ status: code, warnings });
  expect(warnings).toHaveLength(3);
  expect(await send('GET', `${collection}/e`)).toEqual({ status: 200, warnings: [DEPRECATED] });
  expect(await send('GET', collection)).toEqual({ status: 200, warnings: [DEPRECATED] });
  expect(await send('GET', `${collection}/none`)).toEqual({ status: 404, warnings: [DEPRECATED] });
  const byController = {
    metadata: { name: 'f', labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } },
    subsets: [{ addresses: [{ ip: 'FD00::1' }] }],
  };
  expect(await send('POST', collection, byController)).toEqual({ status: 201, warnings: [DEPRECATED] });
});

test('Endpoints go with their Service, unless something holds them', async () => {
  const services = '/api/v1/namespaces/default/services';
  for (const name of ['a', 'b', 'c'])
    await send('POST', services, named('Service', name, { spec: { ports: [{ port: 80 }] } }));
  await send('POST', collection, named('Endpoints', 'a'));
  await send('POST', collection, { metadata: { name: 'b', finalizers: ['example.com/stay'] } });
  for (const name of ['a', 'b', 'c']) expect((await send('DELETE', `${services}/${name}`)).status).toBe(200);
  expect((await send('GET', `${collection}/a`)).status).toBe(404);
  expect((await send('GET', `${collection}/b`)).status).toBe(200);
  expect(server.store.get('endpoints', 'default/b')!.object).toMatchObject({
    metadata: { deletionTimestamp: expect.any(String) as string },
  });
});
