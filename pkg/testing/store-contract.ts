import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type Store, StoreError, type StoreEvent } from '#pkg/apiserver';

export interface StoreSettings {
  readonly historyPerResource?: number;
}

const PODS = 'pods';

function object(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const [namespace, own] = name.split('/');
  return { kind: 'Pod', apiVersion: 'v1', metadata: { namespace, name: own }, ...more };
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof StoreError) return error.code;
    throw error;
  }
  return 'none';
}

/** `ADDED a/x 3`: what a watcher was told. */
function told(events: readonly StoreEvent[]): string[] {
  return events.map(({ type, entry, revision }) => `${type} ${entry.key} ${revision}`);
}

/** What every store of the API server keeps to. `storeContract('in memory', createStore)` at the top of a test file. */
export function storeContract(name: string, make: (settings?: StoreSettings) => Store): void {
  describe(`store contract: ${name}`, () => {
    test('counts one revision over all resources and writes it into the objects', () => {
      const store = make();
      const start = store.revision;
      const first = store.create(PODS, 'a/x', object('a/x'));
      const second = store.create('nodes', 'n', object('/n'));
      expect([first.revision, second.revision, store.revision]).toEqual([start + 1, start + 2, start + 2]);
      expect(first.object['metadata']).toMatchObject({ resourceVersion: String(start + 1) });
      expect(JSON.parse(first.json().toString())).toEqual(first.object);
    });

    test('creates once, updates and deletes what is there, at the revision that was read', () => {
      const store = make();
      const first = store.create(PODS, 'a/x', object('a/x'));
      expect(codeOf(() => store.create(PODS, 'a/x', object('a/x')))).toBe('Exists');
      expect(codeOf(() => store.update(PODS, 'a/y', object('a/y'), 1))).toBe('NotFound');
      expect(codeOf(() => store.delete(PODS, 'a/y'))).toBe('NotFound');
      const second = store.update(PODS, 'a/x', object('a/x'), first.revision);
      expect(codeOf(() => store.update(PODS, 'a/x', object('a/x'), first.revision))).toBe('Conflict');
      expect(codeOf(() => store.delete(PODS, 'a/x', first.revision))).toBe('Conflict');
      expect(store.revision).toBe(second.revision);
      const last = store.delete(PODS, 'a/x', second.revision);
      expect(last.revision).toBe(second.revision + 1);
      expect(last.object['metadata']).toMatchObject({ resourceVersion: String(last.revision) });
      expect(second.object['metadata']).toMatchObject({ resourceVersion: String(second.revision) });
      expect(store.get(PODS, 'a/x')).toBeUndefined();
      expect(store.count(PODS)).toBe(0);
    });

    test('hands out pages in the order of keys, by namespace, from where the last one ended', () => {
      const store = make();
      for (const key of ['b/y', 'a-b/z', 'a/y', 'a/x', 'a0/w']) store.create(PODS, key, object(key));
      const keys = (query: Parameters<Store['page']>[1]): string[] =>
        store.page(PODS, query).entries.map((entry) => entry.key);
      expect(keys({})).toEqual(['a-b/z', 'a/x', 'a/y', 'a0/w', 'b/y']);
      expect(keys({ namespace: 'a' })).toEqual(['a/x', 'a/y']);
      expect(keys({ key: 'a/y' })).toEqual(['a/y']);
      expect(keys({ key: 'a/none' })).toEqual([]);
      expect(keys({ limit: 2, startAfter: 'a/x' })).toEqual(['a/y', 'a0/w']);
      expect(keys({ matches: (entry) => entry.key.endsWith('y') })).toEqual(['a/y', 'b/y']);
      expect(store.page(PODS, { limit: 2 })).toMatchObject({ last: 'a/x', remaining: 3, revision: store.revision });
      expect(store.page(PODS, { limit: 5 })).toMatchObject({ remaining: 0 });
      expect(store.page(PODS, { limit: 5 }).last).toBeUndefined();
    });

    test('rebuilds a list as it was at an earlier revision', () => {
      const store = make();
      store.create(PODS, 'a/x', object('a/x', { spec: 1 }));
      const y = store.create(PODS, 'a/y', object('a/y', { spec: 1 }));
      const then = store.revision;
      store.update(PODS, 'a/y', object('a/y', { spec: 2 }), y.revision);
      store.delete(PODS, 'a/x');
      store.create(PODS, 'a/z', object('a/z'));
      const page = store.page(PODS, { revision: then });
      expect(page.entries.map((entry) => [entry.key, entry.object['spec']])).toEqual([
        ['a/x', 1],
        ['a/y', 1],
      ]);
      expect(page.revision).toBe(then);
      expect(store.page(PODS, { revision: then, limit: 1 })).toMatchObject({ last: 'a/x', remaining: 1 });
      expect(store.page(PODS, { revision: then, startAfter: 'a/x' }).entries.map((entry) => entry.key)).toEqual([
        'a/y',
      ]);
    });

    test('tells watchers what is in scope, first what they missed', () => {
      const store = make();
      store.define(PODS, (pod) => pod['node'] as string | undefined);
      store.create(PODS, 'a/x', object('a/x'));
      const from = store.revision;
      const watch = (scope: Parameters<Store['watch']>[1]): StoreEvent[] => {
        const events: StoreEvent[] = [];
        store.watch(PODS, scope, from, (event) => void events.push(event));
        return events;
      };
      const all = watch({});
      const namespace = watch({ namespace: 'b' });
      const single = watch({ key: 'a/x' });
      const node = watch({ indexed: 'n1' });
      const x = store.update(PODS, 'a/x', object('a/x', { node: 'n1' }), from);
      store.create(PODS, 'b/y', object('b/y'));
      store.update(PODS, 'a/x', object('a/x', { node: 'n2' }), x.revision);
      store.delete(PODS, 'a/x');
      store.create('nodes', 'n', object('/n'));
      const [first, second, third, last] = [1, 2, 3, 4].map((step) => from + step);
      expect(told(all)).toEqual([
        `MODIFIED a/x ${first}`,
        `ADDED b/y ${second}`,
        `MODIFIED a/x ${third}`,
        `DELETED a/x ${last}`,
      ]);
      expect(told(namespace)).toEqual([`ADDED b/y ${second}`]);
      expect(told(single)).toEqual([`MODIFIED a/x ${first}`, `MODIFIED a/x ${third}`, `DELETED a/x ${last}`]);
      expect(told(node)).toEqual([`MODIFIED a/x ${first}`, `MODIFIED a/x ${third}`]);
      expect(told(watch({}))).toEqual(told(all));
      expect(all[2]!.previous?.object['node']).toBe('n1');
    });

    test('stops telling a watcher that has left, also in the middle of an event', () => {
      const store = make();
      const seen: string[] = [];
      const leaving = store.watch(PODS, {}, store.revision, (event) => {
        seen.push(event.entry.key);
        leaving();
        leaving();
      });
      store.create(PODS, 'a/x', object('a/x'));
      store.create(PODS, 'a/y', object('a/y'));
      expect(seen).toEqual(['a/x']);
    });

    test('keeps the order of events for everyone when a watcher writes', () => {
      const store = make();
      const seen: string[] = [];
      store.watch(PODS, {}, store.revision, ({ type, entry }) => {
        if (type === 'ADDED') store.update(PODS, entry.key, object(entry.key), entry.revision);
      });
      store.watch(PODS, {}, store.revision, (event) => void seen.push(`${event.type} ${event.entry.key}`));
      store.create(PODS, 'a/x', object('a/x'));
      expect(seen).toEqual(['ADDED a/x', 'MODIFIED a/x']);
    });

    test('does not tell a watcher that begins in the middle of an event what it already knows', () => {
      const store = make();
      const late: string[] = [];
      let begun = false;
      store.watch(PODS, {}, store.revision, ({ revision }) => {
        if (begun) return;
        begun = true;
        store.watch(PODS, {}, revision, (event) => void late.push(event.entry.key));
      });
      store.create(PODS, 'a/x', object('a/x'));
      store.create(PODS, 'a/y', object('a/y'));
      expect(late).toEqual(['a/y']);
    });

    test('refuses to resume from what it has forgotten', () => {
      const store = make({ historyPerResource: 3 });
      const start = store.revision;
      const entry = store.create(PODS, 'a/x', object('a/x'));
      let { revision } = entry;
      for (let i = 0; i < 3; i++) revision = store.update(PODS, 'a/x', object('a/x'), revision).revision;
      const ignore = (): void => {};
      expect(codeOf(() => store.watch(PODS, {}, start, ignore))).toBe('Expired');
      expect(codeOf(() => store.page(PODS, { revision: start }))).toBe('Expired');
      expect(codeOf(() => store.watch(PODS, {}, start + 1, ignore))).toBe('none');
      store.compact();
      expect(codeOf(() => store.watch(PODS, {}, revision - 1, ignore))).toBe('Expired');
      expect(codeOf(() => store.watch(PODS, {}, revision, ignore))).toBe('none');
      expect(codeOf(() => store.watch('unheard-of', {}, revision - 1, ignore))).toBe('Expired');
    });

    test('behaves as a simple model does, whatever happens', () => {
      const property = fc.property(fc.array(operation, { maxLength: 60 }), (operations) => compare(make(), operations));
      expect(fc.check(property)).toMatchObject({ failed: false });
    });
  });
}

