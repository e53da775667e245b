import { describe, expect, test } from 'vitest';

import type { Pod } from '#pkg/api';
import { EPOCH, at, pod as runningPod } from '#pkg/testing';

import { backoffLeft, backoffLeftOfIndex, finishedAt, nextRecord } from './backoff.ts';
import { judgeFailure } from './failure-policy.ts';
import { intervalsOf } from './intervals.ts';
import { FAILURES_KEY, IGNORED_FAILURES_KEY, failuresBefore, indexOf } from './pod-index.ts';
import { metSuccessRule } from './success-policy.ts';

type Status = NonNullable<Pod['status']>;

const terminated = (
  name: string,
  exitCode: number,
  finished = 10,
): NonNullable<Status['containerStatuses']>[number] => ({
  name,
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
  state: { terminated: { exitCode, finishedAt: at(finished) } },
});
const failedPod = (status: Status): Pod => runningPod('p', undefined, { phase: 'Failed', conditions: [], ...status });
const endedAt = (seconds: number): Pod => failedPod({ containerStatuses: [terminated('app', 1, seconds)] });

describe('the failure policy', () => {
  const onExitCodes = { operator: 'In', values: [2, 3] };
  const disrupted = [{ type: 'DisruptionTarget', status: 'True' }];

  test.each([
    ['no rule', [], 2, { counts: true }],
    ['Ignore', [{ action: 'Ignore', onExitCodes }], 2, { action: 'Ignore', counts: false }],
    ['Count', [{ action: 'Count', onExitCodes }], 3, { action: 'Count', counts: true }],
    ['FailIndex', [{ action: 'FailIndex', onExitCodes }], 3, { action: 'FailIndex', counts: true }],
    ['another code', [{ action: 'Ignore', onExitCodes }], 4, { counts: true }],
    [
      'NotIn',
      [{ action: 'Ignore', onExitCodes: { operator: 'NotIn', values: [2] } }],
      4,
      { action: 'Ignore', counts: false },
    ],
    [
      'success is no failure',
      [{ action: 'Ignore', onExitCodes: { operator: 'NotIn', values: [2] } }],
      0,
      { counts: true },
    ],
    [
      'another container',
      [{ action: 'Ignore', onExitCodes: { ...onExitCodes, containerName: 'other' } }],
      2,
      { counts: true },
    ],
    [
      'the first match',
      [
        { action: 'Count', onExitCodes },
        { action: 'Ignore', onExitCodes },
      ],
      2,
      { action: 'Count', counts: true },
    ],
    [
      'an action to come',
      [
        { action: 'Dance', onExitCodes },
        { action: 'Ignore', onExitCodes },
      ],
      2,
      { action: 'Ignore', counts: false },
    ],
    ['a condition', [{ action: 'Ignore', onPodConditions: disrupted }], 9, { action: 'Ignore', counts: false }],
    [
      'another state of it',
      [{ action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'False' }] }],
      9,
      { counts: true },
    ],
  ])('%s', (_, rules, exitCode, verdict) => {
    const pod = failedPod({ containerStatuses: [terminated('app', exitCode)], conditions: disrupted });
    expect(judgeFailure({ rules }, pod)).toEqual(verdict);
  });

  test('says what failed the Job', () => {
    const pod = failedPod({ initContainerStatuses: [terminated('init', 3)], conditions: disrupted });
    const ignore = { action: 'Ignore', onExitCodes: { operator: 'In', values: [77] } };
    expect(judgeFailure({ rules: [ignore, { action: 'FailJob', onExitCodes }] }, pod).jobFailure).toBe(
      'Container init for pod default/p failed with exit code 3 matching FailJob rule at index 1',
    );
    expect(judgeFailure({ rules: [{ action: 'FailJob', onPodConditions: disrupted }] }, pod).jobFailure).toBe(
      'Pod default/p has condition DisruptionTarget matching FailJob rule at index 0',
    );
  });
});

