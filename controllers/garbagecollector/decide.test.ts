import { expect, test } from 'vitest';

import { type Situation, type Standing, type Verdict, decide } from './decide.ts';

const keep: Verdict = { kind: 'keep' };
const remove = (policy: 'Background' | 'Foreground' | 'Orphan', unblock = false): Verdict => ({
  kind: 'delete',
  policy,
  unblock,
});
const drop = (...uids: string[]): Verdict => ({ kind: 'drop-owners', uids });

const rows: readonly [owners: string, Omit<Partial<Situation>, 'owners'>, Verdict][] = [
  ['', {}, keep],
  ['solid', {}, keep],
  ['solid solid', { foreground: true, hasDependents: true }, keep],
  ['solid dangling', {}, drop('b')],
  ['dangling solid waiting', {}, drop('a', 'c')],
  ['solid waiting', { hasDependents: true }, drop('b')],
  ['dangling', {}, remove('Background')],
  ['dangling dangling', { hasDependents: true }, remove('Background')],
  ['dangling', { orphans: true }, remove('Orphan')],
  ['dangling', { foreground: true }, remove('Foreground')],
  ['dangling', { orphans: true, foreground: true }, remove('Orphan')],
  ['waiting', {}, remove('Background')],
  ['waiting', { orphans: true }, remove('Orphan')],
  ['waiting', { hasDependents: true }, remove('Foreground')],
  ['dangling waiting', { hasDependents: true }, remove('Foreground')],
  ['waiting', { hasDependents: true, hasWaitingDependent: true }, remove('Foreground', true)],
  ['dangling', { hasDependents: true, hasWaitingDependent: true }, remove('Background')],
];

test.each(rows)('owners %j, %j: %j', (standings, around, verdict) => {
  const owners = standings
    .split(' ')
    .filter(Boolean)
    .map((standing, i) => ({ uid: 'abc'[i]!, standing: standing as Standing }));
  expect(
    decide({ orphans: false, foreground: false, hasDependents: false, hasWaitingDependent: false, ...around, owners }),
  ).toEqual(verdict);
});

test('an owner that is referred to twice is dropped once', () => {
  const owners = [
    { uid: 'a', standing: 'dangling' as const },
    { uid: 'a', standing: 'dangling' as const },
    { uid: 'b', standing: 'solid' as const },
  ];
  expect(
    decide({ owners, orphans: false, foreground: false, hasDependents: false, hasWaitingDependent: false }),
  ).toEqual(drop('a'));
});
