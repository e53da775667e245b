import { describe, expect, test } from 'vitest';

import type { Pod } from '#pkg/api';
import { EPOCH, at, pod } from '#pkg/testing';

import { colocation, podDeletionCost, rankForDeletion } from './ranking.ts';

interface Traits {
  readonly node?: string;
  readonly phase?: string;
  readonly ready?: string;
  readonly cost?: string;
  readonly restarts?: number;
  readonly sidecarRestarts?: number;
  readonly created?: string;
  readonly uid?: string;
}

/** A Pod on a node, running, not ready, created at 0: what is not said does not differ. */
function make(name: string, traits: Traits): Pod {
  const {
    node = 'n',
    phase = 'Running',
    ready,
    cost,
    restarts = 0,
    sidecarRestarts = 0,
    created = at(0),
    uid = 'same',
  } = traits;
  const base = pod(name);
  return {
    ...base,
    metadata: {
      ...base.metadata,
      uid,
      creationTimestamp: created,
      ...(cost === undefined ? {} : { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
    },
    spec: {
      containers: [],
      initContainers: [{ name: 'sidecar', restartPolicy: 'Always' }, { name: 'once' }],
      nodeName: node,
    },
    status: {
      phase,
      conditions: ready === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: ready }],
      containerStatuses: [{ restartCount: restarts }] as never,
      initContainerStatuses: [
        { name: 'sidecar', restartCount: sidecarRestarts },
        { name: 'once', restartCount: 99 },
      ] as never,
    },
  };
}

const NOW = EPOCH + 100_000_000;
const ago = (seconds: number): string => at(100_000 - seconds);

function order(
  a: Traits,
  b: Traits,
  options: { readonly deletionCost?: boolean; readonly crowd?: string } = {},
): string {
  const pods = [make('a', a), make('b', b)];
  const colocated = (of: Pod): number => (of.spec?.nodeName === options.crowd ? 3 : 1);
  const ranked = (list: Pod[]): string =>
    rankForDeletion(list, { now: NOW, colocated, deletionCost: options.deletionCost ?? true })
      .map(({ metadata }) => metadata.name)
      .join('');
  // Whatever order they come in.
  expect(ranked(pods)).toBe(ranked(pods.toReversed()));
  return ranked(pods);
}

describe('who goes first', () => {
  test.each<[string, Traits, Traits, Parameters<typeof order>[2]?]>([
    ['unassigned, though running and ready', { node: '', ready: ago(9) }, { phase: 'Pending' }],
    ['pending before unknown', { phase: 'Pending', ready: ago(9) }, { phase: 'Unknown' }],
    ['unknown before running', { phase: 'Unknown', ready: ago(9) }, {}],
    ['not ready before ready', { cost: '5' }, { ready: ago(9) }],
    [
      'lower cost, though alone on its node',
      { ready: ago(9), cost: '-1' },
      { ready: ago(9), node: 'crowded' },
      { crowd: 'crowded' },
    ],
    ['on the crowded node', { ready: ago(9000), node: 'crowded' }, { ready: ago(9) }, { crowd: 'crowded' }],
    [
      'cost means nothing with its gate off',
      { ready: ago(9), node: 'crowded' },
      { ready: ago(9), cost: '-1' },
      { crowd: 'crowded', deletionCost: false },
    ],
    ['ready for a much shorter time', { ready: ago(9), uid: 'z' }, { ready: ago(9000), restarts: 9, uid: 'a' }],
    ['ready for about as long: the lower UID', { ready: ago(1000), uid: 'a' }, { ready: ago(700), uid: 'z' }],
    ['more restarts', { restarts: 2, created: ago(9000) }, { restarts: 1, created: ago(9) }],
    ['more sidecar restarts', { sidecarRestarts: 2 }, { sidecarRestarts: 1 }],
    ['container restarts before sidecar restarts', { restarts: 1 }, { sidecarRestarts: 5 }],
    ['much younger', { created: ago(9), uid: 'z' }, { created: ago(9000), uid: 'a' }],
    ['about as old: the lower UID', { created: ago(1000), uid: 'a' }, { created: ago(700), uid: 'z' }],
    ['ready since nobody knows when', { ready: 'never' }, { ready: ago(1) }],
  ])('%s', (_name, first, second, options) => expect(order(first, second, options)).toBe('ab'));
});

test.each([
  ['10', 10],
  ['-10', -10],
  ['0', 0],
  ['-08', -8],
  ['+10', 0],
  ['008', 0],
  ['1e3', 0],
  ['', 0],
  ['-', 0],
  ['2147483647', 2147483647],
  ['2147483648', 0],
  ['-2147483648', -2147483648],
])('deletion cost %j is %d', (text, cost) => expect(podDeletionCost(make('a', { cost: text }))).toBe(cost));

test('colocation counts Pods by node', () => {
  const on = colocation([make('a', { node: 'x' }), make('b', { node: 'x' }), make('c', { node: 'y' })]);
  expect(['x', 'y', 'z'].map((node) => on(make('p', { node })))).toEqual([2, 1, 0]);
});
