import { describe, expect, test } from 'vitest';

import { type PersistentVolumeClaim, type Pod, type StatefulSetSpec, resources } from '#pkg/api';
import { controllerReference } from '#pkg/controller';
import { EPOCH, at, podTemplate, statefulSet } from '#pkg/testing';

import { decide } from './decide.ts';
import { POD_NAME_LABEL, REVISION_LABEL } from './identity.ts';
import type { Plan, Snapshot, Step } from './snapshot.ts';

const NOW = EPOCH + 60_000;
const CURRENT = { name: 'web-current', template: podTemplate('app:v1') };
const UPDATE = { name: 'web-update', template: podTemplate('app:v2') };

/**
 * A Pod in a word: `r` ready, `y` ready this very second, `n` running and not ready, `p` pending, `f` failed, `s` succeeded,
 * `c` not known to have a phase; `t` behind it for terminating, `'` for the current revision instead of the update's.
 */
function podOf(ordinal: number, word: string): Pod {
  const [state = ''] = word;
  const phases: Record<string, string> = { p: 'Pending', f: 'Failed', s: 'Succeeded', c: '' };
  const ready = state === 'r' || state === 'y';
  const name = `web-${ordinal}`;
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: at(0),
      labels: { app: 'web', [POD_NAME_LABEL]: name, [REVISION_LABEL]: word.includes("'") ? CURRENT.name : UPDATE.name },
      ...(word.includes('t') ? { deletionTimestamp: at(50) } : {}),
    },
    status: {
      phase: phases[state] ?? 'Running',
      ...(ready
        ? { conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(state === 'y' ? 60 : 0) }] }
        : {}),
    },
  };
}

/** `r p - n`: Pods by ordinal, `-` for none. */
function podsOf(words: string): Pod[] {
  return words === '' ? [] : words.split(' ').flatMap((word, ordinal) => (word === '-' ? [] : [podOf(ordinal, word)]));
}

function snapshotOf(words: string, spec: Partial<StatefulSetSpec>, rest: Partial<Snapshot> = {}): Snapshot {
  return {
    set: statefulSet({ spec, status: { replicas: 0 } }),
    pods: podsOf(words),
    claim: () => undefined,
    current: CURRENT,
    update: UPDATE,
    now: NOW,
    countUnavailable: false,
    ...rest,
  };
}

function wordOf(step: Step): string {
  switch (step.kind) {
    case 'create':
      return `+${step.pod.metadata.name}${step.pod.metadata.labels?.[REVISION_LABEL] === CURRENT.name ? "'" : ''}`;
    case 'delete':
      return `-${step.pod.metadata.name}`;
    default:
      return `${step.kind} ${step.pod.metadata.name}`;
  }
}

/** `+web-0, +web-1 | -web-5`: steps by phase; `=` before those that go side by side. */
const summary = (plan: Plan): string =>
  plan.map(({ steps, parallel }) => `${parallel ? '=' : ''}${steps.flat().map(wordOf).join(', ')}`).join(' | ');
const planOf = (words: string, spec: Partial<StatefulSetSpec>, rest?: Partial<Snapshot>): string =>
  summary(decide(snapshotOf(words, spec, rest)));

describe('OrderedReady', () => {
  test.each<[string, number, string]>([
    ['', 3, '+web-0'],
    ['r', 3, '+web-1'],
    ['p', 3, ''],
    ['c', 3, ''],
    ['n', 3, ''],
    ['rt', 3, ''],
    ['- r r', 3, '+web-0'],
    ['r - r', 3, '+web-1'],
    ['r r r', 3, ''],
    ['f', 3, '-web-0'],
    ['s r', 3, '-web-0'],
    ['ft r', 3, ''],
    ['r f n', 3, '-web-1'],
    // Scaling down begins at the top, waits for what ends, and for replicas that are not ready.
    ['r r r r', 2, '-web-3'],
    ['r r r rt', 2, ''],
    ['r n r r', 2, ''],
    ['r - r r', 2, '+web-1'],
    // A sick Pod above waits for the sick one below it, which goes when it is next.
    ['r r r n', 2, '-web-3'],
    ['r r n n', 2, ''],
    ['r r n r', 2, '-web-3'],
    ['r r n', 2, '-web-2'],
    ['r r ft', 2, ''],
    ['r r', 0, '-web-1'],
    ['r rt', 0, ''],
  ])('%j of %i: %j', (words, replicas, plan) => {
    expect(planOf(words, { replicas })).toBe(plan);
  });

  test('waits until Pods have been ready long enough', () => {
    expect([
      planOf('y', { replicas: 2, minReadySeconds: 1 }),
      planOf('r', { replicas: 2, minReadySeconds: 1 }),
    ]).toEqual(['', '+web-1']);
  });
});

