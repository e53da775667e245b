import { describe, expect, test } from 'vitest';

import type { Deployment, Pod, ReplicaSet } from '#pkg/api';
import { EPOCH, at, deployment, pod, podTemplate, replicaSet } from '#pkg/testing';

import { DESIRED_REPLICAS, MAX_REPLICAS, REVISION, REVISION_HISTORY, ROLLBACK_TO } from './annotations.ts';
import { conditionOf } from './conditions.ts';
import { decide, decideNewReplicaSet, draftWith, type Mode, modeOf, rolloutOf } from './decide.ts';
import { rollback } from './rollback.ts';
import { type Plan, type Snapshot, sizeOf, type Step } from './snapshot.ts';

const OLD = podTemplate('app:v0');
const NEW = podTemplate('app:v1');

function snapshotOf(
  owner: Deployment,
  replicaSets: ReplicaSet[],
  seconds = 0,
  pods: [ReplicaSet, Pod[]][] = [],
): Snapshot {
  return {
    deployment: owner,
    replicaSets,
    pods: new Map(pods.map(([owned, list]) => [owned.metadata.uid, list])),
    now: EPOCH + seconds * 1000,
    countTerminating: true,
  };
}

function plan(snapshot: Snapshot): Plan & { mode: Mode } {
  const rollout = rolloutOf(snapshot);
  const mode = modeOf(snapshot, rollout);
  if (mode === 'rollback') throw new Error('use rollback');
  return { mode, ...decide(snapshot, rollout, mode, draftWith(snapshot, rollout.newReplicaSet, false, mode)) };
}

/** `web-old 10->8`, `-web-old`: steps at a glance. */
function summary(steps: readonly Step[]): string[] {
  return steps.map((step) =>
    step.kind === 'delete'
      ? `-${step.replicaSet.metadata.name}`
      : `${step.before.metadata.name} ${sizeOf(step.before)}->${sizeOf(step.after)}`,
  );
}

const annotated = (desired: number, max: number): Record<string, string> => ({
  [DESIRED_REPLICAS]: String(desired),
  [MAX_REPLICAS]: String(max),
});

