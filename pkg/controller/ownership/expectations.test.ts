import { expect, test } from 'vitest';

import { resources } from '#pkg/api';
import { silentLogger } from '#pkg/log';
import { FakeClock } from '#pkg/testing';

import { Expectations } from './expectations.ts';

function setUp() {
  const clock = new FakeClock();
  return { clock, expectations: new Expectations({ resource: resources.replicaSets, clock, log: silentLogger }) };
}

test('nothing expected is satisfied, and observing it changes nothing', () => {
  const { expectations } = setUp();
  expectations.creationObserved('a');
  expectations.deletionObserved('a', 'x');
  expect(expectations.satisfied('a')).toBe(true);
  expect(expectations.expiresIn('a')).toBeUndefined();
});

test('creations are counted, by key', () => {
  const { expectations } = setUp();
  expectations.expectCreations('a', 3);
  expectations.creationObserved('b', 3);
  expectations.creationObserved('a', 2);
  expect(expectations.satisfied('a')).toBe(false);
  expectations.creationObserved('a');
  expect(expectations.satisfied('a')).toBe(true);
});

test('deletions are known by UID and count once', () => {
  const { expectations } = setUp();
  expectations.expectDeletions('a', ['x', 'y']);
  for (const uid of ['x', 'x', 'z']) expectations.deletionObserved('a', uid);
  expect(expectations.satisfied('a')).toBe(false);
  expectations.deletionObserved('a', 'y');
  expect(expectations.satisfied('a')).toBe(true);
});

test('what is not seen yet has an age', async () => {
  const { clock, expectations } = setUp();
  expect(expectations.pendingFor('a')).toBeUndefined();
  expectations.expectCreations('a', 1);
  await clock.step(300);
  expect(expectations.pendingFor('a')).toBe(300);
  expectations.creationObserved('a');
  expect(expectations.pendingFor('a')).toBeUndefined();
});

test('they expire five minutes after they were set', () => {
  const { clock, expectations } = setUp();
  expectations.expectCreations('a', 1);
  clock.stepSync(200_000);
  expectations.creationObserved('b');
  expect(expectations.expiresIn('a')).toBe(100_000);
  clock.stepSync(99_999);
  expect(expectations.satisfied('a')).toBe(false);
  clock.stepSync(1);
  expect(expectations.satisfied('a')).toBe(true);
});

test('new ones replace old ones; a forgotten key expects nothing', () => {
  const { expectations } = setUp();
  expectations.expectCreations('a', 5);
  expectations.expectDeletions('a', ['x']);
  expectations.deletionObserved('a', 'x');
  expect(expectations.satisfied('a')).toBe(true);
  expectations.expectCreations('a', 5);
  expectations.forget('a');
  expect(expectations.satisfied('a')).toBe(true);
});
