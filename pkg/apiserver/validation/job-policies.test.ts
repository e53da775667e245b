import { expect, test } from 'vitest';

import type { JsonObject } from '../json.ts';
import { checkJobSpec } from './batch.ts';
import { Problems, invalidStatus } from './errors.ts';

const indexed = { completionMode: 'Indexed', completions: 5 };
const failing = (rule: JsonObject): JsonObject => ({ podFailurePolicy: { rules: [rule] } });
const succeeding = (rule: JsonObject): JsonObject => ({ ...indexed, successPolicy: { rules: [rule] } });
const onExitCodes = { operator: 'In', values: [1] };
const RULE = 'spec.podFailurePolicy.rules[0]';
const WIN = 'spec.successPolicy.rules[0]';

/** [what, spec, what the API server says]; checked against kube-apiserver 1.36. */
const ROWS: readonly (readonly [string, JsonObject, string | undefined])[] = [
  ['a good failure policy', failing({ action: 'FailJob', onExitCodes }), undefined],
  [
    'no action',
    failing({ action: '', onExitCodes }),
    `${RULE}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]`,
  ],
  [
    'an unknown action',
    failing({ action: 'Dance', onExitCodes }),
    `${RULE}.action: Unsupported value: "Dance": supported values: "Count", "FailIndex", "FailJob", "Ignore"`,
  ],
  [
    'an index failed without limit',
    failing({ action: 'FailIndex', onExitCodes }),
    `${RULE}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`,
  ],
  [
    'nothing to match',
    failing({ action: 'Ignore' }),
    `${RULE}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`,
  ],
  [
    'both',
    failing({ action: 'Ignore', onExitCodes, onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }),
    `${RULE}: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported`,
  ],
  [
    'another container',
    failing({ action: 'Ignore', onExitCodes: { ...onExitCodes, containerName: 'b' } }),
    `${RULE}.onExitCodes.containerName: Invalid value: "b": must be one of the container or initContainer names in the pod template`,
  ],
  [
    'success as failure',
    failing({ action: 'Ignore', onExitCodes: { operator: 'In', values: [0] } }),
    `${RULE}.onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator`,
  ],
  [
    'not in order',
    failing({ action: 'Ignore', onExitCodes: { operator: 'In', values: [3, 1] } }),
    `${RULE}.onExitCodes.values: Invalid value: [3,1]: must be ordered`,
  ],
  [
    'twice',
    failing({ action: 'Ignore', onExitCodes: { operator: 'In', values: [3, 3] } }),
    `${RULE}.onExitCodes.values[1]: Duplicate value: 3`,
  ],
  [
    'too eager replacement',
    { ...failing({ action: 'Ignore', onExitCodes }), podReplacementPolicy: 'TerminatingOrFailed' },
    'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
  ],
  [
    'a limit of failed indexes alone',
    { ...indexed, maxFailedIndexes: 1 },
    'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
  ],
  ['a good success policy', succeeding({ succeededIndexes: '0,2-4', succeededCount: 2 }), undefined],
  [
    'no rules',
    { ...indexed, successPolicy: { rules: [] } },
    'spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified',
  ],
  [
    'an empty rule',
    succeeding({}),
    `${WIN}: Required value: at least one of succeededCount or succeededIndexes must be specified`,
  ],
  [
    'too many',
    succeeding({ succeededCount: 6 }),
    `${WIN}.succeededCount: Invalid value: 6: must be less than or equal to 5 (the number of specified completions)`,
  ],
  [
    'more than named',
    succeeding({ succeededIndexes: '1-2', succeededCount: 3 }),
    `${WIN}.succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)`,
  ],
  [
    'unreadable',
    succeeding({ succeededIndexes: '3-1' }),
    `${WIN}.succeededIndexes: Invalid value: "3-1": error parsing succeededIndexes: non-increasing order, previous: 3, current: 1`,
  ],
];

test.each(ROWS)('%s', (_, spec, refusal) => {
  const problems = new Problems();
  const template = {
    spec: {
      restartPolicy: 'Never',
      dnsPolicy: 'ClusterFirst',
      containers: [{ name: 'a', image: 'b', imagePullPolicy: 'Always', terminationMessagePolicy: 'File' }],
    },
  };
  checkJobSpec(problems, { ...spec, template }, 'spec');
  const type = { group: 'batch', version: 'v1', kind: 'Job' };
  expect(problems.list.length > 0 ? invalidStatus(type, 'work', problems.list).message : undefined).toBe(
    refusal && `Job.batch "work" is invalid: ${refusal}`,
  );
});
