import { describe, expect, test } from 'vitest';

import type { Node, PodSpec } from '#pkg/api';

import { compileNodeAffinity } from './node-affinity.ts';
import { type Taint, type Toleration, tolerates, untolerated } from './tolerations.ts';

const node = (name: string, labels: Record<string, string> = {}): Node => ({
  metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', labels },
});

describe('node affinity', () => {
  type Term = Record<string, readonly { key: string; operator: string; values?: string[] }[]>;
  const terms = (...nodeSelectorTerms: Term[]): Pick<PodSpec, 'affinity'> => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  });
  const expression = (key: string, operator: string, ...values: string[]): Term => ({
    matchExpressions: [{ key, operator, values }],
  });

  test.each<[string, Pick<PodSpec, 'nodeSelector' | 'affinity'>, boolean]>([
    ['nothing asked', {}, true],
    ['selector', { nodeSelector: { zone: 'a' } }, true],
    ['another value', { nodeSelector: { zone: 'b' } }, false],
    ['a label that is not there', { nodeSelector: { disk: 'ssd' } }, false],
    ['In', terms(expression('zone', 'In', 'a', 'b')), true],
    ['NotIn, without the label', terms(expression('disk', 'NotIn', 'ssd')), true],
    ['NotIn', terms(expression('zone', 'NotIn', 'a')), false],
    ['Exists', terms(expression('zone', 'Exists')), true],
    ['DoesNotExist', terms(expression('zone', 'DoesNotExist')), false],
    ['Gt', terms(expression('cores', 'Gt', '7')), true],
    ['Gt is above', terms(expression('cores', 'Gt', '8')), false],
    ['Lt', terms(expression('cores', 'Lt', '10')), true],
    ['Lt without a number', terms(expression('zone', 'Lt', '10')), false],
    ['the name', terms({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n1'] }] }), true],
    ['another name', terms({ matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['n1'] }] }), false],
    ['another field', terms({ matchFields: [{ key: 'spec.unschedulable', operator: 'In', values: ['true'] }] }), false],
    [
      'all of a term',
      terms({
        ...expression('zone', 'In', 'a'),
        matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n2'] }],
      }),
      false,
    ],
    ['one of the terms', terms(expression('zone', 'In', 'x'), expression('zone', 'In', 'a')), true],
    ['no terms', terms(), false],
    ['an empty term', terms({}), false],
    ['a term that cannot be read', terms(expression('zone', 'Near', 'a')), false],
    ['selector and terms', { nodeSelector: { zone: 'b' }, ...terms(expression('zone', 'In', 'a')) }, false],
  ])('%s', (_, spec, expected) => {
    expect(compileNodeAffinity(spec)(node('n1', { zone: 'a', cores: '8' }))).toBe(expected);
  });
});

describe('tolerations', () => {
  const taint: Taint = { key: 'gpu', value: '5', effect: 'NoSchedule' };
  test.each<[Toleration, boolean, boolean]>([
    [{}, false, false],
    [{ operator: 'Exists' }, true, true],
    [{ key: 'gpu', value: '5' }, true, true],
    [{ key: 'gpu', operator: 'Equal', value: '6' }, false, false],
    [{ key: 'gpu', operator: 'Exists', effect: 'NoExecute' }, false, false],
    [{ key: 'cpu', operator: 'Exists' }, false, false],
    [{ key: 'gpu', operator: 'Gt', value: '4' }, false, true],
    [{ key: 'gpu', operator: 'Lt', value: '5' }, false, false],
    [{ key: 'gpu', operator: 'Lt', value: '06' }, false, false],
    [{ key: 'gpu', operator: 'Like', value: '5' }, false, false],
  ])('%j: %s, with comparisons %s', (toleration, plain, comparing) => {
    expect([tolerates(toleration, taint), tolerates(toleration, taint, { comparison: true })]).toEqual([
      plain,
      comparing,
    ]);
  });

  test('the first that counts and is not covered', () => {
    const taints: Taint[] = [
      { key: 'a', effect: 'PreferNoSchedule' },
      { key: 'b', effect: 'NoSchedule' },
      { key: 'c', effect: 'NoExecute' },
    ];
    const hard = ({ effect }: Taint): boolean => effect !== 'PreferNoSchedule';
    expect(untolerated(taints, [{ key: 'b', operator: 'Exists' }], hard)?.key).toBe('c');
    expect(untolerated(taints, [{ operator: 'Exists' }], hard)).toBeUndefined();
    expect(untolerated(undefined, [], hard)).toBeUndefined();
  });
});