type Operation = { readonly kind: 'create' | 'update' | 'delete'; readonly key: string };

const operation: fc.Arbitrary<Operation> = fc.record({
  kind: fc.constantFrom('create', 'update', 'delete'),
  key: fc.constantFrom('a/x', 'a/y', 'ab/x', 'b/x', 'b/y'),
});

/** Against a map that is copied at each step: every state can be listed again, and watchers see each change once. */
function compare(store: Store, operations: readonly Operation[]): void {
  const model = new Map<string, number>();
  const states = new Map<number, [string, number][]>([[store.revision, []]]);
  const expected: string[] = [];
  const start = store.revision;
  const live: StoreEvent[] = [];
  store.watch(PODS, {}, start, (event) => void live.push(event));
  for (const { kind, key } of operations) {
    const known = model.get(key);
    const outcome = codeOf(() => {
      if (kind === 'create') store.create(PODS, key, object(key));
      else if (kind === 'update') store.update(PODS, key, object(key), known ?? 1);
      else store.delete(PODS, key);
    });
    const possible = kind === 'create' ? known === undefined : known !== undefined;
    expect(outcome).toBe(possible ? 'none' : kind === 'create' ? 'Exists' : 'NotFound');
    if (!possible) continue;
    if (kind === 'delete') model.delete(key);
    else model.set(key, store.revision);
    states.set(
      store.revision,
      [...model].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    );
    expected.push(`${{ create: 'ADDED', update: 'MODIFIED', delete: 'DELETED' }[kind]} ${key} ${store.revision}`);
  }
  expect(told(live)).toEqual(expected);
  for (const [revision, state] of states) {
    const page = store.page(PODS, { revision });
    expect(page.entries.map((entry) => [entry.key, entry.revision])).toEqual(state);
    const resumed: StoreEvent[] = [];
    store.watch(PODS, {}, revision, (event) => void resumed.push(event))();
    expect(told(resumed)).toEqual(expected.slice(expected.length - (store.revision - revision)));
  }
}