describe('rolling update', () => {
  interface Row {
    readonly title: string;
    readonly wanted: number;
    readonly maxSurge: number | string;
    readonly maxUnavailable: number | string;
    /** [size, available] */
    readonly old: readonly [number, number];
    readonly fresh: readonly [number, number];
    readonly steps: readonly string[];
  }

  const table: Row[] = [
    {
      title: 'grows by the surge first',
      wanted: 10,
      maxSurge: 3,
      maxUnavailable: 2,
      old: [10, 10],
      fresh: [0, 0],
      steps: ['new 0->3'],
    },
    {
      title: 'then shrinks the old by what may be unavailable',
      wanted: 10,
      maxSurge: 3,
      maxUnavailable: 2,
      old: [10, 10],
      fresh: [3, 0],
      steps: ['old 10->8'],
    },
    {
      title: 'waits while new Pods are not available',
      wanted: 10,
      maxSurge: 3,
      maxUnavailable: 2,
      old: [8, 8],
      fresh: [5, 0],
      steps: [],
    },
    {
      title: 'shrinks as new Pods become available',
      wanted: 10,
      maxSurge: 3,
      maxUnavailable: 2,
      old: [8, 8],
      fresh: [5, 3],
      steps: ['old 8->5'],
    },
    {
      title: 'counts no available Pods beyond a size that was written a moment ago',
      wanted: 10,
      maxSurge: 3,
      maxUnavailable: 2,
      old: [8, 10],
      fresh: [5, 3],
      steps: ['old 8->5'],
    },
    {
      title: 'removes unhealthy old Pods without waiting, then healthy ones',
      wanted: 10,
      maxSurge: 3,
      maxUnavailable: 2,
      old: [8, 7],
      fresh: [5, 5],
      steps: ['old 8->7', 'old 7->3'],
    },
    {
      title: 'does not shrink when a node took an old Pod',
      wanted: 10,
      maxSurge: 3,
      maxUnavailable: 2,
      old: [8, 7],
      fresh: [5, 0],
      steps: [],
    },
    {
      title: 'ends with the last old Pod',
      wanted: 10,
      maxSurge: 3,
      maxUnavailable: 2,
      old: [1, 1],
      fresh: [10, 9],
      steps: ['old 1->0'],
    },
    {
      title: 'shrinks a new ReplicaSet that is too large',
      wanted: 2,
      maxSurge: 1,
      maxUnavailable: 1,
      old: [0, 0],
      fresh: [5, 5],
      steps: ['new 5->2'],
    },
    {
      title: 'takes one away first where both bounds round to zero',
      wanted: 2,
      maxSurge: 0,
      maxUnavailable: '1%',
      old: [2, 2],
      fresh: [0, 0],
      steps: ['old 2->1'],
    },
    {
      title: 'surges by one where only surge is left',
      wanted: 2,
      maxSurge: '1%',
      maxUnavailable: '0%',
      old: [2, 2],
      fresh: [0, 0],
      steps: ['new 0->1'],
    },
  ];

  test.each(table)('$title', ({ wanted, maxSurge, maxUnavailable, old, fresh, steps }) => {
    const owner = deployment({
      spec: {
        replicas: wanted,
        template: NEW,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
      },
    });
    const sets = [
      replicaSet({ name: 'old', owner, template: OLD, replicas: old[0], status: { availableReplicas: old[1] } }),
      replicaSet({ name: 'new', owner, template: NEW, replicas: fresh[0], status: { availableReplicas: fresh[1] } }),
    ];
    const decided = plan(snapshotOf(owner, sets));
    expect(decided.mode).toBe('rolling');
    expect(summary(decided.steps)).toEqual(steps);
  });

  test('a resize writes the counts that scaling is told by', () => {
    const owner = deployment({ spec: { replicas: 4, template: NEW } });
    const { steps } = plan(snapshotOf(owner, [replicaSet({ name: 'new', owner, template: NEW })]));
    expect(steps).toHaveLength(1);
    expect((steps[0] as Step & { kind: 'update' }).after.metadata.annotations).toEqual(annotated(4, 5));
  });
});

describe('scaling', () => {
  test('goes to the only active ReplicaSet', () => {
    const owner = deployment({ spec: { replicas: 5, template: NEW } });
    const sets = [
      replicaSet({ name: 'old', owner, template: OLD }),
      replicaSet({ name: 'new', owner, template: NEW, replicas: 3, metadata: { annotations: annotated(3, 4) } }),
    ];
    const decided = plan(snapshotOf(owner, sets));
    expect([decided.mode, ...summary(decided.steps)]).toEqual(['scaling', 'new 3->5']);
  });

  const proportional: [string, number, [number, number][], string[]][] = [
    [
      'up, in proportion',
      20,
      [
        [10, 13],
        [3, 13],
      ],
      ['old 10->19', 'new 3->6'],
    ],
    [
      'down, in proportion',
      5,
      [
        [10, 13],
        [3, 13],
      ],
      ['old 10->5', 'new 3->2'],
    ],
    [
      'to zero',
      0,
      [
        [10, 13],
        [3, 13],
      ],
      ['old 10->0', 'new 3->0'],
    ],
  ];
  test.each(proportional)('amidst a rollout: %s', (_title, wanted, [old, fresh], expected) => {
    const owner = deployment({ spec: { replicas: wanted, template: NEW } });
    const sets = [
      replicaSet({
        name: 'old',
        owner,
        template: OLD,
        replicas: old![0],
        metadata: { annotations: annotated(10, old![1]) },
      }),
      replicaSet({
        name: 'new',
        owner,
        template: NEW,
        replicas: fresh![0],
        metadata: { annotations: annotated(10, fresh![1]) },
      }),
    ];
    expect(summary(plan(snapshotOf(owner, sets)).steps)).toEqual(expected);
  });

  test('an adopted old ReplicaSet goes when the new one is saturated', () => {
    const owner = deployment({ spec: { replicas: 3, template: NEW, paused: true } });
    const sets = [
      replicaSet({ name: 'old', owner, template: OLD, replicas: 2 }),
      replicaSet({ name: 'new', owner, template: NEW, replicas: 3, metadata: { annotations: annotated(3, 4) } }),
    ];
    expect(summary(plan(snapshotOf(owner, sets)).steps)).toEqual(['old 2->0']);
  });
});

