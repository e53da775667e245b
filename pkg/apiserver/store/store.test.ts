import { expect, test } from 'vitest';

import { storeContract } from '#pkg/testing';

import { createStore } from './store.ts';

storeContract('in memory', createStore);
storeContract('in memory, frozen', (settings) => createStore({ ...settings, freeze: true }));

test('frozen objects cannot be written to', () => {
  const store = createStore({ freeze: true });
  const entry = store.create('pods', 'a/x', { metadata: { name: 'x', labels: {} } });
  expect(() => Object.assign(entry.object['metadata'] as object, { name: 'y' })).toThrow(TypeError);
});

test('a frame is made once while an event is told, and not kept', () => {
  const store = createStore();
  let made = 0;
  const encode = (): Buffer => Buffer.from(String(++made));
  const seen: string[] = [];
  for (let i = 0; i < 3; i++)
    store.watch('pods', {}, store.revision, ({ entry }) => void seen.push(entry.frame('v', encode).toString()));
  const entry = store.create('pods', 'a/x', { metadata: {} });
  expect(seen).toEqual(['1', '1', '1']);
  expect(entry.frame('v', encode).toString()).toBe('2');
});

test('the cost of an event does not grow with watchers of other objects', () => {
  const store = createStore();
  let calls = 0;
  for (let i = 0; i < 1000; i++) {
    store.watch('pods', { namespace: `n${i}` }, store.revision, () => void calls++);
    store.watch('pods', { key: `n${i}/x` }, store.revision, () => void calls++);
    store.watch('services', {}, store.revision, () => void calls++);
  }
  store.create('pods', 'n1/x', { metadata: {} });
  store.create('pods', 'n2/y', { metadata: {} });
  expect(calls).toBe(3);
});
