import { load } from 'js-yaml';
import { expect, test } from 'vitest';

import { parseJson } from './exact-json.ts';
import { yamlProblem } from './yaml-problem.ts';

function problemOf(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    return error instanceof SyntaxError ? error.message : yamlProblem(error);
  }
  throw new Error('it can be read');
}

test.each([
  'token: "secret',
  'token: [secret',
  'token: *secret',
  'token: !<secret> x',
  'token: !secret x',
  'secret: 1\nsecret: 2',
  'a: secret: b',
  '- secret\nx: y',
])('nothing of %j is in the problem', (text) => {
  const problem = problemOf(() => load(text));
  expect(problem).toMatch(/line \d+, column \d+/);
  expect(problem).not.toContain('secret');
});

test.each(['secret', '{"token":secret}', '"secret', '{"secret":}', '[secret'])(
  'nothing of %j is in the message',
  (text) => {
    const problem = problemOf(() => parseJson(text));
    expect(problem).toMatch(/^not valid JSON/);
    expect(problem).not.toContain('secret');
  },
);
