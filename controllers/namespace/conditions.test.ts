import { describe, expect, test } from 'vitest';

import type { DiscoveredResource } from '#pkg/client';

import { type Conditions, type Findings, decideConditions } from './conditions.ts';
import type { Leftover } from './content.ts';

const NOW = '2026-01-01T00:01:00Z';
const BEFORE = '2026-01-01T00:00:00Z';
const FINE: Findings = { undiscovered: new Map(), failures: [], leftovers: [] };

function leftover(resource: string, group: string, count: number, finalizers: Record<string, number> = {}): Leftover {
  const discovered: DiscoveredResource = {
    group,
    version: 'v1',
    resource,
    kind: resource,
    namespaced: true,
    preferred: true,
    verbs: [],
  };
  return { resource: discovered, count, finalizers: new Map(Object.entries(finalizers)), estimate: 15 };
}

function told(findings: Partial<Findings>): string[] {
  const conditions = decideConditions([], { ...FINE, ...findings }, NOW) ?? [];
  return conditions
    .filter(({ status }) => status === 'True')
    .map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
}

describe('conditions', () => {
  test('all of them, in order, where all is fine', () => {
    const conditions = decideConditions([], FINE, NOW);
    expect(conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`)).toEqual([
      'NamespaceDeletionDiscoveryFailure=False ResourcesDiscovered',
      'NamespaceDeletionGroupVersionParsingFailure=False ParsedGroupVersions',
      'NamespaceDeletionContentFailure=False ContentDeleted',
      'NamespaceContentRemaining=False ContentRemoved',
      'NamespaceFinalizersRemaining=False ContentHasNoFinalizers',
    ]);
    expect(decideConditions(conditions!, FINE, '2026-01-01T00:02:00Z')).toBeUndefined();
  });

  test.each<[string, Partial<Findings>, string[]]>([
    [
      'groups that could not be discovered',
      {
        undiscovered: new Map([
          ['b/v1', new Error('late')],
          ['a/v1', new Error('the server is currently unable to handle the request')],
        ]),
      },
      [
        'NamespaceDeletionDiscoveryFailure DiscoveryFailed: Discovery failed for some groups, 2 failing: unable to retrieve the complete list of server APIs: a/v1: the server is currently unable to handle the request, b/v1: late',
      ],
    ],
    [
      'nothing discovered at all',
      { discoveryError: new Error('connection refused') },
      ['NamespaceDeletionDiscoveryFailure DiscoveryFailed: connection refused'],
    ],
    [
      'a group version that cannot be read',
      { unreadable: 'unexpected GroupVersion string: a/b/c' },
      ['NamespaceDeletionGroupVersionParsingFailure GroupVersionParsingFailed: unexpected GroupVersion string: a/b/c'],
    ],
    [
      'deletions that failed',
      { failures: ['z', 'a'] },
      ['NamespaceDeletionContentFailure ContentDeletionFailed: Failed to delete all resource types, 2 remaining: a, z'],
    ],
    [
      'what remains',
      {
        leftovers: [
          leftover('pods', '', 2),
          leftover('deployments', 'apps', 1, { 'a/b': 1 }),
          leftover('configmaps', '', 3, { 'a/b': 2, 'c/d': 1 }),
        ],
      },
      [
        'NamespaceContentRemaining SomeResourcesRemain: Some resources are remaining: configmaps. has 3 resource instances, deployments.apps has 1 resource instances, pods. has 2 resource instances',
        'NamespaceFinalizersRemaining SomeFinalizersRemain: Some content in the namespace has finalizers remaining: a/b in 3 resource instances, c/d in 1 resource instances',
      ],
    ],
    ['nothing of what remains while Pods are waited for', { leftovers: undefined }, []],
  ])('%s', (_, findings, expected) => expect(told(findings)).toEqual(expected));

  test('keep what others wrote, and their time while the status stays', () => {
    const before: Conditions = [
      { type: 'Odd', status: 'True', reason: 'Foreign' },
      {
        type: 'NamespaceContentRemaining',
        status: 'True',
        reason: 'SomeResourcesRemain',
        message: 'old',
        lastTransitionTime: BEFORE,
      },
      {
        type: 'NamespaceFinalizersRemaining',
        status: 'True',
        reason: 'SomeFinalizersRemain',
        message: 'old',
        lastTransitionTime: BEFORE,
      },
    ];
    const after = decideConditions(before, { ...FINE, leftovers: [leftover('pods', '', 1)] }, NOW)!;
    expect(after.slice(0, 3)).toEqual([
      before[0],
      { ...before[1], message: 'Some resources are remaining: pods. has 1 resource instances' },
      {
        type: 'NamespaceFinalizersRemaining',
        status: 'False',
        reason: 'ContentHasNoFinalizers',
        message: 'All content-preserving finalizers finished',
        lastTransitionTime: NOW,
      },
    ]);
  });
});
