import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { type ControllerRevision, type StatefulSet, resources } from '#pkg/api';
import { at, podTemplate } from '#pkg/testing';

import { canonicalJson } from './canonical-json.ts';
import {
  dataOf,
  newRevision,
  nextRevision,
  obsoleteRevisions,
  revisionHash,
  revisionName,
  sortRevisions,
  templateOf,
  templatePatch,
} from './revision.ts';

interface Golden {
  /** As the API server served it. */
  readonly set: StatefulSet;
  /** As the original manager made it, data apart. */
  readonly revision: ControllerRevision;
  /** The data's bytes as the API server served them. */
  readonly data: string;
}

const golden = JSON.parse(
  readFileSync(new URL('../../../test/golden/controller-revisions.json', import.meta.url), 'utf8'),
) as readonly Golden[];

function stored(name: string, revision: number, seconds = 0): ControllerRevision {
  return {
    metadata: { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp: at(seconds) },
    revision,
  };
}
const names = (revisions: readonly ControllerRevision[]): string[] => revisions.map(({ metadata }) => metadata.name);

describe('revisions that the original manager made', () => {
  test.each(golden.map((one) => [one.set.metadata.name, one] as const))('%s', (_name, { set, revision, data }) => {
    const draft = newRevision({
      owner: set,
      ownerType: resources.statefulSets,
      data: templatePatch(set.spec!.template),
      labels: set.spec!.template.metadata?.labels ?? {},
      annotations: set.metadata.annotations ?? {},
      revision: 1,
      collisionCount: 0,
    });
    expect(draft.data).toBe(data);
    const { name, labels, annotations, namespace, ownerReferences } = revision.metadata;
    expect(draft.object.metadata).toEqual({
      name,
      labels,
      namespace,
      ownerReferences,
      ...(annotations ? { annotations } : {}),
    });
    expect(dataOf({ ...revision, data: JSON.parse(data) as never })).toBe(data);
    expect(templateOf({ data: JSON.parse(data) as never })).toEqual(set.spec!.template);
  });
});

test.each<[unknown, string]>([
  [{ b: 1, a: [true, 'x'], c: {} }, '{"a":[true,"x"],"b":1,"c":{}}'],
  [{ 9: 'nine', 10: 'ten', '1a': 0 }, '{"10":"ten","1a":0,"9":"nine"}'],
  [
    '<a href="x">&\u2028\u2029\u0000\n\u007f</a>',
    String.raw`"\u003ca href=\"x\"\u003e\u0026\u2028\u2029\u0000\n${'\u007f'}\u003c/a\u003e"`,
  ],
  [{ '\u{1f600}': 1, '\uffee': 2 }, '{"\uffee":2,"\u{1f600}":1}'],
  [{ a: null, b: [null], c: undefined }, '{"b":[null]}'],
])('%j as Go writes it', (value, text) => {
  expect(canonicalJson(value)).toBe(text);
});

test('a collision count makes another name of the same data', () => {
  const data = templatePatch(podTemplate());
  expect(new Set([revisionHash(data), revisionHash(data, 0), revisionHash(data, 1)]).size).toBe(3);
  expect(revisionName('x'.repeat(250), 'hash')).toBe(`${'x'.repeat(223)}-hash`);
});

test('a template comes back from its patch; other data holds none', () => {
  const template = podTemplate();
  expect(templateOf({ data: JSON.parse(templatePatch(template)) as never })).toEqual(template);
  expect(templateOf({ data: { spec: { template } } as never })).toBeUndefined();
  expect(templateOf({})).toBeUndefined();
});

test('revisions sort by number, creation and name, and the next number follows the last', () => {
  const sorted = sortRevisions([stored('c', 2), stored('b', 1, 5), stored('z', 1, 1), stored('a', 1, 5)]);
  expect(names(sorted)).toEqual(['z', 'a', 'b', 'c']);
  expect([nextRevision(sorted), nextRevision([])]).toEqual([3, 1]);
});

test.each([
  [0, ['a', 'c', 'd']],
  [1, ['a', 'c']],
  [2, ['a']],
  [3, []],
  [-1, []],
])('with a limit of %i of unused revisions %j go', (limit, gone) => {
  const sorted = ['a', 'b', 'c', 'd'].map((name, i) => stored(name, i + 1));
  expect(names(obsoleteRevisions(sorted, ({ metadata }) => metadata.name === 'b', limit))).toEqual(gone);
});
