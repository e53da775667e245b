import { describe, expect, test } from 'vitest';

import type { Pod, PodDisruptionBudget } from '#pkg/api';
import { EPOCH, at, pod } from '#pkg/testing';

import { decide, failSafe, needsScale } from './decide.ts';
import { mayWait } from './delay.ts';
import { selectorText } from './selector-text.ts';
import type { BudgetStatus, Snapshot } from './snapshot.ts';

type Spec = PodDisruptionBudget['spec'];

function budget(spec: Spec, status?: BudgetStatus): PodDisruptionBudget {
  const metadata = {
    name: 'web',
    namespace: 'default',
    uid: 'uid-web',
    resourceVersion: '7',
    generation: 2,
    creationTimestamp: at(0),
  };
  return { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, spec, ...(status ? { status } : {}) };
}

const ready = (name: string): Pod => pod(name);
const unready = (name: string): Pod => pod(name, undefined, { conditions: [{ type: 'Ready', status: 'False' }] });
const terminating = (name: string): Pod => ({
  ...pod(name),
  metadata: { ...pod(name).metadata, deletionTimestamp: at(1) },
});
const pods = (count: number): Pod[] => Array.from({ length: count }, (_, i) => ready(`web-${i}`));

function decided(of: Partial<Snapshot> & Pick<Snapshot, 'budget'>): ReturnType<typeof decide> {
  return decide({ pods: [], scale: undefined, unseen: new Set(), now: EPOCH + 1000_000, ...of });
}

describe('what a budget asks for', () => {
  test.each([
    [
      'a number of Pods, against those that are there',
      { minAvailable: 2 },
      undefined,
      3,
      { desiredHealthy: 2, expectedPods: 3, disruptionsAllowed: 1 },
    ],
    [
      'more than there are',
      { minAvailable: 5 },
      undefined,
      3,
      { desiredHealthy: 5, expectedPods: 3, disruptionsAllowed: 0 },
    ],
    [
      'a share, rounded up, of what is wanted',
      { minAvailable: '50%' },
      5,
      4,
      { desiredHealthy: 3, expectedPods: 5, disruptionsAllowed: 1 },
    ],
    [
      'no more than some missing',
      { maxUnavailable: 1 },
      5,
      5,
      { desiredHealthy: 4, expectedPods: 5, disruptionsAllowed: 1 },
    ],
    [
      'no more than a share missing, rounded up',
      { maxUnavailable: '30%' },
      4,
      4,
      { desiredHealthy: 2, expectedPods: 4, disruptionsAllowed: 2 },
    ],
    ['none missing', { maxUnavailable: 0 }, 3, 3, { desiredHealthy: 3, expectedPods: 3, disruptionsAllowed: 0 }],
    [
      'more missing than there are',
      { maxUnavailable: 9 },
      3,
      3,
      { desiredHealthy: 0, expectedPods: 3, disruptionsAllowed: 3 },
    ],
    [
      'a share of nothing',
      { maxUnavailable: '50%' },
      0,
      2,
      { desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0 },
    ],
    ['nothing at all', {}, undefined, 2, { desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0 }],
  ])('%s', (_title, spec, count, there, expected) => {
    const scale = count === undefined ? undefined : { count, unmanaged: [] };
    const { status } = decided({ budget: budget(spec), pods: pods(there), scale });
    expect(status).toMatchObject({ ...expected, currentHealthy: there, observedGeneration: 2 });
  });

  test('only what is not a number of Pods needs their controllers', () => {
    expect(
      [{ minAvailable: 1 }, {}, { minAvailable: '1%' }, { maxUnavailable: 0 }].map((spec) => needsScale(budget(spec))),
    ).toEqual([false, false, true, true]);
  });

  test('what is no share is an error', () => {
    expect(() => decided({ budget: budget({ minAvailable: 'half' }), scale: { count: 1, unmanaged: [] } })).toThrow(
      'half',
    );
  });
});

test('healthy is who is ready and stays', () => {
  const there = [ready('a'), unready('b'), terminating('c'), ready('evicted')];
  const status = {
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    disruptionsAllowed: 0,
    disruptedPods: { evicted: at(990) },
  };
  expect(decided({ budget: budget({ minAvailable: 0 }, status), pods: there }).status).toMatchObject({
    currentHealthy: 1,
    expectedPods: 4,
    disruptionsAllowed: 1,
  });
});

describe('evictions under way', () => {
  const spec = { minAvailable: 1 };
  const listing = (disruptedPods: Record<string, string>): PodDisruptionBudget =>
    budget(spec, { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0, disruptionsAllowed: 0, disruptedPods });

  test('stay listed until the first of them is given up', () => {
    const plan = decided({ budget: listing({ 'web-0': at(900), 'web-1': at(950) }), pods: pods(3) });
    expect(plan.status).toMatchObject({ disruptedPods: { 'web-0': at(900), 'web-1': at(950) }, currentHealthy: 1 });
    expect(plan).toMatchObject({ recheckAfter: 20_000, notDeleted: [] });
  });

  test('are given up after two minutes: the Pod counts again, and it is told', () => {
    const plan = decided({ budget: listing({ 'web-0': at(880) }), pods: pods(2) });
    expect(plan.status).toMatchObject({ currentHealthy: 2 });
    expect(plan.status).not.toHaveProperty('disruptedPods');
    expect(plan.notDeleted.map(({ metadata }) => metadata.name)).toEqual(['web-0']);
    expect(plan).not.toHaveProperty('recheckAfter');
  });

  test('are off the list when the Pod is being deleted, or gone', () => {
    const plan = decided({ budget: listing({ going: at(990), gone: at(990) }), pods: [terminating('going')] });
    expect(plan.status).not.toHaveProperty('disruptedPods');
    expect(plan).toMatchObject({ notDeleted: [] });
  });

  test('of a Pod that a late cache may not have yet stay listed, but not for ever', () => {
    const late = { pods: pods(1), unseen: new Set(['new']) };
    expect(decided({ budget: listing({ new: at(990) }), ...late })).toMatchObject({
      status: { disruptedPods: { new: at(990) } },
      recheckAfter: 110_000,
    });
    expect(decided({ budget: listing({ new: at(880) }), ...late }).status).not.toHaveProperty('disruptedPods');
  });
});

