import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { API, type Project } from 'typescript/unstable/sync';
import { afterAll, describe, expect, test } from 'vitest';

import { plainLookups } from './plain-lookups.ts';
import { ROOT, isTest } from './source-files.ts';

const api = new API({ cwd: ROOT });
afterAll(() => api.close());

function open(config: string): Project {
  const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
  if (project === undefined) throw new Error(`${config} is no project`);
  return project;
}

/** Names, labels, flags and headers reach all of these; tests and benchmarks choose their own. */
const HELD = /^(?:cmd|controllers|deploy|pkg\/(?!testing\/))/;
/** Places that look up and set under any key, with why they may. */
const OWN = new Set([
  // The helpers themselves.
  'pkg/base/own-values.ts',
  // Run for each field of each event, where the helpers cost half as much again. Their keys are those of an object that was
  // parsed, and what an object inherits is told apart by its type.
  'pkg/cache/projection.ts',
  'pkg/cache/sharing.ts',
  'pkg/client/repeated-parts.ts',
]);

describe('a key from outside', () => {
  test('is never looked up among the properties of a plain object, but with ownValue and setOwnValue', () => {
    const { program, checker } = open(join(ROOT, 'tsconfig.json'));
    const paths = program
      .getSourceFileNames()
      .map((name) => [name, name.slice(ROOT.length).replace(/^\//, '')] as const)
      .filter(([, path]) => HELD.test(path) && !isTest(path) && !OWN.has(path));
    expect(paths.length).toBeGreaterThan(400);
    const found = paths.flatMap(([name, path]) => plainLookups(checker, program.getSourceFile(name)!, path));
    expect(found).toEqual([]);
  }, 60_000);

  describe('is found', () => {
    const folder = mkdtempSync(join(tmpdir(), 'plain-lookups-'));
    afterAll(() => rmSync(folder, { recursive: true, force: true }));
    let files = 0;

    function found(code: string): readonly string[] {
      const name = join(folder, `case-${files++}`);
      writeFileSync(
        `${name}.json`,
        JSON.stringify({ compilerOptions: { strict: true, target: 'esnext', types: [] }, files: [`${name}.ts`] }),
      );
      writeFileSync(
        `${name}.ts`,
        `declare const labels: Record<string, string>; declare const key: string; declare const list: string[]; declare const at: number;
        declare const known: 'a' | 'b'; declare const table: { a: string; b: string }; declare const json: { [key: string]: unknown };
        ${code}`,
      );
      const { program, checker } = open(`${name}.json`);
      return plainLookups(checker, program.getSourceFile(`${name}.ts`)!, 'case.ts').map((line) =>
        line.replace(/^case\.ts:\d+: /, ''),
      );
    }

    test.each([
      ['labels[key];', 'labels[key]'],
      ['(undefined as typeof labels | undefined)?.[key];', '(undefined as typeof labels | undefined)?.[key]'],
      ['labels[`app/${key}`];', 'labels[`app/${key}`]'],
      ["labels[key] = 'x';", 'labels[key]'],
      ['key in labels;', 'key in labels'],
      ['Object.assign({}, json);', 'Object.assign({}, json)'],
      ['table[key as keyof typeof table];', 'table[key as keyof typeof table]'],
      ['(table as any)[key];', '(table as any)[key]'],
    ])('in %s', (code, expression) => {
      expect(found(code)).toEqual([expression]);
    });

    test.each([
      "labels['app'];",
      'list[at];',
      'table[known];',
      "'a' in table;",
      'delete labels[key];',
      'Object.assign({}, table);',
    ])('not in %s', (code) => {
      expect(found(code)).toEqual([]);
    });
  });
});
