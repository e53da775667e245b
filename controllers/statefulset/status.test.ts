import { describe, expect, test } from 'vitest';

import type { ControllerRevision, Pod, StatefulSetSpec } from '#pkg/api';
import { EPOCH, at, statefulSet } from '#pkg/testing';

import { REVISION_LABEL } from './identity.ts';
import type { Revisions } from './snapshot.ts';
import { type StatefulSetStatus, decideRequeue, isNews, statusOf } from './status.ts';

const NOW = EPOCH + 60_000;
const metadata = (name: string) => ({
  name,
  namespace: 'default',
  uid: name,
  resourceVersion: '1',
  creationTimestamp: at(0),
});
const revision = (name: string): ControllerRevision => ({ metadata: metadata(name), revision: 1 });
const MOVING: Revisions = { current: revision('old'), update: revision('new'), collisionCount: 2 };

/** A Pod of a revision: `ready` for some seconds, or not. */
function pod(
  name: string,
  of: string,
  { ready, phase = 'Running', gone = false }: { ready?: number; phase?: string; gone?: boolean } = {},
): Pod {
  return {
    metadata: { ...metadata(name), labels: { [REVISION_LABEL]: of }, ...(gone ? { deletionTimestamp: at(0) } : {}) },
    status: {
      phase,
      ...(ready === undefined
        ? {}
        : { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(60 - ready) }] }),
    },
  };
}
const counts = (spec: Partial<StatefulSetSpec>, pods: readonly Pod[], revisions = MOVING): unknown[] => {
  const { replicas, readyReplicas, availableReplicas, currentReplicas, updatedReplicas, currentRevision } = statusOf(
    statefulSet({ spec }),
    pods,
    revisions,
    NOW,
  );
  return [replicas, readyReplicas, availableReplicas, currentReplicas, updatedReplicas, currentRevision];
};

describe('what is counted', () => {
  test.each<[string, Pod[], unknown[]]>([
    ['nothing', [], [0, 0, 0, 0, 0, 'old']],
    [
      'ready, not yet available, not ready',
      [pod('a', 'old', { ready: 10 }), pod('b', 'old', { ready: 2 }), pod('c', 'new')],
      [3, 2, 1, 2, 1, 'old'],
    ],
    [
      'what ends is there, and of no revision',
      [pod('a', 'old', { ready: 10, gone: true }), pod('b', 'new', { gone: true })],
      [2, 1, 1, 0, 0, 'old'],
    ],
    ['what the server does not know is not there', [pod('a', 'new', { phase: '' })], [0, 0, 0, 0, 0, 'old']],
    ['what failed is there', [pod('a', 'new', { phase: 'Failed', ready: 10 })], [1, 0, 0, 0, 1, 'old']],
    ['a third revision is neither', [pod('a', 'other', { ready: 10 })], [1, 1, 1, 0, 0, 'old']],
  ])('%s', (_title, pods, expected) => {
    expect(counts({ replicas: 5, minReadySeconds: 5 }, pods)).toEqual(expected);
  });

  test('a rolling update that is complete makes its revision the current one', () => {
    const all = [pod('a', 'new', { ready: 1 }), pod('b', 'new', { ready: 1 })];
    expect(counts({ replicas: 2 }, all)).toEqual([2, 2, 2, 2, 2, 'new']);
    expect(counts({ replicas: 1 }, all)).toEqual([2, 2, 2, 0, 2, 'old']);
    expect(counts({ replicas: 2, updateStrategy: { type: 'OnDelete' } }, all)).toEqual([2, 2, 2, 0, 2, 'old']);
  });

  test('the rest of the status', () => {
    const set = statefulSet({ metadata: { generation: 7 }, spec: { replicas: 3 } });
    expect(statusOf(set, [], MOVING, NOW)).toMatchObject({
      observedGeneration: 7,
      updateRevision: 'new',
      collisionCount: 2,
    });
  });
});

describe('what is news', () => {
  const status: StatefulSetStatus = {
    observedGeneration: 2,
    replicas: 1,
    readyReplicas: 0,
    availableReplicas: 0,
    currentReplicas: 1,
    updatedReplicas: 1,
    currentRevision: 'a',
    updateRevision: 'a',
    collisionCount: 0,
  };
  test.each<[Partial<StatefulSetStatus>, boolean]>([
    [
      {
        observedGeneration: 2,
        replicas: 1,
        availableReplicas: 0,
        currentReplicas: 1,
        updatedReplicas: 1,
        currentRevision: 'a',
        updateRevision: 'a',
      },
      false,
    ],
    [{ ...status, collisionCount: 9 }, false],
    [{ ...status, observedGeneration: 3 }, false],
    [{ ...status, observedGeneration: 1 }, true],
    [{ ...status, readyReplicas: 1 }, true],
    [{ ...status, updateRevision: 'b' }, true],
    [{}, true],
  ])('%j: %s', (before, news) => {
    expect(isNews(status, before)).toBe(news);
  });
});

test('the next look is when the next Pod is available, and at the latest after minReadySeconds', () => {
  const set = statefulSet({ spec: { replicas: 2, minReadySeconds: 10 } });
  const soon = [pod('a', 'new', { ready: 8 }), pod('b', 'new', { ready: 3 })];
  const odd = [pod('a', 'new', { ready: 20 })];
  const status = (pods: Pod[]): StatefulSetStatus => statusOf(set, pods, MOVING, NOW);
  expect(decideRequeue(set, status(soon), soon, NOW)).toBe(2000);
  expect(decideRequeue(set, { ...status(odd), availableReplicas: 0 }, odd, NOW)).toBe(10_000);
  expect(decideRequeue(set, status(odd), odd, NOW)).toBeUndefined();
  expect(decideRequeue(statefulSet(), status(soon), soon, NOW)).toBeUndefined();
});
