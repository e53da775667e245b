import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';
import { FakeClock } from '#pkg/testing';

import { customResourceSteps } from '../../../test/golden/protocol/custom-resource-steps.ts';
import { sendInProcess } from '../../../test/golden/protocol/in-process.ts';
import { play } from '../../../test/golden/protocol/normalize.ts';
import type { ProtocolAnswer } from '../../../test/golden/protocol/steps.ts';
import { type ApiServer, createApiServer } from '../api-server.ts';

const recorded = JSON.parse(
  readFileSync(new URL('../../../test/golden/protocol/custom-resource-answers.json', import.meta.url), 'utf8'),
) as readonly ProtocolAnswer[];

let server: ApiServer;
let answers: readonly ProtocolAnswer[];

beforeAll(async () => {
  server = createApiServer({ clock: new FakeClock(), random: seededRandom(1), freeze: true });
  answers = await play(customResourceSteps, (step) => sendInProcess(server, step));
});
afterAll(() => server.close());

describe('definitions and custom resources are answered as by the original', () => {
  test.each(
    customResourceSteps.map(({ verb, path, body }, index) => ({
      index,
      title: `${index}: ${verb} ${path} ${JSON.stringify(body ?? '').slice(0, 200)}`,
    })),
  )('$title', ({ index }) => {
    expect(answers[index]).toEqual(recorded[index]);
  });
});
