import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';
import { FakeClock } from '#pkg/testing';

import { createApiServer } from '../api-server.ts';
import type { JsonObject } from '../json.ts';
import { asksForProtobuf, encodeOpenApiV2 } from './proto.ts';

/** A document that gnostic parsed, and the bytes that it wrote. */
const golden = JSON.parse(readFileSync(new URL('../../../test/golden/openapi-v2.json', import.meta.url), 'utf8')) as {
  readonly document: JsonObject;
  readonly protobuf: string;
};

test('a document is written byte for byte as gnostic writes it', () => {
  expect(encodeOpenApiV2(golden.document).toString('hex')).toBe(golden.protobuf);
});

test('extensions are pairs of a name and a text of YAML', () => {
  const document = { definitions: { A: { 'x-kubernetes-group-version-kind': [{ kind: 'A' }] } } };
  const extension = Buffer.concat([
    Buffer.from([0x0a, 31]),
    Buffer.from('x-kubernetes-group-version-kind'),
    Buffer.from([0x12, 16, 0x12, 14]),
    Buffer.from('[{"kind":"A"}]'),
  ]);
  expect(encodeOpenApiV2(document).includes(extension)).toBe(true);
});

test.each([
  [['application/com.github.proto-openapi.spec.v2@v1.0+protobuf'], true],
  [['application/com.github.proto-openapi.spec.v2.v1.0+protobuf', 'application/json'], true],
  [['application/json', 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'], false],
  [['*/*'], false],
  [[], false],
])('%j asks for protobuf: %s', (types, expected) => {
  expect(asksForProtobuf(types)).toBe(expected);
});

describe('/openapi/v2', () => {
  const get = async (accept: string): Promise<{ type: string; body: Buffer }> => {
    const server = createApiServer({ clock: new FakeClock(), random: seededRandom(1) });
    const answer = await server.handler({
      method: 'GET',
      path: '/openapi/v2',
      headers: { accept },
      user: { name: 'admin', groups: ['system:masters'] },
    });
    const body = Buffer.from(answer.body as Uint8Array);
    await server.close();
    return { type: String(answer.headers['content-type']), body };
  };

  test('answers in the form that is asked for', async () => {
    const { type, body } = await get('application/com.github.proto-openapi.spec.v2@v1.0+protobuf');
    expect(type).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    for (const text of [
      'io.k8s.api.apps.v1.Deployment',
      'x-kubernetes-patch-merge-key',
      '{"group":"apps","kind":"Deployment","version":"v1"}',
    ])
      expect(body.includes(text)).toBe(true);
    const json = await get('application/json');
    expect(json.type).toBe('application/json');
    expect(encodeOpenApiV2(JSON.parse(json.body.toString()) as JsonObject).equals(body)).toBe(true);
  });
});