describe('recreate', () => {
  const owner = deployment({ spec: { replicas: 2, template: NEW, strategy: { type: 'Recreate' } } });

  test('ends the old Pods before it creates anything', () => {
    const old = replicaSet({ name: 'old', owner, template: OLD, replicas: 2 });
    const snapshot = snapshotOf(owner, [old]);
    expect(decideNewReplicaSet(snapshot, rolloutOf(snapshot), 'recreate').kind).toBe('keep');
    expect(summary(plan(snapshot).steps)).toEqual(['old 2->0']);
  });

  test.each([
    ['Running', 'keep'],
    ['Unknown', 'keep'],
    ['Failed', 'create'],
    ['Succeeded', 'create'],
  ])('with an old Pod %s: %s', (phase, kind) => {
    const old = replicaSet({ name: 'old', owner, template: OLD });
    const snapshot = snapshotOf(owner, [old], 0, [[old, [pod('a', old, { phase })]]]);
    expect(decideNewReplicaSet(snapshot, rolloutOf(snapshot), 'recreate').kind).toBe(kind);
  });

  test('with an old ReplicaSet that has not been synced since it shrank: keep', () => {
    const old = replicaSet({ name: 'old', owner, template: OLD, metadata: { generation: 2 } });
    const snapshot = snapshotOf(owner, [old]);
    expect(decideNewReplicaSet(snapshot, rolloutOf(snapshot), 'recreate').kind).toBe('keep');
  });

  test('then starts all new Pods at once', () => {
    const old = replicaSet({ name: 'old', owner, template: OLD });
    const fresh = replicaSet({ name: 'new', owner, template: NEW });
    expect(summary(plan(snapshotOf(owner, [old, fresh])).steps)).toEqual(['new 0->2']);
  });
});

describe('the new ReplicaSet', () => {
  test('is created with the hash, the counts, the next revision and the annotations of the Deployment', () => {
    const owner = deployment({
      spec: { replicas: 3, template: NEW, minReadySeconds: 7 },
      metadata: { annotations: { note: 'x', 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
    });
    const old = replicaSet({
      name: 'old',
      owner,
      template: OLD,
      replicas: 3,
      metadata: { annotations: { [REVISION]: '4' } },
    });
    const snapshot = snapshotOf(owner, [old]);
    const decided = decideNewReplicaSet(snapshot, rolloutOf(snapshot), 'rolling');
    if (decided.kind !== 'create') throw new Error(decided.kind);
    const { metadata, spec } = decided.object;
    const hash = metadata.labels!['pod-template-hash']!;
    expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{8,10}$/);
    expect(metadata).toMatchObject({
      name: `web-${hash}`,
      labels: { app: 'web', 'pod-template-hash': hash },
      annotations: { note: 'x', [REVISION]: '5', ...annotated(3, 4) },
      ownerReferences: [{ kind: 'Deployment', uid: owner.metadata.uid, controller: true, blockOwnerDeletion: true }],
    });
    expect(metadata.annotations).not.toHaveProperty('kubectl.kubernetes.io/last-applied-configuration');
    expect(spec).toMatchObject({
      replicas: 1,
      minReadySeconds: 7,
      selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } },
      template: { metadata: { labels: { app: 'web', 'pod-template-hash': hash } } },
    });
  });

  test('has a name of at most 253 characters, moved by the collision count', () => {
    const names = [undefined, 1].map((collisionCount) => {
      const owner = deployment({ name: 'x'.repeat(253), status: collisionCount ? { collisionCount } : {} });
      const snapshot = snapshotOf(owner, []);
      const decided = decideNewReplicaSet(snapshot, rolloutOf(snapshot), 'rolling');
      return decided.kind === 'create' ? decided.object.metadata.name! : '';
    });
    expect(names[0]).toHaveLength(253);
    expect(names[1]).not.toBe(names[0]);
  });

  test('is found whatever its hash label, and the oldest of several', () => {
    const owner = deployment({ spec: { template: NEW } });
    const labelled = podTemplate('app:v1', { app: 'web', 'pod-template-hash': 'abc' });
    const sets = [
      replicaSet({ name: 'first', owner, template: labelled }),
      replicaSet({ name: 'second', owner, template: NEW, metadata: { creationTimestamp: at(5) } }),
    ];
    const rollout = rolloutOf(snapshotOf(owner, sets));
    expect(rollout.newReplicaSet?.metadata.name).toBe('first');
    expect(rollout.oldReplicaSets.map(({ metadata }) => metadata.name)).toEqual(['second']);
  });

  test('keeps its old revisions in a history when it is rolled back to', () => {
    const owner = deployment({ spec: { template: NEW } });
    const sets = [
      replicaSet({
        name: 'new',
        owner,
        template: NEW,
        metadata: { annotations: { [REVISION]: '1', [REVISION_HISTORY]: '0' } },
      }),
      replicaSet({ name: 'old', owner, template: OLD, metadata: { annotations: { [REVISION]: '2' } } }),
    ];
    const snapshot = snapshotOf(owner, sets);
    const decided = decideNewReplicaSet(snapshot, rolloutOf(snapshot), 'rolling');
    if (decided.kind !== 'update') throw new Error(decided.kind);
    expect(decided.after.metadata.annotations).toEqual({ [REVISION]: '3', [REVISION_HISTORY]: '0,1' });
  });

  test('is left alone when nothing changed', () => {
    const owner = deployment({ metadata: { annotations: { note: 'x', [REVISION]: '1' } } });
    const sets = [replicaSet({ name: 'new', owner, metadata: { annotations: { note: 'x', [REVISION]: '1' } } })];
    const snapshot = snapshotOf(owner, sets);
    expect(decideNewReplicaSet(snapshot, rolloutOf(snapshot), 'rolling')).toEqual({ kind: 'keep' });
  });
});

