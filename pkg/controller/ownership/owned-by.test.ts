import { describe, expect, test } from 'vitest';

import { type Pod, type ReplicaSet, isControlledBy, resources } from '#pkg/api';
import { silentLogger } from '#pkg/log';
import { FakeClock, at, pod, replicaSet } from '#pkg/testing';

import { Expectations } from './expectations.ts';
import { ownedBy } from './owned-by.ts';

const one = replicaSet({ name: 'one' });
const two = replicaSet({ name: 'two' });
const all: readonly ReplicaSet[] = [one, two];

/** Both select app=web; ownership by UID. */
const owners = {
  controllerOf: (dependent: Pod) => all.find((owner) => isControlledBy(dependent, owner)),
  matching: (dependent: Pod) => (dependent.metadata.labels?.['app'] === 'web' ? all : []),
};

function setUp() {
  const expectations = new Expectations({ resource: resources.replicaSets, clock: new FakeClock(), log: silentLogger });
  const { handlers } = ownedBy(resources.pods, owners, {
    expectations,
    onUpdate: (owner, _old, current) =>
      current.status?.phase === 'Running' ? [{ key: `default/${owner.metadata.name}`, after: 7 }] : [],
  });
  return { expectations, handlers };
}

const change = (of: Pod, metadata: Partial<Pod['metadata']>, status = of.status): Pod => ({
  ...of,
  metadata: { ...of.metadata, ...metadata },
  status,
});
const pending = { phase: 'Pending' };
const mine = change(pod('p', one), {}, pending);
const orphan = change(pod('p'), {}, pending);
const deleting = { deletionTimestamp: at(5) };
const relabelled = { labels: { app: 'other' } };
const ofNobodyKnown = pod('p', replicaSet({ name: 'gone' }));

describe('who is enqueued', () => {
  const { handlers } = setUp();
  test.each<[string, readonly unknown[] | undefined, readonly unknown[]]>([
    ['a new dependent: its owner', handlers.add?.(mine), ['default/one']],
    ['a new orphan: all who select it', handlers.add?.(orphan), ['default/one', 'default/two']],
    ['a new orphan that nobody selects', handlers.add?.(change(orphan, relabelled)), []],
    ['a dependent of an unknown owner', handlers.add?.(ofNobodyKnown), []],
    ['a new orphan being deleted: nobody', handlers.add?.(change(orphan, deleting)), []],
    ['a dependent that went', handlers.delete?.(mine), ['default/one']],
    ['an orphan that went: nobody', handlers.delete?.(orphan), []],
    ['a change of a dependent', handlers.update?.(mine, change(mine, { annotations: { a: 'b' } })), ['default/one']],
    [
      'a change with more to do later',
      handlers.update?.(mine, change(mine, {}, { phase: 'Running' })),
      ['default/one', { key: 'default/one', after: 7 }],
    ],
    [
      'a change of owner: old and new',
      handlers.update?.(mine, change(pod('p', two), {}, pending)),
      ['default/one', 'default/two'],
    ],
    [
      'a release: the old owner, then all who select it',
      handlers.update?.(mine, orphan),
      ['default/one', 'default/one', 'default/two'],
    ],
    ['an adoption: the new owner', handlers.update?.(orphan, mine), ['default/one']],
    [
      'an orphan whose labels changed',
      handlers.update?.(change(orphan, relabelled), orphan),
      ['default/one', 'default/two'],
    ],
    [
      'an orphan of which nothing matters changed',
      handlers.update?.(orphan, change(orphan, {}, { phase: 'Running' })),
      [],
    ],
    ['the begin of a deletion', handlers.update?.(mine, change(mine, deleting)), ['default/one']],
    [
      'a relabelling under deletion: also by the old labels',
      handlers.update?.(mine, change(mine, { ...deleting, ...relabelled })),
      ['default/one', 'default/one'],
    ],
  ])('%s', (_name, keys, expected) => expect(keys).toEqual(expected));
});

describe('what is expected', () => {
  test('a creation counts once, an orphan or one being deleted never', () => {
    const { expectations, handlers } = setUp();
    expectations.expectCreations('default/one', 1);
    handlers.add?.(orphan);
    handlers.add?.(change(mine, deleting));
    expect(expectations.satisfied('default/one')).toBe(false);
    handlers.add?.(mine);
    expect(expectations.satisfied('default/one')).toBe(true);
  });

  test('a deletion counts when it begins, and its end means nothing to the next one', () => {
    const { expectations, handlers } = setUp();
    expectations.expectDeletions('default/one', [mine.metadata.uid, 'another']);
    handlers.update?.(mine, change(mine, deleting));
    handlers.delete?.(change(mine, deleting));
    expect(expectations.satisfied('default/one')).toBe(false);
    expectations.expectDeletions('default/one', [mine.metadata.uid]);
    handlers.update?.(mine, change(mine, deleting));
    expect(expectations.satisfied('default/one')).toBe(true);
  });
});
