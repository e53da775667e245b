import { expect, test } from 'vitest';

import type { JsonObject } from '../json.ts';
import { invalidStatus } from './errors.ts';
import { validateUpdate } from './index.ts';

const type = { group: 'batch', version: 'v1', kind: 'Job' };
const START = '2026-01-01T00:00:00Z';
const END = '2026-01-01T00:01:00Z';
const conditions = (...types: readonly string[]): JsonObject => ({
  conditions: types.map((name) => ({ type: name, status: 'True' })),
});
const started = { startTime: START };
const done = { ...started, completionTime: END, ...conditions('SuccessCriteriaMet', 'Complete') };
const indexed = { completionMode: 'Indexed', completions: 5, parallelism: 2 };

/** [what, spec, status before, status after, what the API server says]; checked against kube-apiserver 1.36. */
const ROWS: readonly (readonly [string, JsonObject, JsonObject, JsonObject, string | undefined])[] = [
  ['a good end', {}, { ...started, active: 1 }, done, undefined],
  ['a good failure', {}, started, { ...started, ...conditions('FailureTarget', 'Failed') }, undefined],
  [
    'no interim condition',
    {},
    started,
    { ...started, ...conditions('Failed') },
    'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
  ],
  [
    'no completion time',
    {},
    started,
    { ...started, ...conditions('SuccessCriteriaMet', 'Complete') },
    'status.completionTime: Required value: completionTime is required for Complete jobs',
  ],
  [
    'a completion time too early',
    {},
    started,
    { ...started, completionTime: END },
    `status.completionTime: Invalid value: "${END}": cannot set completionTime when there is no Complete=True condition`,
  ],
  [
    'no start',
    {},
    {},
    { completionTime: END, ...conditions('SuccessCriteriaMet', 'Complete') },
    'status.startTime: Required value: startTime is required for finished job',
  ],
  [
    'both ends',
    {},
    started,
    { ...started, ...conditions('SuccessCriteriaMet', 'FailureTarget') },
    'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
  ],
  [
    'back to life',
    {},
    { ...started, ...conditions('FailureTarget', 'Failed') },
    { ...started, ...conditions('FailureTarget') },
    'status.conditions: Invalid value: cannot disable the terminal Failed=True condition',
  ],
  [
    'active at the end',
    {},
    started,
    { ...done, active: 1 },
    'status.active: Invalid value: 1: active>0 is invalid for finished job',
  ],
  [
    'terminating at the end',
    {},
    started,
    { ...done, terminating: 2 },
    'status.terminating: Invalid value: 2: terminating>0 is invalid for finished job',
  ],
  [
    'more ready than active',
    {},
    started,
    { ...started, ready: 1 },
    'status.ready: Invalid value: 1: cannot set more ready pods than active',
  ],
  [
    'counting back',
    {},
    { failed: 2 },
    { failed: 1 },
    'status.failed: Invalid value: 1: cannot decrease the failed counter',
  ],
  [
    'another start',
    {},
    started,
    { startTime: END },
    `status.startTime: Invalid value: "${END}": field is immutable for unsuspended job once set`,
  ],
  [
    'another start after a rest',
    {},
    { ...started, ...conditions('Suspended') },
    { startTime: END, conditions: [{ type: 'Suspended', status: 'False' }] },
    undefined,
  ],
  [
    'a UID twice',
    {},
    {},
    { uncountedTerminatedPods: { succeeded: ['a'], failed: ['a'] } },
    'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
  ],
  [
    'indexes of none',
    {},
    {},
    { completedIndexes: '0' },
    'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
  ],
  [
    'unreadable indexes',
    indexed,
    {},
    { completedIndexes: '1,x' },
    'status.completedIndexes: Invalid value: "1,x": error parsing completedIndexes: cannot convert string to integer for index: "x"',
  ],
  [
    'indexes too large',
    indexed,
    {},
    { completedIndexes: '1-5' },
    'status.completedIndexes: Invalid value: "1-5": error parsing completedIndexes: too large index: "5"',
  ],
  [
    'failed indexes without limit',
    indexed,
    {},
    { failedIndexes: '1' },
    'status.failedIndexes: Invalid value: "1": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
  ],
  [
    'failed and completed',
    { ...indexed, backoffLimitPerIndex: 1 },
    {},
    { completedIndexes: '0-2', failedIndexes: '2' },
    'status.failedIndexes: Invalid value: "2": failedIndexes and completedIndexes overlap at index: 2',
  ],
];

test.each(ROWS)('%s', (_, spec, before, after, refusal) => {
  const job = (status: JsonObject): JsonObject => ({
    metadata: { name: 'work', namespace: 'default', uid: 'u', resourceVersion: '1' },
    spec,
    status,
  });
  const errors = validateUpdate(type, job(after), job(before), 'status');
  expect(errors.length > 0 ? invalidStatus(type, 'work', errors).message : undefined).toBe(
    refusal && `Job.batch "work" is invalid: ${refusal}`,
  );
});
