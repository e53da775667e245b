import { describe, expect, test } from 'vitest';

import type { Lease } from '#pkg/api';

import { type Sighting, observe, verdictOf } from './other-manager.ts';

function lease(holderIdentity: string, renewTime: string, leaseDurationSeconds = 15): Lease {
  return {
    metadata: { name: 'kube-controller-manager', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
    spec: { holderIdentity, renewTime, leaseDurationSeconds },
  };
}

describe('a manager with another lease', () => {
  test.each<[string, readonly (readonly [number, Lease | undefined])[], number, string]>([
    ['was never there', [[0, undefined]], 0, 'free'],
    ['is not known at first sight', [[0, lease('a', '1')]], 14_999, 'unknown'],
    ['is gone when its lease ran out unrenewed', [[0, lease('a', '1')]], 15_000, 'free'],
    ['is gone after its own time, not ours', [[0, lease('a', '1', 60)]], 59_000, 'unknown'],
    [
      'is alive when it renews',
      [
        [0, lease('a', '1')],
        [2000, lease('a', '2')],
      ],
      2000,
      'live',
    ],
    [
      'is alive until that runs out',
      [
        [0, lease('a', '1')],
        [2000, lease('a', '2')],
      ],
      16_999,
      'live',
    ],
    [
      'is gone when that ran out',
      [
        [0, lease('a', '1')],
        [2000, lease('a', '2')],
      ],
      17_000,
      'free',
    ],
    [
      'is gone when it released',
      [
        [0, lease('a', '1')],
        [2000, lease('', '2')],
      ],
      2000,
      'free',
    ],
    [
      'is alive when it comes later',
      [
        [0, undefined],
        [2000, lease('a', '1')],
      ],
      2000,
      'live',
    ],
    [
      'is alive when another follows',
      [
        [0, lease('a', '1')],
        [2000, lease('b', '1')],
      ],
      2000,
      'live',
    ],
  ])('%s', (_title, looks, now, expected) => {
    let sighting: Sighting | undefined;
    for (const [at, seen] of looks) sighting = observe(sighting, seen, at);
    expect(verdictOf(sighting!, now)).toBe(expected);
  });
});