test.each([
  ['nothing asked', undefined, undefined],
  ['all of the named', [{ succeededIndexes: '1-3' }], 0],
  ['not all', [{ succeededIndexes: '1-5' }], undefined],
  ['enough of the named', [{ succeededIndexes: '1-5', succeededCount: 3 }], 0],
  ['too few of the named', [{ succeededIndexes: '4-7', succeededCount: 2 }], undefined],
  ['enough of any', [{ succeededCount: 4 }], 0],
  ['too few of any', [{ succeededCount: 5 }], undefined],
  ['the second', [{ succeededCount: 5 }, { succeededIndexes: '7' }], 1],
  ['unreadable', [{ succeededIndexes: 'x' }], undefined],
])('the success policy, %s', (_, rules, rule) => {
  const met = metSuccessRule(rules && { rules }, 10, intervalsOf([1, 2, 3, 7]));
  expect(met).toBe(rule === undefined ? undefined : `Matched rules at index ${rule}`);
});

describe('back-off', () => {
  const now = EPOCH + 100_000;
  test.each([
    [0, 0, 0],
    [1, 95, 5000],
    [1, 80, 0],
    [3, 95, 35_000],
    [20, 100, 600_000],
  ])('after %d failures, the last at %d s', (failures, lastFailure, left) => {
    expect(backoffLeft({ failures, lastFailure: EPOCH + lastFailure * 1000 }, now)).toBe(left);
  });

  test('an index waits by its own failures, ignored ones too', () => {
    const pod = endedAt(100);
    const annotations = { [FAILURES_KEY]: '1', [IGNORED_FAILURES_KEY]: '1' };
    expect(backoffLeftOfIndex({ ...pod, metadata: { ...pod.metadata, annotations } }, now)).toBe(40_000);
    expect(backoffLeftOfIndex(undefined, now)).toBe(0);
  });

  const before = { failures: 2, lastFailure: EPOCH };
  test.each([
    ['nothing new', [], [], before],
    ['failures add up', [], [5, 9], { failures: 4, lastFailure: EPOCH + 9000 }],
    ['a success forgives', [5], [], { failures: 0 }],
    ['also what failed before it', [5], [3, 5], { failures: 0 }],
    ['and not what failed after', [5], [3, 7], { failures: 1, lastFailure: EPOCH + 7000 }],
  ])('%s', (_, succeeded, failed, after) => {
    expect(nextRecord(before, succeeded.map(endedAt), failed.map(endedAt))).toEqual(after);
  });
});

describe('when a Pod ended', () => {
  const readyFalse = [{ type: 'Ready', status: 'False', lastTransitionTime: at(20) }];
  const sidecar = { initContainers: [{ name: 'side', restartPolicy: 'Always' }], containers: [] };
  test.each([
    [
      'the last container',
      { containerStatuses: [terminated('a', 0, 5), terminated('b', 0, 7)], conditions: readyFalse },
      {},
      7,
    ],
    [
      'one still runs',
      { containerStatuses: [terminated('a', 0, 5), { ...terminated('b', 0), state: {} }], conditions: readyFalse },
      {},
      20,
    ],
    [
      'a sidecar ends later',
      {
        containerStatuses: [terminated('a', 0, 5)],
        initContainerStatuses: [terminated('side', 0, 9), terminated('init', 0, 2)],
      },
      { spec: sidecar },
      9,
    ],
    ['told to go', { conditions: [] }, { metadata: { deletionTimestamp: at(50), deletionGracePeriodSeconds: 30 } }, 20],
    ['nobody knows', { conditions: [] }, {}, 0],
  ])('%s', (_, status, parts: { metadata?: object; spec?: object }, seconds) => {
    const pod = failedPod(status);
    const whole = {
      ...pod,
      ...(parts.spec ? { spec: parts.spec } : {}),
      metadata: { ...pod.metadata, ...parts.metadata },
    } as Pod;
    expect(finishedAt(whole)).toBe(EPOCH + seconds * 1000);
  });
});

test.each([
  ['3', 3],
  ['0', 0],
  ['-1', undefined],
  ['1.5', undefined],
  ['', undefined],
  [undefined, undefined],
])('the index %o is %o', (text, index) => {
  const pod = runningPod('p');
  const annotations: Record<string, string> =
    text === undefined ? {} : { 'batch.kubernetes.io/job-completion-index': text, [FAILURES_KEY]: '99999999999' };
  const annotated = { ...pod, metadata: { ...pod.metadata, annotations } };
  expect(indexOf(annotated)).toBe(index);
  expect(failuresBefore(annotated)).toBe(0);
});
