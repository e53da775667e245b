import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { ROOT, type SourceFile, isTest, sourceFiles } from './source-files.ts';

/** A package imports only from lower layers. The embedded API server stands aside on the ground floors. */
const LAYERS: readonly (readonly string[])[] = [
  ['base'],
  ['api', 'log', 'metrics', 'featuregates'],
  ['client', 'workqueue'],
  ['transport', 'cache', 'leaderelection', 'events'],
  ['controller'],
  ['manager'],
];
const SIDE: Readonly<Record<string, readonly string[]>> = { apiserver: ['base', 'api', 'log', 'metrics'] };

const files = sourceFiles('pkg', 'controllers', 'cmd');
const production = files.filter((file) => !isTest(file.path));

function packageOf(path: string): string {
  return path.split('/')[1]!;
}

function allowedFor(name: string): readonly string[] {
  if (SIDE[name]) return SIDE[name];
  const layer = LAYERS.findIndex((names) => names.includes(name));
  return LAYERS.slice(0, layer).flat();
}

function importedPackages(file: SourceFile): string[] {
  return file.imports.filter((target) => target.startsWith('#pkg/')).map((target) => target.slice('#pkg/'.length));
}

describe('layers', () => {
  test('every package of pkg/ has a layer', () => {
    const known = [...LAYERS.flat(), ...Object.keys(SIDE), 'testing'];
    expect(readdirSync(join(ROOT, 'pkg')).toSorted()).toEqual(known.toSorted());
  });

  test.each(production.filter((file) => file.path.startsWith('pkg/')))('$path imports only lower layers', (file) => {
    const own = packageOf(file.path);
    const wrong = importedPackages(file).filter((name) => !allowedFor(own).includes(name));
    expect(wrong).toEqual([]);
  });

  test.each(files.filter((file) => file.path.startsWith('pkg/')))(
    '$path reaches no other folder by a relative path',
    (file) => {
      const own = `pkg/${packageOf(file.path)}/`;
      const relative = file.imports.filter((target) => /^(pkg|cmd|controllers|test|deploy)\//.test(target));
      // Tests may hold a package against the tables of test/golden.
      const allowed = isTest(file.path) ? [own, 'test/golden/'] : [own];
      expect(relative.filter((target) => !allowed.some((prefix) => target.startsWith(prefix)))).toEqual([]);
    },
  );

  test('only tests and benchmarks import pkg/testing', () => {
    expect(production.filter((file) => importedPackages(file).includes('testing')).map((file) => file.path)).toEqual(
      [],
    );
  });

  test('controllers do not import each other', () => {
    const wrong = production
      .filter((file) => file.path.startsWith('controllers/') && file.path.split('/').length > 2)
      .flatMap((file) => {
        const own = file.path.split('/').slice(0, 2).join('/');
        return file.imports
          .filter((target) => target.startsWith('controllers/'))
          .filter((target) => !target.startsWith(`${own}/`) && !target.startsWith('controllers/internal/'))
          .map((target) => `${file.path} -> ${target}`);
      });
    expect(wrong).toEqual([]);
  });

  test('controllers reach the world through the library only', () => {
    const wrong = production
      .filter((file) => file.path.startsWith('controllers/'))
      .flatMap((file) =>
        file.imports.filter((target) => target.startsWith('node:') || target.startsWith('@kubernetes/')),
      );
    expect(wrong).toEqual([]);
  });
});

describe('time and chance come from outside', () => {
  const REAL_TIME =
    /\b(?:Date\.now|performance\.now|Math\.random|setInterval)\s*\(|(?<![.\w])setTimeout\s*\(|\bnew Date\(\)/;
  const ALLOWED = ['pkg/base/clock.ts', 'pkg/base/random.ts'];

  test.each(production.filter((file) => /^(pkg|controllers)\//.test(file.path) && !ALLOWED.includes(file.path)))(
    '$path reads no clock and no dice of its own',
    (file) => {
      const lines = file.text.split('\n').filter((line) => REAL_TIME.test(line) && !/^\s*(\*|\/\/)/.test(line));
      expect(lines).toEqual([]);
    },
  );
});