describe('status', () => {
  const settled = (): [Deployment, ReplicaSet] => {
    const owner = deployment({
      spec: { replicas: 2 },
      metadata: { annotations: { [REVISION]: '1' } },
      status: {
        observedGeneration: 1,
        replicas: 2,
        updatedReplicas: 2,
        readyReplicas: 2,
        availableReplicas: 2,
        terminatingReplicas: 0,
        conditions: [
          {
            type: 'Available',
            status: 'True',
            reason: 'MinimumReplicasAvailable',
            message: '',
            lastUpdateTime: at(0),
            lastTransitionTime: at(0),
          },
          {
            type: 'Progressing',
            status: 'True',
            reason: 'NewReplicaSetAvailable',
            message: '',
            lastUpdateTime: at(0),
            lastTransitionTime: at(0),
          },
        ],
      },
    });
    return [
      owner,
      replicaSet({
        name: 'new',
        owner,
        replicas: 2,
        metadata: { annotations: { [REVISION]: '1', ...annotated(2, 3) } },
      }),
    ];
  };

  test('a settled Deployment needs nothing, also much later', () => {
    const [owner, set] = settled();
    const decided = plan(snapshotOf(owner, [set], 99_999));
    expect(decided.steps).toEqual([]);
    expect(decided.draft.status).toEqual(owner.status);
    expect(decided.draft.annotations).toEqual(owner.metadata.annotations);
    expect(decided.requeueAfter).toBeUndefined();
  });

  test('counts that are zero are not written', () => {
    const owner = deployment({ spec: { replicas: 0 } });
    const { status } = plan(snapshotOf(owner, [])).draft;
    expect(Object.keys(status).toSorted()).toEqual(['conditions', 'observedGeneration', 'terminatingReplicas']);
  });

  test('terminating Pods are unknown while one ReplicaSet does not say', () => {
    const [owner, set] = settled();
    const silent: ReplicaSet = { ...set, status: { replicas: 2, observedGeneration: 1 } };
    expect(plan(snapshotOf(owner, [silent])).draft.status).not.toHaveProperty('terminatingReplicas');
  });

  test('a Deployment whose Pods went away is not available', () => {
    const [owner, set] = settled();
    const lost: ReplicaSet = { ...set, status: { ...set.status!, availableReplicas: 0, readyReplicas: 0 } };
    const { status } = plan(snapshotOf(owner, [lost], 5)).draft;
    expect(conditionOf(status, 'Available')).toEqual({
      type: 'Available',
      status: 'False',
      reason: 'MinimumReplicasUnavailable',
      message: 'Deployment does not have minimum availability.',
      lastUpdateTime: at(5),
      lastTransitionTime: at(5),
    });
    expect(conditionOf(status, 'Progressing')).toEqual(conditionOf(owner.status, 'Progressing'));
  });

  test('a failing ReplicaSet shows, and stops showing', () => {
    const [owner, set] = settled();
    const failure = {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: 'quota',
      lastTransitionTime: at(3),
    };
    const failing: ReplicaSet = { ...set, status: { ...set.status!, conditions: [failure] } };
    const shown = plan(snapshotOf(owner, [failing], 9)).draft.status;
    expect(conditionOf(shown, 'ReplicaFailure')).toEqual({ ...failure, lastUpdateTime: at(3) });
    const next: Deployment = { ...owner, status: shown };
    expect(conditionOf(plan(snapshotOf(next, [set], 10)).draft.status, 'ReplicaFailure')).toBeUndefined();
  });
});

