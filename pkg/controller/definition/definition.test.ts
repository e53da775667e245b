import { expect, test } from 'vitest';

import { ApiError, type ConfigMap } from '#pkg/api';

import { defineController, identityOf } from './definition.ts';
import { aggregate, isOnlyConflicts } from '../errors.ts';
import { hasFinalizer, removeFinalizerPatch, withFinalizer, withoutFinalizer } from '../objects/finalizers.ts';

test('a definition has defaults, and the values of its flags by name and type', () => {
  const definition = defineController({
    name: 'label-controller',
    flags: [
      { name: 'concurrent-label-syncs', type: 'int32', default: 5, help: 'how many at a time' },
      { name: 'label-names', type: 'strings', default: [], help: 'which' },
    ],
    rbac: [],
    create({ name, options }) {
      const workers: number = options['concurrent-label-syncs'];
      const names: readonly string[] = options['label-names'];
      return { name: `${name}/${workers}/${names.length}`, run: async () => {} };
    },
  });
  expect(definition).toMatchObject({ aliases: [], requiredFeatureGates: [], enabledByDefault: true });
  expect(identityOf(definition)).toEqual({ serviceAccount: 'label-controller', eventSource: 'label-controller' });
  expect(identityOf({ name: 'a', serviceAccount: 'b' })).toEqual({ serviceAccount: 'b', eventSource: 'b' });
  expect(identityOf({ name: 'a', eventSource: 'c' })).toEqual({ serviceAccount: 'a', eventSource: 'c' });
});

test('several errors become one that has them all', () => {
  const conflict = new ApiError({ code: 409, reason: 'Conflict', message: 'changed' });
  const other = new Error('other');
  expect(aggregate([])).toBeUndefined();
  expect(aggregate([other])).toBe(other);
  expect(aggregate([conflict, other])).toMatchObject({
    code: 'Several',
    message: '[changed, other]',
    data: { errors: [conflict, other] },
  });
  expect(aggregate([other, new Error('other')])).toMatchObject({ message: 'other' });
  expect(isOnlyConflicts(aggregate([conflict, conflict]))).toBe(true);
  expect(isOnlyConflicts(aggregate([conflict, other]))).toBe(false);
});

test('finalizers are put on and taken off without touching the object', () => {
  const map: ConfigMap = {
    metadata: { name: 'a', uid: 'u', resourceVersion: '1', creationTimestamp: '', finalizers: ['x'] },
  };
  expect(withFinalizer(map, 'x')).toBe(map);
  expect(withFinalizer(map, 'y').metadata.finalizers).toEqual(['x', 'y']);
  expect(withoutFinalizer(map, 'y')).toBe(map);
  expect(withoutFinalizer(map, 'x').metadata.finalizers).toEqual([]);
  expect(hasFinalizer(map, 'x')).toBe(true);
  expect(removeFinalizerPatch(map, 'x')).toEqual({
    metadata: { uid: 'u', '$deleteFromPrimitiveList/finalizers': ['x'] },
  });
});