describe('the condition', () => {
  const told = (status: string, reason: string, message = '', lastTransitionTime = at(1000)) => ({
    type: 'DisruptionAllowed',
    status,
    reason,
    message,
    lastTransitionTime,
    observedGeneration: 2,
  });

  test('says in a word what the number says', () => {
    expect(decided({ budget: budget({ minAvailable: 1 }), pods: pods(2) }).status.conditions).toEqual([
      told('True', 'SufficientPods'),
    ]);
    expect(decided({ budget: budget({ minAvailable: 2 }), pods: pods(2) }).status.conditions).toEqual([
      told('False', 'InsufficientPods'),
    ]);
  });

  test('keeps its time while its status does, and leaves others alone', () => {
    const other = { ...told('True', 'Some', 'x', at(1)), type: 'Other' };
    const failed = told('False', 'SyncFailed', 'why', at(5));
    const before = {
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
      disruptionsAllowed: 0,
      conditions: [other, failed],
    };
    const { status } = decided({ budget: budget({ minAvailable: 2 }, before), pods: pods(2) });
    expect(status.conditions).toEqual([other, told('False', 'InsufficientPods', '', at(5))]);
  });

  test('tells of a failure, with nothing allowed and all else as it was', () => {
    const before = {
      currentHealthy: 3,
      desiredHealthy: 2,
      expectedPods: 3,
      disruptionsAllowed: 1,
      observedGeneration: 1,
      disruptedPods: { a: at(1) },
    };
    expect(failSafe(budget({}, before), 'no idea', EPOCH + 1000_000)).toEqual({
      ...before,
      disruptionsAllowed: 0,
      conditions: [{ ...told('False', 'SyncFailed', 'no idea'), observedGeneration: 1 }],
    });
    const { observedGeneration: _, ...unseen } = told('False', 'SyncFailed', 'no idea');
    expect(failSafe(budget({}), 'no idea', EPOCH + 1000_000)).toEqual({
      currentHealthy: 0,
      desiredHealthy: 0,
      expectedPods: 0,
      disruptionsAllowed: 0,
      conditions: [unseen],
    });
  });

  test('a decided status is decided again as it is', () => {
    const { status } = decided({ budget: budget({ minAvailable: 1 }), pods: pods(2) });
    expect(
      decided({ budget: budget({ minAvailable: 1 }, status), pods: pods(2), now: EPOCH + 2000_000 }).status,
    ).toEqual(status);
  });
});

test('selectors as Go prints them', () => {
  expect(selectorText(undefined)).toBe('nil');
  expect(selectorText({})).toBe(
    '&LabelSelector{MatchLabels:map[string]string{},MatchExpressions:[]LabelSelectorRequirement{},}',
  );
  const matchExpressions = [
    { key: 'tier', operator: 'In', values: ['a', 'b'] },
    { key: 'x', operator: 'Exists' },
  ];
  expect(selectorText({ matchLabels: { b: '2', a: '1' }, matchExpressions })).toBe(
    '&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:tier,Operator:In,Values:[a b],},LabelSelectorRequirement{Key:x,Operator:Exists,Values:[],},},}',
  );
});

describe('a status may wait', () => {
  const counts = (parts: BudgetStatus = {}): BudgetStatus => ({
    currentHealthy: 2,
    desiredHealthy: 2,
    expectedPods: 3,
    disruptionsAllowed: 0,
    observedGeneration: 2,
    ...parts,
  });
  const told = (reason: string): BudgetStatus['conditions'] => [
    { type: 'DisruptionAllowed', status: 'False', reason, message: '', lastTransitionTime: at(1) },
  ];
  const before = counts({ conditions: told('InsufficientPods') });
  const evicted = { ...before, disruptedPods: { a: at(1) } };

  test.each<[string, BudgetStatus | undefined, BudgetStatus, boolean]>([
    ['when more may go', before, counts({ currentHealthy: 3, disruptionsAllowed: 1 }), true],
    ['when as many may go', before, counts({ expectedPods: 4 }), true],
    ['not when fewer may go', { ...before, disruptionsAllowed: 1 }, counts(), false],
    ['not when those that are not ready may go no more', before, counts({ currentHealthy: 1 }), false],
    [
      'while those that are not ready may not go anyway',
      { ...before, currentHealthy: 1 },
      counts({ currentHealthy: 0 }),
      true,
    ],
    ['not when an eviction is done', evicted, counts(), false],
    ['when it goes on', evicted, counts({ disruptedPods: { a: at(1) } }), true],
    ['not when it is the first', undefined, counts(), false],
    ['not when the spec is new', { ...before, observedGeneration: 1 }, counts(), false],
    ['not when a failure is over', { ...before, conditions: told('SyncFailed') }, counts(), false],
  ])('%s', (_title, old, after, expected) => {
    expect(mayWait(budget({}, old), after)).toBe(expected);
  });
});
