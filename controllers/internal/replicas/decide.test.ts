import { describe, expect, test } from 'vitest';

import type { Pod } from '#pkg/api';
import { EPOCH, at, pod } from '#pkg/testing';

import { decideChange, decideDeletion } from './decide.ts';

test.each([
  { wanted: 3, active: 3, change: 0 },
  { wanted: 5, active: 3, change: 2 },
  { wanted: 0, active: 3, change: -3 },
  { wanted: 501, active: 0, change: 500 },
  { wanted: 10_000, active: 0, change: 500 },
  { wanted: 0, active: 10_000, change: -500 },
])('$wanted wanted, $active there: $change', ({ wanted, active, change }) =>
  expect(decideChange(wanted, active)).toBe(change),
);

const NOW = EPOCH + 1_000_000;
const ready = (since: number): Pod['status'] => ({
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: at(since) }],
});

function make(name: string, node: string, created: number, status = ready(created)): Pod {
  const base = pod(name, undefined, status);
  return {
    ...base,
    metadata: { ...base.metadata, creationTimestamp: at(created) },
    spec: { ...base.spec!, nodeName: node },
  };
}

const choose = (active: Pod[], count: number, related: Pod[] = active) => {
  const { pods, ageRatios } = decideDeletion({ active, count, related, deletionCost: true, now: NOW });
  return { names: pods.map(({ metadata }) => metadata.name), ageRatios };
};

describe('deletion', () => {
  test('of all keeps their order and measures nothing', () => {
    expect(choose([make('b', 'x', 0), make('a', 'y', 0)], 2)).toEqual({ names: ['b', 'a'], ageRatios: [] });
  });

  test('prefers the crowded node, counting only active companions, of siblings too', () => {
    const active = [make('a', 'x', 0), make('b', 'y', 0)];
    const finished = { ...make('finished', 'x', 0), status: { phase: 'Succeeded' } };
    expect(choose(active, 1, [...active, make('sibling', 'y', 0), finished, { ...finished }]).names).toEqual(['b']);
    expect(choose(active, 1, [...active, make('sibling', 'x', 0)]).names).toEqual(['a']);
  });

  test('measures the age of chosen ready Pods against the youngest, in whole numbers', () => {
    const active = [
      make('old', 'x', 0),
      make('young', 'y', 600),
      make('starting', 'z', 900, { phase: 'Pending', conditions: [] }),
    ];
    expect(choose(active, 2)).toEqual({ names: ['starting', 'young'], ageRatios: [1] });
    expect(choose(active, 2, [make('sibling', 'x', 0), make('sibling', 'x', 0), ...active])).toEqual({
      names: ['starting', 'old'],
      ageRatios: [2],
    });
  });

  test('measures nothing when the youngest was made this instant', () => {
    expect(choose([make('a', 'x', 0), make('b', 'y', 1000)], 1)).toEqual({ names: ['b'], ageRatios: [] });
  });
});