describe('progress', () => {
  const stuck = (seconds: number, status: string, reason: string): Snapshot => {
    const owner = deployment({
      spec: { replicas: 2, template: NEW, progressDeadlineSeconds: 60 },
      metadata: { annotations: { [REVISION]: '1' } },
      status: {
        observedGeneration: 1,
        replicas: 2,
        updatedReplicas: 2,
        unavailableReplicas: 2,
        terminatingReplicas: 0,
        conditions: [
          { type: 'Progressing', status, reason, message: 'm', lastUpdateTime: at(0), lastTransitionTime: at(0) },
          {
            type: 'Available',
            status: 'False',
            reason: 'MinimumReplicasUnavailable',
            message: 'm',
            lastUpdateTime: at(0),
            lastTransitionTime: at(0),
          },
        ],
      },
    });
    const set = replicaSet({
      name: 'new',
      owner,
      template: NEW,
      replicas: 2,
      metadata: { annotations: { [REVISION]: '1', ...annotated(2, 3) } },
      status: { readyReplicas: 0, availableReplicas: 0 },
    });
    return snapshotOf(owner, [set], seconds);
  };

  test('comes back one second after the deadline', () => {
    const decided = plan(stuck(20, 'True', 'ReplicaSetUpdated'));
    expect(decided.draft.status).toEqual(stuck(20, 'True', 'ReplicaSetUpdated').deployment.status);
    expect(decided.requeueAfter).toBe(41_000);
  });

  test('is given up past the deadline, once', () => {
    const late = plan(stuck(61, 'True', 'ReplicaSetUpdated'));
    expect(conditionOf(late.draft.status, 'Progressing')).toMatchObject({
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: 'ReplicaSet "new" has timed out progressing.',
      lastTransitionTime: at(61),
    });
    const again = plan(stuck(500, 'False', 'ProgressDeadlineExceeded'));
    expect(again.draft.status).toEqual(stuck(500, 'False', 'ProgressDeadlineExceeded').deployment.status);
    expect(again.requeueAfter).toBeUndefined();
  });

  test('renews its time with each new Pod, not the time of its transition', () => {
    const before = stuck(30, 'True', 'ReplicaSetUpdated');
    const [set] = before.replicaSets;
    const after = plan({
      ...before,
      replicaSets: [{ ...set!, status: { ...set!.status!, readyReplicas: 1, availableReplicas: 1 } }],
    });
    expect(conditionOf(after.draft.status, 'Progressing')).toMatchObject({
      reason: 'ReplicaSetUpdated',
      lastUpdateTime: at(30),
      lastTransitionTime: at(0),
    });
  });

  test('is not estimated without a deadline', () => {
    const before = stuck(30, 'True', 'ReplicaSetUpdated');
    const spec = { ...before.deployment.spec!, progressDeadlineSeconds: 0x7fffffff };
    const decided = plan({ ...before, deployment: { ...before.deployment, spec } });
    expect(conditionOf(decided.draft.status, 'Progressing')).toBeUndefined();
    expect(decided.requeueAfter).toBeUndefined();
  });

  test('is unknown while paused, and after', () => {
    const before = stuck(30, 'True', 'ReplicaSetUpdated');
    const paused: Deployment = { ...before.deployment, spec: { ...before.deployment.spec!, paused: true } };
    const first = plan({ ...before, deployment: paused }).draft.status;
    expect(conditionOf(first, 'Progressing')).toMatchObject({
      status: 'Unknown',
      reason: 'DeploymentPaused',
      message: 'Deployment is paused',
    });
    const second = plan({ ...before, deployment: { ...before.deployment, status: first } }).draft.status;
    expect(conditionOf(second, 'Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentResumed' });
  });
});

