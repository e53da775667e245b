import { describe, expect, test } from 'vitest';

import type { KubeObject } from '#pkg/api';
import type { DiscoveredResource } from '#pkg/client';

import { contentOf, judgeLeftover } from './content.ts';

function offered(resource: string, more: Partial<DiscoveredResource> = {}): DiscoveredResource {
  return {
    group: '',
    version: 'v1',
    resource,
    kind: resource,
    namespaced: true,
    preferred: true,
    verbs: ['delete', 'deletecollection', 'list'],
    ...more,
  };
}

function object(metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return {
    metadata: {
      name: 'x',
      namespace: 'team',
      uid: '1',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
  };
}

describe('what is to be deleted', () => {
  const names = (resources: readonly DiscoveredResource[]): string[] =>
    contentOf({ resources, failed: new Map() }).others.map(({ resource }) => resource);

  test.each([
    ['what can be deleted', offered('secrets'), true],
    ['nothing that cannot be', offered('bindings', { verbs: ['create'] }), false],
    ['nothing outside of namespaces', offered('nodes', { namespaced: false }), false],
    ['nothing in a version that another is preferred to', offered('widgets', { preferred: false }), false],
    ['also what is not deleted in one go', offered('widgets', { verbs: ['delete', 'list'] }), true],
    ['nothing of a group version that cannot be read', offered('widgets', { group: 'a/b' }), false],
  ])('%s', (_, resource, included) => expect(names([resource])).toEqual(included ? [resource.resource] : []));

  test('Pods apart, and those of another group not', () => {
    const content = contentOf({
      resources: [offered('secrets'), offered('pods'), offered('pods', { group: 'metrics.k8s.io' })],
      failed: new Map(),
    });
    expect(content.pods).toMatchObject({ group: '', resource: 'pods' });
    expect(content.others.map(({ group, resource }) => `${resource}.${group}`)).toEqual([
      'secrets.',
      'pods.metrics.k8s.io',
    ]);
  });

  test('a group version that cannot be read is told', () => {
    expect(
      contentOf({ resources: [offered('x', { group: 'a/b', version: 'v1' })], failed: new Map() }).unreadable,
    ).toBe('unexpected GroupVersion string: a/b/v1');
  });
});

describe('what is left', () => {
  const pod = (deletionGracePeriodSeconds: number, finalizers: readonly string[] = []): KubeObject =>
    object({ deletionGracePeriodSeconds, finalizers });
  const problem = 'unexpected items still remain in namespace: team for gvr: /v1, Resource=pods';

  test.each([
    ['Pods within their time', 'pods', [pod(10), pod(30)], 5, { estimate: 30, count: 2 }],
    ['Pods whose time is over', 'pods', [pod(30)], 31, { estimate: 0, problem }],
    ['Pods whose time is over, held by finalizers', 'pods', [pod(30, ['a/b'])], 31, { estimate: 15 }],
    ['Pods that had no time', 'pods', [pod(0)], 5, { estimate: 0, problem }],
    [
      'others that are held by finalizers',
      'secrets',
      [object({ finalizers: ['a/b', 'c/d'] }), object({ finalizers: ['a/b'] })],
      5,
      {
        estimate: 15,
        finalizers: new Map([
          ['a/b', 2],
          ['c/d', 1],
        ]),
      },
    ],
    [
      'others that nothing holds',
      'secrets',
      [object()],
      5,
      { estimate: 0, problem: problem.replace('pods', 'secrets') },
    ],
  ])('%s', (_, resource, items, elapsed, expected) => {
    expect(judgeLeftover(offered(resource), 'team', items, elapsed)).toMatchObject(expected);
  });

  test('nothing', () => expect(judgeLeftover(offered('pods'), 'team', [], 0)).toBeUndefined());

  test('the resource is named as Go prints it', () => {
    const left = judgeLeftover(offered('deployments', { group: 'apps' }), 'team', [object()], 0);
    expect(left?.problem).toBe(
      'unexpected items still remain in namespace: team for gvr: apps/v1, Resource=deployments',
    );
  });
});
