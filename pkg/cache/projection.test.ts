import { describe, expect, test } from 'vitest';

import type { KubeObject } from '#pkg/api';

import { keepFields } from './projection.ts';

const object = {
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'a', namespace: 'b', uid: 'c', resourceVersion: '1', creationTimestamp: '' },
  spec: { node: 'n', big: 'x', list: [{ keep: 1, drop: 2 }, { drop: 3 }], zero: 0, no: false, nothing: null },
  data: { secret: 'x' },
};

describe('keepFields', () => {
  test.each<[string[], object]>([
    [[], {}],
    [['spec.node'], { spec: { node: 'n' } }],
    [['spec.list.keep'], { spec: { list: [{ keep: 1 }, {}] } }],
    [['spec.list'], { spec: { list: object.spec.list } }],
    [['spec.zero', 'spec.no', 'spec.nothing'], { spec: { zero: 0, no: false, nothing: null } }],
    [['spec.missing', 'other.field'], { spec: {} }],
    [['spec.node.deeper'], { spec: { node: 'n' } }],
  ])('%j', (paths, expected) => {
    const { apiVersion, kind, metadata } = object;
    const original = structuredClone(object);
    expect(keepFields<KubeObject>(...paths)(object)).toEqual({ apiVersion, kind, metadata, ...expected });
    expect(object).toEqual(original);
  });
});
