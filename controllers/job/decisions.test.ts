import { describe, expect, test } from 'vitest';

import type { Job, Pod } from '#pkg/api';
import { type JobParts, EPOCH, at, job } from '#pkg/testing';

import { decideDraft } from './draft.ts';
import { type JobCondition, TRACKING_FINALIZER } from './facts.ts';
import { newPod } from './new-pod.ts';
import { INDEX_KEY } from './pod-index.ts';
import { decideChange } from './scale.ts';
import type { Snapshot } from './snapshot.ts';
import { tallyOf } from './tally.ts';
import { countReleased, decideTracking, endedWith } from './tracking.ts';
import { completionsReached, verdictOn } from './verdict.ts';

interface PodParts {
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly index?: number | string;
  readonly tracked?: boolean;
  readonly deleted?: boolean;
  readonly node?: string;
  readonly readySince?: number;
  readonly restarts?: number;
}

function pod(
  name: string,
  { phase = 'Running', index, tracked = true, deleted, node = 'a', readySince, restarts = 0 }: PodParts = {},
): Pod {
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: at(0),
      finalizers: tracked ? [TRACKING_FINALIZER] : [],
      ...(index === undefined ? {} : { annotations: { [INDEX_KEY]: String(index) } }),
      ...(deleted ? { deletionTimestamp: at(0) } : {}),
    },
    spec: { containers: [], nodeName: node },
    status: {
      phase,
      ...(readySince === undefined
        ? {}
        : { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(readySince) }] }),
      containerStatuses: [{ name: 'app', image: '', imageID: '', ready: true, restartCount: restarts }],
    },
  };
}

const gates = { interim: true, reportsTerminating: true, resetsStart: true };
function snapshot(parts: JobParts, pods: readonly Pod[], more: Partial<Snapshot> = {}): Snapshot {
  return {
    job: job(parts),
    pods,
    released: new Set(),
    complete: true,
    gates,
    backoff: undefined,
    now: EPOCH + 60_000,
    ...more,
  };
}
const names = (pods: readonly Pod[]): string[] => pods.map(({ metadata }) => metadata.name);
const indexed = (completions: number, more: JobParts['spec'] = {}): JobParts => ({
  spec: { completionMode: 'Indexed', completions, parallelism: completions, ...more },
});

describe('which Pods are created and deleted', () => {
  function changeOf(parts: JobParts, pods: readonly Pod[], more: Partial<Snapshot> = {}): unknown {
    const taken = snapshot(parts, pods, more);
    const change = decideChange(taken, tallyOf(taken));
    if (change.kind === 'delete') return { delete: names(change.pods) };
    if (change.kind === 'create')
      return { create: change.pods.map(({ metadata }) => metadata.annotations?.[INDEX_KEY] ?? 'any') };
    return change;
  }
  const succeeded = { status: { succeeded: 1 } };

  test.each<[string, JobParts, readonly Pod[], unknown]>([
    ['up to parallelism', { spec: { parallelism: 3, completions: 9 } }, [pod('a')], { create: ['any', 'any'] }],
    [
      'no more than are left to do',
      { spec: { parallelism: 3, completions: 2 }, ...succeeded },
      [],
      { create: ['any'] },
    ],
    ['a work queue', { spec: { parallelism: 2, completions: undefined } }, [], { create: ['any', 'any'] }],
    [
      'a work queue that was found empty',
      { spec: { parallelism: 2, completions: undefined }, ...succeeded },
      [pod('a')],
      { kind: 'keep' },
    ],
    [
      'none for one that goes, if it may still succeed',
      { spec: { podReplacementPolicy: 'Failed' } },
      [pod('a', { deleted: true })],
      { kind: 'keep' },
    ],
    ['all of a suspended one', { spec: { suspend: true } }, [pod('a'), pod('b')], { delete: ['a', 'b'] }],
    [
      'the least advanced first',
      { spec: { parallelism: 1, completions: 9 } },
      [
        pod('ready', { readySince: 1 }),
        pod('fresh', { readySince: 30 }),
        pod('pending', { phase: 'Pending' }),
        pod('nowhere', { node: '' }),
      ],
      { delete: ['nowhere', 'pending', 'fresh'] },
    ],
    ['missing indexes', indexed(4, { parallelism: 3 }), [pod('b', { index: 1 })], { create: ['0', '2'] }],
    [
      'neither ended ones',
      { ...indexed(4), status: { completedIndexes: '0-1', succeeded: 2 } },
      [],
      { create: ['2', '3'] },
    ],
    [
      'repeated, unknown and missing ones',
      indexed(2),
      [
        pod('a0', { index: 0 }),
        pod('b0', { index: 0, readySince: 1 }),
        pod('c9', { index: 9 }),
        pod('d'),
        pod('e1', { index: 1 }),
      ],
      { delete: ['d', 'a0', 'c9'] },
    ],
  ])('%s', (_, parts, pods, change) => {
    expect(changeOf(parts, pods)).toEqual(change);
  });

  test('none before the back-off is over', () => {
    const backoff = { failures: 1, lastFailure: EPOCH + 55_000 };
    expect(changeOf({}, [], { backoff })).toEqual({ kind: 'wait', for: 5000 });
    expect(changeOf({}, [], { backoff: { failures: 1, lastFailure: EPOCH + 50_100 } })).toEqual({
      kind: 'wait',
      for: 1000,
    });
  });

  test('at most 500 at a time', () => {
    expect(changeOf({ spec: { parallelism: 2000, completions: 2000 } }, [])).toMatchObject({ create: { length: 500 } });
    const many = Array.from({ length: 700 }, (__, i) => pod(`p${i}`));
    expect(changeOf({ spec: { parallelism: 0 } }, many)).toMatchObject({ delete: { length: 500 } });
  });
});

