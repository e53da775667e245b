import { describe, expect, test } from 'vitest';

import type { Pod } from '#pkg/api';
import { EPOCH, at, pod, podTemplate, replicaSet } from '#pkg/testing';

import type { ReplicaSpec, ReplicaStatus } from './kind.ts';
import { decideRequeue, decideStatus, losesPods, type StatusInput } from './status.ts';

const NOW = EPOCH + 100_000;
const owner = replicaSet();
const spec = (overrides: Partial<ReplicaSpec> = {}): ReplicaSpec => ({
  replicas: 2,
  minReadySeconds: 0,
  selector: { matchLabels: { app: 'web' } },
  template: podTemplate('app:v1', { app: 'web', tier: 'front' }),
  ...overrides,
});

function make(name: string, readySince?: number, labels: Record<string, string> = { app: 'web' }): Pod {
  const conditions =
    readySince === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: at(readySince) }];
  const base = pod(name, owner, { phase: 'Running', conditions });
  return { ...base, metadata: { ...base.metadata, labels } };
}

const decide = (input: Partial<StatusInput>): ReplicaStatus | undefined =>
  decideStatus({ owner, spec: spec(), status: {}, active: [], now: NOW, ...input });

const failureCondition = {
  type: 'ReplicaFailure',
  status: 'True',
  lastTransitionTime: at(100),
  reason: 'FailedCreate',
  message: 'no quota',
};

describe('the status', () => {
  test.each<[string, Partial<StatusInput>, ReplicaStatus | undefined]>([
    ['of nothing yet: replicas zero is said', {}, { replicas: 0, observedGeneration: 1 }],
    [
      'counts: ready, available after minReadySeconds, fully labelled',
      {
        spec: spec({ minReadySeconds: 10 }),
        active: [make('a', 90), make('b', 91), make('c'), make('d', 0, { app: 'web', tier: 'front', more: 'x' })],
        terminating: [make('e')],
      },
      {
        replicas: 4,
        fullyLabeledReplicas: 1,
        readyReplicas: 3,
        availableReplicas: 2,
        terminatingReplicas: 1,
        observedGeneration: 1,
      },
    ],
    [
      'terminating zero is said where they are counted',
      { terminating: [] },
      { replicas: 0, terminatingReplicas: 0, observedGeneration: 1 },
    ],
    ['the same as before: nothing to write', { status: { replicas: 0, observedGeneration: 1 } }, undefined],
    [
      'zero and missing are the same',
      { status: { replicas: 0, readyReplicas: 0, observedGeneration: 1, conditions: [] } },
      undefined,
    ],
    [
      'a new generation alone is news',
      { status: { replicas: 0, observedGeneration: 0 } },
      { replicas: 0, observedGeneration: 1 },
    ],
    [
      'terminating no longer counted: taken away',
      { status: { replicas: 0, terminatingReplicas: 0, observedGeneration: 1 } },
      { replicas: 0, observedGeneration: 1 },
    ],
    [
      'a failed creation',
      { active: [make('a')], failure: new Error('no quota') },
      { replicas: 1, observedGeneration: 1, conditions: [failureCondition] },
    ],
    [
      'a failed deletion',
      { spec: spec({ replicas: 0 }), active: [make('a')], failure: new Error('no quota') },
      { replicas: 1, observedGeneration: 1, conditions: [{ ...failureCondition, reason: 'FailedDelete' }] },
    ],
    [
      'a failure that lasts keeps its first words',
      {
        failure: new Error('other words'),
        status: { replicas: 0, observedGeneration: 1, conditions: [failureCondition] },
      },
      undefined,
    ],
    [
      'a failure that is over takes its condition away and leaves others',
      {
        status: {
          replicas: 0,
          observedGeneration: 1,
          conditions: [{ type: 'Other', status: 'True' }, failureCondition],
        },
      },
      { replicas: 0, observedGeneration: 1, conditions: [{ type: 'Other', status: 'True' }] },
    ],
  ])('%s', (_name, input, expected) => expect(decide(input)).toEqual(expected));
});

describe('the next look, ms', () => {
  test.each<[string, number, ReplicaStatus, Pod[], number | undefined]>([
    ['no minReadySeconds: none', 0, { readyReplicas: 2, availableReplicas: 1 }, [make('a', 99)], undefined],
    ['all ready ones available: none', 10, { readyReplicas: 1, availableReplicas: 1 }, [make('a', 99)], undefined],
    [
      'when the next one becomes available',
      10,
      { readyReplicas: 3, availableReplicas: 1 },
      [make('a', 99), make('b', 95), make('c', 0), make('d')],
      5000,
    ],
    ['none to be seen coming: minReadySeconds', 10, { readyReplicas: 1 }, [make('a')], 10_000],
  ])('%s', (_name, minReadySeconds, status, active, expected) => {
    expect(decideRequeue(spec({ minReadySeconds }), status, active, NOW)).toBe(expected);
  });
});

test.each([
  ['a Pod that is wanted', { readyReplicas: 3 }, { readyReplicas: 2 }, 3, true],
  ['available ones only', { readyReplicas: 3, availableReplicas: 3 }, { readyReplicas: 3 }, 1, true],
  ['Pods beyond the wanted number', { readyReplicas: 4 }, { readyReplicas: 3 }, 2, false],
  ['all, where none is wanted', { readyReplicas: 4, availableReplicas: 4 }, {}, 0, false],
  ['more than the surplus', { readyReplicas: 4 }, { readyReplicas: 1 }, 2, true],
])('losing %s', (_title, before, after, wanted, expected) => {
  expect(losesPods(before as never, after as never, wanted)).toBe(expected);
});
