import { expect, test } from 'vitest';

import { FakeClock } from '#pkg/testing';

import { expireEvents } from './event-expiry.ts';
import { createStore } from './store/index.ts';

const MINUTE = 60_000;

test('an Event goes an hour after it was last written', async () => {
  const clock = new FakeClock();
  const store = createStore();
  const stop = expireEvents(store, clock);
  const event = (name: string): Record<string, unknown> => ({ metadata: { name, namespace: 'a' } });
  const kept = store.create('events', 'a/kept', event('kept'));
  store.create('events', 'a/left', event('left'));
  store.create('events', 'a/deleted', event('deleted'));
  store.delete('events', 'a/deleted');
  await clock.step(30 * MINUTE);
  store.update('events', 'a/kept', event('kept'), kept.revision);
  await clock.step(31 * MINUTE);
  expect(['a/kept', 'a/left'].map((key) => store.get('events', key) !== undefined)).toEqual([true, false]);
  await clock.step(30 * MINUTE);
  expect(store.count('events')).toBe(0);
  expect(clock.pending).toBe(0);
  store.create('events', 'a/last', event('last'));
  stop();
  expect(clock.pending).toBe(0);
});