test('long names leave room for the index', () => {
  const created = newPod(job({ name: 'n'.repeat(63) }), { indexed: { index: 12, replaced: undefined } });
  expect(created.metadata.generateName).toBe(`${'n'.repeat(54)}-12-`);
});

describe('verdicts', () => {
  const failures = [pod('f', { phase: 'Failed' })];
  const met = {
    type: 'SuccessCriteriaMet',
    status: 'True',
    reason: 'SuccessPolicy',
    message: 'Matched rules at index 0',
  };
  const failing = { type: 'FailureTarget', status: 'True', reason: 'PodFailurePolicy', message: 'because' };
  const onFailure = { ...job().spec!.template, spec: { ...job().spec!.template.spec!, restartPolicy: 'OnFailure' } };

  test.each<[string, JobParts, readonly Pod[], string | undefined]>([
    ['none while all is well', {}, [pod('a')], undefined],
    ['reached completions are none', {}, [pod('a', { phase: 'Succeeded' })], undefined],
    ['too many failures', { spec: { backoffLimit: 0 } }, failures, 'FailureTarget BackoffLimitExceeded'],
    [
      'noted ones count',
      { spec: { backoffLimit: 1 }, status: { uncountedTerminatedPods: { failed: ['x'] }, failed: 1 } },
      [],
      'FailureTarget BackoffLimitExceeded',
    ],
    [
      'noted ones count once',
      { spec: { backoffLimit: 1 }, status: { uncountedTerminatedPods: { failed: ['f'] } } },
      failures,
      undefined,
    ],
    [
      'restarts in place',
      { spec: { backoffLimit: 3, template: onFailure } },
      [pod('a', { restarts: 2 }), pod('b', { restarts: 1 })],
      'FailureTarget BackoffLimitExceeded',
    ],
    [
      'too long',
      { spec: { activeDeadlineSeconds: 60 }, status: { startTime: at(0) } },
      [pod('a')],
      'FailureTarget DeadlineExceeded',
    ],
    [
      'not while suspended',
      { spec: { activeDeadlineSeconds: 60, suspend: true }, status: { startTime: at(0) } },
      [],
      undefined,
    ],
    [
      'an earlier success stands',
      { spec: { backoffLimit: 0 }, status: { conditions: [met] } },
      failures,
      'SuccessCriteriaMet SuccessPolicy',
    ],
    [
      'an earlier failure stands',
      { spec: { backoffLimit: 0 }, status: { conditions: [failing] } },
      failures,
      'Failed PodFailurePolicy',
    ],
    [
      'failures go before successes',
      {
        ...indexed(2, { backoffLimit: 0, successPolicy: { rules: [{ succeededCount: 1 }] } }),
        status: { completedIndexes: '0' },
      },
      [pod('f', { phase: 'Failed', index: 1 })],
      'FailureTarget BackoffLimitExceeded',
    ],
    [
      'all indexes ended, one failed',
      {
        ...indexed(2, { backoffLimit: 99, backoffLimitPerIndex: 0 }),
        status: { completedIndexes: '0', failedIndexes: '1' },
      },
      [],
      'FailureTarget FailedIndexes',
    ],
  ])('%s', (_, parts, pods, verdict) => {
    const taken = snapshot(parts, pods);
    const found = verdictOn(taken, tallyOf(taken));
    expect(found && `${found.type} ${found.reason}`).toBe(verdict);
  });
});

