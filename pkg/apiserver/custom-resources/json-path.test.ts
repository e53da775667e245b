import { describe, expect, test } from 'vitest';

import { compilePath } from './json-path.ts';
import { compareVersions } from './versions.ts';

const object = {
  spec: { size: 'large', list: [1, 2, 3, 4], 'with.dot': 'd' },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', n: 2 },
      { type: 'Other', status: 'False', n: 5 },
    ],
  },
};

describe('paths into objects', () => {
  test.each<[path: string, found: unknown[]]>([
    ['.spec.size', ['large']],
    ['$.spec.size', ['large']],
    ["['spec']['size']", ['large']],
    ['.spec.with\\.dot', ['d']],
    ['.spec.none', []],
    ['.spec.size.deeper', []],
    ['.spec.list[0]', [1]],
    ['.spec.list[-1]', [4]],
    ['.spec.list[1:3]', [2, 3]],
    ['.spec.list[0,2]', [1, 3]],
    ['.spec.list[*]', [1, 2, 3, 4]],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    [".status.conditions[?(@.type!='Ready')].status", ['False']],
    ['.status.conditions[?(@.n>3)].type', ['Other']],
    ['.status.conditions[?(@.status)].type', ['Ready', 'Other']],
    ['.status.conditions[*].type', ['Ready', 'Other']],
    ['..type', ['Ready', 'Other']],
    ['.', [object]],
  ])('%s', (path, found) => expect(compilePath(path)?.(object)).toEqual(found));

  test.each(['.spec[', '.spec[?(@.a', '.a[x y]'])('%s is none', (path) => expect(compilePath(path)).toBeUndefined());
});

test('versions in the order in which clients prefer them', () => {
  const sorted = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'foo1', 'foo10'];
  expect(sorted.toReversed().toSorted(compareVersions)).toEqual(sorted);
});
