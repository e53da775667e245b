import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';
import { FakeClock } from '#pkg/testing';

import { customResourceSteps } from '../../../test/golden/protocol/custom-resource-steps.ts';
import { play } from '../../../test/golden/protocol/normalize.ts';
import type { ProtocolAnswer, ProtocolStep } from '../../../test/golden/protocol/steps.ts';
import { type ApiServer, createApiServer } from '../api-server.ts';

const recorded = JSON.parse(
  readFileSync(new URL('../../../test/golden/protocol/custom-resource-answers.json', import.meta.url), 'utf8'),
) as readonly ProtocolAnswer[];

let server: ApiServer;
let answers: readonly ProtocolAnswer[];

async function send({ verb, path, body, headers }: ProtocolStep): Promise<{ status: number; headers: Record<string, string>; text: string }> {
  const transport = server.inProcessTransport({ name: 'admin', groups: ['system:masters'] });
  const sent = { accept: 'application/json', 'user-agent': 'golden/1', ...headers };
  const response = await transport.roundTrip({ method: verb, path, headers: sent, ...(body === undefined ? {} : { body: body as string }) });
  const chunks: Uint8Array[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  return { status: response.status, headers: { ...response.headers }, text: Buffer.concat(chunks).toString('utf8') };
}

beforeAll(async () => {
  server = createApiServer({ clock: new FakeClock(), random: seededRandom(1), freeze: true });
  answers = await play(customResourceSteps, send);
});
afterAll(() => server.close());

describe('definitions and custom resources are answered as by the original', () => {
  test.each(customResourceSteps.map(({ verb, path, body }, index) => ({ index, title: `${index}: ${verb} ${path} ${JSON.stringify(body ?? '').slice(0, 200)}` })))(
    '$title',
    ({ index }) => {
      expect(answers[index]).toEqual(recorded[index]);
    },
  );
});