describe('history', () => {
  const old = (revision: number, owner: Deployment, overrides: Partial<ReplicaSet['status']> = {}): ReplicaSet =>
    replicaSet({
      name: `old-${revision}`,
      owner,
      template: podTemplate(`app:old${revision}`),
      metadata: { annotations: { [REVISION]: String(revision) } },
      status: overrides,
    });

  test('deletes the oldest empty ReplicaSets beyond the limit of a complete Deployment', () => {
    const owner = deployment({
      spec: { replicas: 0, revisionHistoryLimit: 1 },
      status: { observedGeneration: 1 },
      metadata: { annotations: { [REVISION]: '9' } },
    });
    const current = replicaSet({
      name: 'new',
      owner,
      metadata: { annotations: { [REVISION]: '9', ...annotated(0, 0) } },
    });
    const sets = [old(3, owner), old(1, owner, { replicas: 1 }), old(2, owner), current];
    // old-1 is the oldest but still counts a Pod.
    expect(summary(plan(snapshotOf(owner, sets)).steps)).toEqual(['-old-2']);
  });

  test('keeps everything without a limit', () => {
    const owner = deployment({
      spec: { replicas: 0, revisionHistoryLimit: 0x7fffffff },
      status: { observedGeneration: 1 },
    });
    expect(plan(snapshotOf(owner, [old(1, owner), replicaSet({ name: 'new', owner })])).steps).toEqual([]);
  });
});

describe('rollback', () => {
  const world = (to: string): Parameters<typeof rollback> => {
    const owner = deployment({
      spec: { template: NEW },
      metadata: { annotations: { [ROLLBACK_TO]: to, cause: 'edit', [REVISION]: '2' } },
    });
    const sets = [
      replicaSet({
        name: 'old',
        owner,
        template: podTemplate('app:v0', { app: 'web', 'pod-template-hash': 'abc' }),
        metadata: { annotations: { [REVISION]: '1', cause: 'create' } },
      }),
      replicaSet({ name: 'new', owner, template: NEW, metadata: { annotations: { [REVISION]: '2', cause: 'edit' } } }),
    ];
    const snapshot = snapshotOf(owner, sets);
    const rollout = rolloutOf(snapshot);
    expect(modeOf(snapshot, rollout)).toBe('rollback');
    return [owner, rollout, draftWith(snapshot, rollout.newReplicaSet, false, 'rollback')];
  };

  test.each(['0', '1'])('to revision %s takes the old template and annotations', (to) => {
    const { deployment: after, event } = rollback(...world(to));
    expect(after.spec?.template).toEqual(OLD);
    expect(after.metadata.annotations).toEqual({ cause: 'create', [REVISION]: '2' });
    expect(event).toEqual({
      type: 'Normal',
      reason: 'DeploymentRollback',
      message: 'Rolled back deployment "web" to revision 1',
    });
  });

  test.each([
    ['2', 'DeploymentRollbackTemplateUnchanged'],
    ['7', 'DeploymentRollbackRevisionNotFound'],
  ])('to revision %s is refused with %s, and the request cleared', (to, reason) => {
    const { deployment: after, event } = rollback(...world(to));
    expect(after.spec?.template).toEqual(NEW);
    expect(after.metadata.annotations).not.toHaveProperty(ROLLBACK_TO);
    expect(event).toMatchObject({ type: 'Warning', reason });
  });
});