test.each<[string, number, string]>([
  ['', 3, '=+web-0, +web-1, +web-2'],
  ['n - f', 3, '=+web-1, -web-2'],
  ['n pt - r rt r', 2, '=-web-3, -web-5'],
  ["r' - r r", 2, '=+web-1 | =-web-2, -web-3'],
])('Parallel waits for nothing: %j of %i: %j', (words, replicas, plan) => {
  // Highest first, where it matters.
  const sorted = (text: string): string =>
    text
      .split(' | ')
      .map((phase) =>
        phase
          .replace('=', '')
          .split(', ')
          .toSorted((a, b) => a.localeCompare(b))
          .join(),
      )
      .join('|');
  expect(sorted(planOf(words, { replicas, podManagementPolicy: 'Parallel' }))).toBe(sorted(plan));
});

describe('an update', () => {
  test.each<[string, string, number | undefined, string]>([
    ['takes the highest first', "r' r' r'", 0, '-web-2'],
    ['waits for it', "r' r' n", 0, ''],
    ['goes on', "r' r' r", 0, '-web-1'],
    ['also where the next is sick, once it is its turn', "r' r'", 0, '-web-1'],
    ['passes over what is new already', "r' r r", 0, '-web-0'],
    ['ends', 'r r r', 0, ''],
    ['stops at the partition', "r' r' r", 2, ''],
    ['goes to the partition', "r' r' r'", 1, '-web-2'],
    ['needs no partition', "r' r'", undefined, '-web-1'],
  ])('%s: %j', (_title, words, partition, plan) => {
    const rollingUpdate = partition === undefined ? {} : { rollingUpdate: { partition } };
    expect(
      planOf(words, { replicas: words.split(' ').length, updateStrategy: { type: 'RollingUpdate', ...rollingUpdate } }),
    ).toBe(plan);
  });

  test('with OrderedReady is stuck behind a Pod that is not ready, with Parallel is not', () => {
    expect([
      planOf("n' r'", { replicas: 2 }),
      planOf("n' r'", { replicas: 2, podManagementPolicy: 'Parallel' }),
    ]).toEqual(['', '-web-1']);
    expect(planOf("r' n'", { replicas: 2, podManagementPolicy: 'Parallel' })).toBe('-web-1');
  });

  test('OnDelete leaves it to the user, who gets the new revision', () => {
    const updateStrategy = { type: 'OnDelete' };
    expect([planOf("r' r'", { replicas: 2, updateStrategy }), planOf("- r'", { replicas: 2, updateStrategy })]).toEqual(
      ['', '+web-0'],
    );
  });

  test.each<[string, number | string | undefined, string]>([
    ["r' r' r' r'", 2, '-web-3, -web-2'],
    ["r' r' r' n", 2, '-web-2'],
    ["r' r' n n", 2, ''],
    ["n' r' r' r'", 2, '-web-3'],
    ["r' r' r' r'", '50%', '-web-3, -web-2'],
    ["r' r' r' r'", '10%', '-web-3'],
    ["r' r' r' r'", undefined, '-web-3'],
    ["r' r' rt r'", 2, '-web-3'],
  ])('with maxUnavailable: %j and %j: %j', (words, maxUnavailable, plan) => {
    const rollingUpdate = { partition: 0, ...(maxUnavailable === undefined ? {} : { maxUnavailable }) };
    const spec = {
      replicas: 4,
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate },
    };
    expect(planOf(words, spec, { countUnavailable: true })).toBe(plan);
  });

  test('what failed is deleted once, and holds the update up', () => {
    expect(planOf("r' f'", { replicas: 2, podManagementPolicy: 'Parallel' })).toBe('=-web-1');
  });
});

