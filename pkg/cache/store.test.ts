import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { KubeObject } from '#pkg/api';

import { Store } from './store.ts';
import { NAMESPACE_INDEX } from './types.ts';

function object(key: string, tags: readonly string[] = []): KubeObject {
  const [namespace, name] = key.split('/') as [string, string];
  const labels = Object.fromEntries(tags.map((tag) => [tag, '']));
  return { metadata: { namespace, name, uid: key, resourceVersion: '1', creationTimestamp: '', labels } };
}

const tagsOf = (one: KubeObject): readonly string[] => Object.keys(one.metadata.labels ?? {});

describe('Store', () => {
  test('an unknown index is a mistake of the caller', () => {
    expect(() => new Store().byIndex('owner', 'x')).toThrow(RangeError);
  });

  test('an index name stands for one function', () => {
    const store = new Store();
    store.addIndex('tag', tagsOf);
    store.addIndex('tag', tagsOf);
    expect(() => store.addIndex('tag', () => [])).toThrow(expect.objectContaining({ code: 'IndexConflict' }));
  });

  test('an index added late holds what was there', () => {
    const store = new Store();
    store.set('a/x', object('a/x', ['red']));
    store.addIndex('tag', tagsOf);
    expect(store.byIndex('tag', 'red')).toEqual([object('a/x', ['red'])]);
  });

  test('cluster-scoped objects are in no namespace', () => {
    const store = new Store();
    store.set('node-1', { metadata: { name: 'node-1', uid: 'u', resourceVersion: '1', creationTimestamp: '' } });
    expect(store.byIndex(NAMESPACE_INDEX, '')).toEqual([]);
    expect(store.size).toBe(1);
  });

  test('an index function that throws keeps its object out of the index and nothing else', () => {
    const errors: string[] = [];
    const store = new Store((index, error) => errors.push(`${index}: ${(error as Error).message}`));
    store.addIndex('bad', (one) => {
      if (one.metadata.name === 'x') throw new Error('boom');
      return ['all'];
    });
    store.set('a/x', object('a/x'));
    store.set('a/y', object('a/y'));
    expect([store.size, store.byIndex('bad', 'all').length, errors]).toEqual([2, 1, ['bad: boom']]);
  });
});

const keys = ['a/x', 'a/y', 'b/x', 'b/z', 'c/x'];
const tags = fc.array(fc.constantFrom('red', 'green', 'blue', 'red'), { maxLength: 4 });
const action = fc.oneof(
  fc.record({ set: fc.constantFrom(...keys), tags }),
  fc.record({ delete: fc.constantFrom(...keys) }),
  fc.constant({ index: true as const }),
);

test('lists and indexes always equal a scan of a plain map', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60, size: 'max' }), (actions) => {
      const store = new Store();
      const model = new Map<string, KubeObject>();
      const replaced: [unknown, unknown][] = [];
      let indexed = false;
      for (const one of actions) {
        if ('set' in one) {
          const next = object(one.set, one.tags);
          replaced.push([store.set(one.set, next), model.get(one.set)]);
          model.set(one.set, next);
        } else if ('delete' in one) {
          replaced.push([store.delete(one.delete), model.get(one.delete)]);
          model.delete(one.delete);
        } else {
          store.addIndex('tag', tagsOf);
          indexed = true;
        }
        for (const [own, modelled] of replaced) expect(own).toBe(modelled);
        expect(new Set(store.list())).toEqual(new Set(model.values()));
        for (const namespace of ['a', 'b', 'c', 'd']) {
          const expected = [...model.values()].filter(({ metadata }) => metadata.namespace === namespace);
          expect(new Set(store.byIndex(NAMESPACE_INDEX, namespace))).toEqual(new Set(expected));
        }
        for (const tag of indexed ? ['red', 'green', 'blue', 'none'] : []) {
          const found = store.byIndex('tag', tag);
          expect(new Set(found).size).toBe(found.length);
          expect(new Set(found)).toEqual(new Set([...model.values()].filter((entry) => tagsOf(entry).includes(tag))));
        }
      }
    }),
  );
});
