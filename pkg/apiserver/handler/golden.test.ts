import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';
import { FakeClock } from '#pkg/testing';

import { sendInProcess } from '../../../test/golden/protocol/in-process.ts';
import { play } from '../../../test/golden/protocol/normalize.ts';
import { type ProtocolAnswer, type ProtocolStep, steps } from '../../../test/golden/protocol/steps.ts';
import { type ApiServer, createApiServer } from '../api-server.ts';

const recorded = JSON.parse(
  readFileSync(new URL('../../../test/golden/protocol/answers.json', import.meta.url), 'utf8'),
) as readonly ProtocolAnswer[];

/** Where this server knowingly answers otherwise, and why. */
const DIFFERENT: readonly (readonly [RegExp, string])[] = [
  [/accept: text\/html/, 'names protobuf among what it offers'],
  [/accept: application\/yaml/, 'quotes other texts'],
  [/labelSelector=(a=b=c|x%20in%20\(y)/, "has the words of Go's lexer"],
  [/"data":\{"q":1\}|"replicas":"x"/, 'quotes the whole object, with its keys in another order'],
  [/"metadata":\{"uid":"1"\}/, 'gives one cause twice'],
  [/selfsubjectreviews/, 'tells which certificate was used'],
  [/"nonResourceAttributes"/, 'names another of the bindings that allow it'],
  [/\/jobs/, 'shows the labels of its template as its own'],
];

const clock = new FakeClock();
let server: ApiServer;
let answers: readonly ProtocolAnswer[];

/** Watches end when their time is up. */
const send = (step: ProtocolStep): ReturnType<typeof sendInProcess> =>
  sendInProcess(server, step, async () => void (step.path.includes('timeoutSeconds') && (await clock.step(2000))));

beforeAll(async () => {
  server = createApiServer({ clock, random: seededRandom(1), freeze: true });
  answers = await play(steps, send);
});
afterAll(() => server.close());

const titled = steps.map((step, index) => ({ index, title: titleOf(step, index) }));
const isKnown = ({ title }: { readonly title: string }): boolean => DIFFERENT.some(([pattern]) => pattern.test(title));

describe('answers as the original does', () => {
  test.each(titled.filter((step) => !isKnown(step)))('$title', ({ index }) => {
    expect(answers[index]).toEqual(recorded[index]);
  });

  test.each(titled.filter(isKnown))('in kind, if not in words: $title', ({ index }) => {
    expect(answers[index]!.code).toBe(recorded[index]!.code);
  });

  test('every known difference is one', () => {
    const alike = DIFFERENT.filter(
      ([pattern]) =>
        !titled.some(
          ({ index, title }) =>
            pattern.test(title) && JSON.stringify(answers[index]) !== JSON.stringify(recorded[index]),
        ),
    );
    expect(alike).toEqual([]);
  });
});

function titleOf({ verb, path, body, headers = {} }: ProtocolStep, index: number): string {
  const extra = Object.entries(headers).map(([name, value]) => ` ${name}: ${value}`);
  return `${index}: ${verb} ${path}${extra.join('')}${body === undefined ? '' : ` ${typeof body === 'string' ? body : JSON.stringify(body)}`}`;
}
