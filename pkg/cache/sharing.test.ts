import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { KubeObject } from '#pkg/api';
import { deepFreeze } from '#pkg/base';

import { Sharing } from './sharing.ts';

interface Thing extends KubeObject {
  readonly spec: unknown;
}

function thing(name: string, spec: unknown, owner = 'rs-1'): Thing {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: owner, uid: owner }];
  const metadata = {
    name,
    namespace: 'default',
    uid: name,
    resourceVersion: '1',
    creationTimestamp: '',
    ownerReferences,
  };
  return JSON.parse(JSON.stringify({ metadata, spec })) as Thing;
}

describe('Sharing', () => {
  test('what a new version leaves alone is identical to the old', () => {
    const sharing = new Sharing();
    const old = sharing.share(thing('a', { keep: { deep: [1, 2] }, change: { x: 1, y: { z: 2 } } }), undefined);
    const next = sharing.share(thing('a', { keep: { deep: [1, 2] }, change: { x: 2, y: { z: 2 } } }), old);
    const [before, after] = [old.spec, next.spec] as { keep: object; change: { y: object } }[];
    expect(next.metadata).toBe(old.metadata);
    expect(after!.keep).toBe(before!.keep);
    expect(after!.change).not.toBe(before!.change);
    expect(after!.change.y).toBe(before!.change.y);
  });

  test('siblings share, strangers do not', () => {
    const sharing = new Sharing();
    const first = sharing.share(thing('a', { env: ['x'] }), undefined);
    expect(sharing.share(thing('b', { env: ['x'] }), undefined).spec).toBe(first.spec);
    expect(sharing.share(thing('c', { env: ['x'] }, 'rs-2'), undefined).spec).not.toBe(first.spec);
  });

  test('a frozen object is left alone', () => {
    const sharing = new Sharing();
    const first = sharing.share(thing('a', { env: ['x'] }), undefined);
    const frozen = deepFreeze(thing('b', { env: ['x'] }));
    expect(sharing.share(frozen, first)).toBe(frozen);
    expect(frozen.spec).not.toBe(first.spec);
  });

  test('frozen parts of an object are no obstacle', () => {
    const sharing = new Sharing();
    const first = sharing.share(thing('a', { x: ['1'], y: 2 }), undefined);
    const fresh = { ...thing('b', {}), spec: Object.freeze({ x: ['1'], y: 3 }) };
    expect(sharing.share(fresh, first).spec).toEqual({ x: ['1'], y: 3 });
  });
});

const json = fc.jsonValue({ maxDepth: 4, stringUnit: fc.constantFrom('a', 'b') });
/** A value and one that differs from it here or there, with names that meet Object.prototype among them. */
const pairs = fc.oneof(
  fc.tuple(json, json),
  fc
    .tuple(
      fc.array(fc.tuple(fc.constantFrom('a', 'b', '__proto__', 'constructor', 'toString'), json), { maxLength: 4 }),
      fc.array(fc.tuple(fc.constantFrom('a', 'b', '__proto__', 'constructor', 'toString'), json), { maxLength: 4 }),
    )
    .map(([left, right]) =>
      [left, right].map(
        (members) =>
          JSON.parse(`{${members.map(([name, value]) => `"${name}":${JSON.stringify(value)}`).join(',')}}`) as unknown,
      ),
    ),
);

test('sharing never changes a value, neither of the fresh nor of the kept object', () => {
  fc.assert(
    fc.property(pairs, ([left, right]) => {
      const kept = thing('a', left);
      const fresh = thing('b', right);
      const before = JSON.stringify([kept, fresh]);
      const shared = new Sharing().share(fresh, kept);
      expect(JSON.stringify([kept, shared])).toBe(before);
    }),
    { numRuns: 1000 },
  );
});

test('equal values become one', () => {
  fc.assert(
    fc.property(json, (value) => {
      const sharing = new Sharing();
      const first = sharing.share(thing('a', { value }), undefined);
      expect(sharing.share(thing('b', { value }), undefined).spec).toBe(first.spec);
    }),
  );
});
