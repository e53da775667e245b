import { expect, test } from 'vitest';

import type { Deployment, DeploymentStatus, ReplicaSet } from '#pkg/api';
import { PutOffs } from '#pkg/controller';
import { EPOCH, at, deployment, replicaSet } from '#pkg/testing';

import { PATIENCE, mayWait } from './put-off.ts';
import type { Step } from './snapshot.ts';

const progressing = { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', message: '', lastUpdateTime: at(0), lastTransitionTime: at(0) };
const STATUS: DeploymentStatus = { observedGeneration: 1, replicas: 4, updatedReplicas: 4, availableReplicas: 1, conditions: [progressing] };
const RESIZED: Step[] = [{ kind: 'update', before: replicaSet({ replicas: 2 }), after: replicaSet({ replicas: 4 }) }];
const settled = replicaSet({ replicas: 4, metadata: { generation: 2 } });
const observed = (generation: number): ReplicaSet => ({ ...settled, status: { replicas: 4, observedGeneration: generation } });

function waits(after: Partial<DeploymentStatus>, { steps = [], newReplicaSet = observed(2), annotations = {} }: { steps?: Step[]; newReplicaSet?: ReplicaSet; annotations?: Record<string, string> } = {}): boolean {
  const base = deployment({ spec: { replicas: 4 } });
  const owner: Deployment = { ...base, metadata: { ...base.metadata, generation: 1 }, status: STATUS };
  const snapshot = { deployment: owner, replicaSets: [newReplicaSet], pods: new Map(), now: EPOCH, countTerminating: true };
  const draft = { annotations: { ...owner.metadata.annotations, ...annotations }, status: { ...STATUS, ...after } };
  return mayWait(snapshot, { newReplicaSet, oldReplicaSets: [] }, { steps, draft });
}

test.each<[string, boolean, Parameters<typeof waits>]>([
  ['counts while a ReplicaSet is being resized', true, [{ availableReplicas: 2 }, { steps: RESIZED }]],
  ['counts while a ReplicaSet has not answered', true, [{ availableReplicas: 2 }, { newReplicaSet: observed(1) }]],
  ['counts and the time of progress', true, [{ availableReplicas: 2, conditions: [{ ...progressing, lastUpdateTime: at(5) }] }, { steps: RESIZED }]],
  ['more available Pods', true, [{ availableReplicas: 2 }]],
  ['Pods that have ended', true, [{ terminatingReplicas: 1 }]],
  ['fewer Pods, of which fewer are available', true, [{ replicas: 3, updatedReplicas: 3, availableReplicas: 0 }]],
  ['a Pod that is no longer available', false, [{ availableReplicas: 0 }]],
  ['nothing', false, [{}, { steps: RESIZED }]],
  ['a reason', false, [{ conditions: [{ ...progressing, reason: 'NewReplicaSetAvailable' }] }, { steps: RESIZED }]],
  ['another condition', false, [{ conditions: [progressing, { ...progressing, type: 'Available' }] }, { steps: RESIZED }]],
  ['the observed generation', false, [{ observedGeneration: 2 }, { steps: RESIZED }]],
  ['a hash collision', false, [{ collisionCount: 1 }, { steps: RESIZED }]],
  ['the revision', false, [{ availableReplicas: 2 }, { steps: RESIZED, annotations: { revision: '2' } }]],
  ['the end of a rollout', false, [{ availableReplicas: 4 }, { steps: RESIZED }]],
])('%s may wait: %s', (_what, expected, args) => {
  expect(waits(...args)).toBe(expected);
});

test('a status waits a second from the first time, and anew after it was written', () => {
  const putOffs = new PutOffs(PATIENCE);
  expect(putOffs.left('a', 5000)).toBe(1000);
  expect(putOffs.left('a', 5900)).toBe(100);
  expect(putOffs.left('b', 5900)).toBe(1000);
  expect(putOffs.left('a', 6500)).toBe(0);
  putOffs.end('a');
  expect(putOffs.left('a', 7000)).toBe(1000);
});