test('without interim conditions, as in versions that can be emulated, a Job ends at once', () => {
  const taken = snapshot({ spec: { backoffLimit: 0 } }, [pod('f', { phase: 'Failed' })], {
    gates: { ...gates, interim: false, reportsTerminating: false },
  });
  const verdict = verdictOn(taken, tallyOf(taken))!;
  expect([verdict.type, completionsReached(taken).type]).toEqual(['Failed', 'Complete']);
  const { status, ending } = decideTracking(taken, tallyOf(taken), {}, verdict);
  expect([status.conditions, ending?.type]).toEqual([undefined, 'Failed']);
  const draft = decideDraft({
    snapshot: { ...taken, job: job({ status: { terminating: 1 } }) },
    numbers: { active: 0, ready: 0, terminating: 2 },
    managed: true,
  });
  expect(draft).toMatchObject({ changed: true, status: { ready: 0 } });
  expect(draft.status).not.toHaveProperty('terminating');
});

describe('tracking', () => {
  const ending: JobCondition = {
    type: 'FailureTarget',
    status: 'True',
    reason: 'DeadlineExceeded',
    message: 'too long',
  };
  function track(
    parts: JobParts,
    pods: readonly Pod[],
    verdict?: JobCondition,
  ): { status: Job['status']; release: string[]; changed: boolean; ends: string | undefined } {
    const taken = snapshot(parts, pods);
    const tracking = decideTracking(taken, tallyOf(taken), taken.job.status ?? {}, verdict);
    const { status, release, changed } = tracking;
    return { status, release: names(release), changed, ends: tracking.ending?.type };
  }

  test('ended Pods are noted, and let go; running ones are not', () => {
    const pods = [
      pod('s', { phase: 'Succeeded' }),
      pod('f', { phase: 'Failed' }),
      pod('r'),
      pod('done', { phase: 'Failed', tracked: false }),
    ];
    expect(track({}, pods)).toEqual({
      status: { uncountedTerminatedPods: { succeeded: ['s'], failed: ['f'] } },
      release: ['s', 'f'],
      changed: true,
      ends: undefined,
    });
  });

  test('noted Pods without finalizer are counted', () => {
    const status = { succeeded: 1, uncountedTerminatedPods: { succeeded: ['s', 't'], failed: ['gone'] } };
    expect(track({ status }, [pod('s', { phase: 'Succeeded' })])).toMatchObject({
      status: { succeeded: 2, failed: 1, uncountedTerminatedPods: { succeeded: ['s'] } },
      release: ['s'],
      changed: true,
    });
    expect(countReleased(status, new Set(['s', 't', 'gone']))).toBe(status);
  });

  test('a Pod that was noted as failed stays so, however it ends', () => {
    const status = { uncountedTerminatedPods: { failed: ['p'] } };
    expect(track({ status }, [pod('p', { phase: 'Succeeded' })])).toMatchObject({
      status,
      release: ['p'],
      changed: false,
    });
    expect(tallyOf(snapshot({ status }, [pod('p', { phase: 'Succeeded' })]))).toMatchObject({
      succeeded: 0,
      failed: 1,
    });
  });

  test('with the end of the Job all that runs counts as failed, or not at all if it is a success', () => {
    const running = [pod('r', { deleted: true }), pod('q')];
    expect(track({}, running, ending)).toMatchObject({
      status: { conditions: [ending], uncountedTerminatedPods: { failed: ['r', 'q'] } },
      ends: 'Failed',
    });
    const met = { ...ending, type: 'SuccessCriteriaMet' };
    expect(track({ spec: { podReplacementPolicy: 'Failed' } }, running, met)).toMatchObject({
      status: { conditions: [met] },
      release: ['r', 'q'],
      ends: 'Complete',
    });
  });

  test('no more than 500 at a time, and no end before the last', () => {
    const many = Array.from({ length: 600 }, (_, i) => pod(`p${i}`, { phase: 'Failed' }));
    const { release, ends } = track({}, many, ending);
    expect([release.length, ends]).toEqual([500, undefined]);
  });

  test('indexes are noted by themselves', () => {
    const pods = [
      pod('b', { phase: 'Succeeded', index: 3 }),
      pod('a', { phase: 'Succeeded', index: 1 }),
      pod('c', { phase: 'Succeeded', index: 'x' }),
    ];
    expect(track({ ...indexed(5), status: { completedIndexes: '0', succeeded: 1 } }, pods)).toMatchObject({
      status: { completedIndexes: '0,1,3', succeeded: 3 },
      release: ['c', 'a', 'b'],
    });
  });

  test('a Job ends when all is counted and nothing terminates', () => {
    const complete = { ...ending, type: 'Complete', lastTransitionTime: at(9) };
    expect(endedWith({ uncountedTerminatedPods: { failed: ['x'] } }, complete, 0)).toBeUndefined();
    expect(endedWith({ terminating: 1 }, complete, 1)).toBeUndefined();
    expect(endedWith({ terminating: 0 }, complete, 0)).toEqual({
      terminating: 0,
      conditions: [complete],
      completionTime: at(9),
    });
  });
});
