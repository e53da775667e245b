import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import { identityOf, loadController, type PolicyRule } from '#pkg/controller';

import { controllerDefinitions } from '../../controllers/registry.ts';
import { ROOT } from './source-files.ts';

const folders = readdirSync(join(ROOT, 'controllers'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'internal')
  .map((entry) => entry.name);

const roles = JSON.parse(readFileSync(join(ROOT, 'test/golden/rbac-roles.json'), 'utf8')) as Record<
  string,
  PolicyRule[]
>;

describe('the registry', () => {
  test('has every folder of controllers/, and nothing else', () => {
    const text = readFileSync(join(ROOT, 'controllers/registry.ts'), 'utf8');
    const imported = [...text.matchAll(/import\('\.\/([^/']+)\/index\.ts'\)/g)].map((match) => match[1]!);
    expect(imported.toSorted()).toEqual(folders.toSorted());
    expect(controllerDefinitions).toHaveLength(folders.length);
  });

  test.each(folders)('%s names the files of a role as all others do', (folder) => {
    const OTHER_NAMES =
      /^(?:description|gather|gathering|carry-out|reconciler|reconciling|collector|requests|write-slices|writer|reader)\.ts$/;
    const files = readdirSync(join(ROOT, 'controllers', folder));
    expect(files.filter((file) => OTHER_NAMES.test(file))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['controller.ts', 'index.ts']));
  });

  test.each(folders)('%s says in a README what it owns', (folder) => {
    expect(existsSync(join(ROOT, 'controllers', folder, 'README.md'))).toBe(true);
  });

  test.each(controllerDefinitions.map((registered) => [registered.name, registered] as const))(
    '%s is what its description says',
    async (_name, registered) => {
      const described = Object.entries(await loadController(registered)).filter(([field]) => field !== 'create');
      expect(registered).toMatchObject(Object.fromEntries(described));
    },
  );

  test.each(controllerDefinitions.map((definition) => [definition.name, definition] as const))(
    '%s may do what its role allows upstream, and no more',
    (_name, definition) => {
      const role = roles[`system:controller:${identityOf(definition).serviceAccount}`];
      const sorted = (rules: readonly PolicyRule[]): string[] =>
        rules
          .map(({ apiGroups = [], resources = [], verbs }) =>
            [apiGroups, resources, verbs].map((list) => list.toSorted().join()).join(' | '),
          )
          .toSorted();
      expect(sorted(definition.rbac)).toEqual(sorted(role ?? []));
    },
  );
});
