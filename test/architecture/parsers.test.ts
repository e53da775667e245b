import { expect, test } from 'vitest';

import { isTest, sourceFiles } from './source-files.ts';

/** The messages of `JSON.parse` quote what they read, which may be a token or a Secret; those of js-yaml show the line. */
const files = sourceFiles('cmd', 'controllers', 'pkg').filter(
  ({ path }) => !isTest(path) && !path.startsWith('pkg/testing/'),
);

test('JSON from outside is read by parseJson, whose errors quote nothing', () => {
  const OWN = new Set([
    'pkg/base/exact-json.ts',
    // What they parse, the program has written itself; the last is what rounds numbers on purpose.
    'pkg/apiserver/schema/load.ts',
    'pkg/apiserver/custom-resources/warnings.ts',
    'controllers/internal/history/revision.ts',
    // Of the embedded server, which answers whoever sent it.
    'pkg/apiserver/handler/continue-token.ts',
    'cmd/devcluster/workload.ts',
  ]);
  const parsing = files.filter(({ text }) => /\bJSON\.parse\(/.test(text)).map(({ path }) => path);
  expect(parsing.filter((path) => !OWN.has(path))).toEqual([]);
});

test('YAML of the manager is reported by yamlProblem, which quotes nothing', () => {
  const loading = files.filter(({ path, text }) => /js-yaml/.test(text) && /^pkg\/(?!apiserver)/.test(path));
  expect(loading.length).toBeGreaterThan(1);
  expect(loading.filter(({ text }) => !text.includes('yamlProblem(')).map(({ path }) => path)).toEqual([]);
});