describe('new Pods', () => {
  test.each<[string, number, string]>([
    ['below the partition are of the current revision', 2, "=+web-0', +web-1', +web-2"],
    ['without one are of the new', 0, '=+web-0, +web-1, +web-2'],
  ])('%s', (_title, partition, plan) => {
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition } };
    expect(planOf('', { replicas: 3, podManagementPolicy: 'Parallel', updateStrategy })).toBe(plan);
  });

  test('without any rolling update in the spec go by what the status counts', () => {
    const set = statefulSet({
      spec: { replicas: 3, podManagementPolicy: 'Parallel', updateStrategy: { type: 'RollingUpdate' } },
      status: { replicas: 3, currentReplicas: 2 },
    });
    expect(planOf('', {}, { set })).toBe("=+web-0', +web-1', +web-2");
  });

  test('ordinals begin where the set says', () => {
    const set = statefulSet({
      spec: {
        replicas: 2,
        ordinals: { start: 3 },
        podManagementPolicy: 'Parallel',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } },
      },
    });
    expect(planOf('r', {}, { set })).toBe("=+web-3', +web-4 | =-web-0");
  });
});

test('a set under deletion is left alone', () => {
  const set = statefulSet({ metadata: { deletionTimestamp: at(0) }, spec: { replicas: 3 } });
  expect(planOf("r' f - - r", {}, { set })).toBe('');
});

describe('claims', () => {
  const TEMPLATE = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'] } };
  const spec = { replicas: 2, volumeClaimTemplates: [TEMPLATE] };
  const keep = { whenDeleted: 'Delete', whenScaled: 'Delete' };
  const claimOf = (
    name: string,
    ...owners: { kind: 'Pod' | 'StatefulSet'; name: string; uid: string }[]
  ): PersistentVolumeClaim => ({
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: at(0),
      ownerReferences: owners.map((owner) =>
        controllerReference(
          { metadata: { ...statefulSet().metadata, name: owner.name, uid: owner.uid } },
          owner.kind === 'Pod' ? resources.pods : resources.statefulSets,
        ),
      ),
    },
  });
  const withVolume = (pod: Pod): Pod => ({
    ...pod,
    spec: {
      containers: [],
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: `data-${pod.metadata.name}` } }],
    },
  });
  const run = (words: string, found: readonly PersistentVolumeClaim[], parts: Partial<StatefulSetSpec> = {}): string =>
    planOf(
      '',
      { ...spec, ...parts },
      { pods: podsOf(words).map(withVolume), claim: (name) => found.find(({ metadata }) => metadata.name === name) },
    );
  const owned = (name: string): PersistentVolumeClaim =>
    claimOf(name, { kind: 'StatefulSet', name: 'web', uid: 'uid-web' });

  test.each<[string, string, PersistentVolumeClaim[], Partial<StatefulSetSpec>, string]>([
    ['a pending Pod gets those that it lacks', 'p', [], {}, 'create-claims web-0'],
    ['a pending Pod has all', 'p', [claimOf('data-web-0')], {}, ''],
    ['a running one is not asked', 'r r', [], {}, ''],
    [
      'owners follow the policy',
      'r r',
      [claimOf('data-web-0'), owned('data-web-1')],
      { persistentVolumeClaimRetentionPolicy: keep },
      'repair web-0',
    ],
    ['owners follow the policy back', 'r r', [claimOf('data-web-0'), owned('data-web-1')], {}, 'repair web-1'],
    [
      'of a Pod to go belong to it before it goes',
      'r r r',
      [owned('data-web-0'), owned('data-web-1'), owned('data-web-2')],
      { persistentVolumeClaimRetentionPolicy: keep },
      'own-claims web-2 | -web-2',
    ],
    [
      'of a Pod that is gone keep a new one out',
      'r',
      [owned('data-web-0'), claimOf('data-web-1', { kind: 'Pod', name: 'web-1', uid: 'old' })],
      { persistentVolumeClaimRetentionPolicy: keep },
      '',
    ],
    [
      'of a Pod that is gone, kept by the policy, are its',
      'r',
      [claimOf('data-web-1', { kind: 'Pod', name: 'web-1', uid: 'old' })],
      {},
      '+web-1',
    ],
  ])('%s', (_title, words, found, parts, plan) => {
    expect(run(words, found, parts)).toBe(plan);
  });

  test('a Pod without its volume or its name label is repaired', () => {
    const bare = podOf(0, 'r');
    const nameless = withVolume({
      ...podOf(1, 'r'),
      metadata: { ...podOf(1, 'r').metadata, labels: { [REVISION_LABEL]: UPDATE.name } },
    });
    expect(planOf('', spec, { pods: [bare, nameless] })).toBe('repair web-0, repair web-1');
  });
});
