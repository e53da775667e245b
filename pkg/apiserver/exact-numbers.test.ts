import { afterEach, beforeEach, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';
import { FakeClock } from '#pkg/testing';

import { type ApiServer, createApiServer } from './api-server.ts';
import { admin } from './auth/users.ts';

let server: ApiServer;
beforeEach(() => {
  server = createApiServer({ clock: new FakeClock(), random: seededRandom(1), freeze: true });
});
afterEach(() => server.close());

async function send(method: string, path: string, body: string, type = 'application/json'): Promise<[number, string]> {
  const headers = { accept: 'application/json', 'content-type': type };
  const answer = await server.handler({ method, path, headers, user: admin, body: Buffer.from(body) });
  return [answer.status, Buffer.from(answer.body as Uint8Array).toString('utf8')];
}

const PODS = '/api/v1/namespaces/default/pods';
const pod = (seconds: string): string =>
  `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"terminationGracePeriodSeconds":${seconds},"containers":[{"name":"c","image":"x"}]}}`;
const version = (text: string): string => /"resourceVersion":"(\d+)"/.exec(text)![1]!;
const secondsIn = (text: string): string | undefined => /"terminationGracePeriodSeconds":(-?\d+)[,}]/.exec(text)?.[1];

test.each(['9007199254740993', '9223372036854775807'])('%s is stored as it came', async (seconds) => {
  const [status, created] = await send('POST', PODS, pod(seconds));
  expect([status, secondsIn(created)]).toEqual([201, seconds]);
  const [, read] = await send('GET', `${PODS}/p`, '');
  expect(secondsIn(read)).toBe(seconds);
});

test('what is applied twice is the same', async () => {
  const path = `${PODS}/p?fieldManager=test`;
  const [status, first] = await send('PATCH', path, pod('9007199254740993'), 'application/apply-patch+yaml');
  expect([status, secondsIn(first)]).toEqual([201, '9007199254740993']);
  const [, second] = await send('PATCH', path, pod('9007199254740993'), 'application/apply-patch+yaml');
  expect(version(second)).toBe(version(first));
});

test.each([
  ['application/merge-patch+json', '{"metadata":{"labels":{"a":"b"}}}'],
  ['application/strategic-merge-patch+json', '{"metadata":{"labels":{"a":"b"}}}'],
  ['application/json-patch+json', '[{"op":"add","path":"/metadata/labels","value":{"a":"b"}}]'],
])('a patch of something else leaves it alone: %s', async (type, patch) => {
  await send('POST', PODS, pod('9007199254740993'));
  const [status, patched] = await send('PATCH', `${PODS}/p`, patch, type);
  expect([status, secondsIn(patched)]).toEqual([200, '9007199254740993']);
});

test.each(['9223372036854775808', '-9223372036854775809', '1.5'])('%s is no int64', async (seconds) => {
  const [status, answer] = await send('POST', PODS, pod(seconds));
  expect(status).toBe(400);
  expect(answer).toContain(
    `json: cannot unmarshal number ${seconds} into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64`,
  );
});
