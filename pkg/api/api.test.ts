import { describe, expect, test } from 'vitest';

import { ApiError, isApiError, isExpired, isNamespaceTerminating } from './errors.ts';
import { scaledValue } from './int-or-string.ts';
import { makeKey, splitKey } from './keys.ts';
import { isPodAvailable } from './pods.ts';
import { apiVersionOf, resourcePath, resources } from './resources.ts';
import type { Pod } from './types.ts';

test.each([
  ['default', 'web', 'default/web'],
  ['', 'node-1', 'node-1'],
  [undefined, 'node-1', 'node-1'],
])('the key of %j and %j is %j, and splits again', (namespace, name, key) => {
  expect(makeKey(namespace, name)).toBe(key);
  expect(splitKey(key)).toEqual({ namespace: namespace ?? '', name });
});

test.each([
  [resources.pods, undefined, undefined, undefined, '/api/v1/pods'],
  [resources.pods, 'a', 'b', 'status', '/api/v1/namespaces/a/pods/b/status'],
  [resources.nodes, 'ignored', 'n', undefined, '/api/v1/nodes/n'],
  [resources.deployments, 'a', undefined, undefined, '/apis/apps/v1/namespaces/a/deployments'],
])('paths: %#', (type, namespace, name, subresource, path) => {
  expect(resourcePath(type, namespace, name, subresource)).toBe(path);
});

test('api versions', () => {
  expect([apiVersionOf(resources.pods), apiVersionOf(resources.jobs)]).toEqual(['v1', 'batch/v1']);
});

describe('scaledValue', () => {
  test.each([
    [3, 10, 'up', 3],
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    ['0%', 10, 'up', 0],
    ['100%', 7, 'down', 7],
  ] as const)('%j of %d rounded %s is %d', (value, total, round, expected) => {
    expect(scaledValue(value, total, round)).toBe(expected);
  });

  test('a string without a percentage is refused and quoted', () => {
    expect(() => scaledValue('5', 10, 'up')).toThrow(/"5"/);
  });
});

describe('ApiError', () => {
  test('takes its code from the reason, and from the HTTP status where there is none', () => {
    expect(new ApiError({ reason: 'AlreadyExists', code: 409 }).code).toBe('AlreadyExists');
    expect(new ApiError({}, 404).code).toBe('NotFound');
    expect(new ApiError({ reason: 'SomethingNew' }, 418).code).toBe('Unknown');
  });

  test('says how long to wait, the header before the body', () => {
    const status = { code: 429, details: { retryAfterSeconds: 3 } };
    expect(new ApiError(status).data.retryAfter).toBe(3000);
    expect(new ApiError(status, 429, 500).data.retryAfter).toBe(500);
  });

  test('is told apart', () => {
    expect(isExpired(new ApiError({ reason: 'Expired', code: 410 }))).toBe(true);
    expect(isApiError(new Error('x'))).toBe(false);
    const terminating = { code: 403, reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } };
    expect(isNamespaceTerminating(new ApiError(terminating))).toBe(true);
    expect(isNamespaceTerminating(new ApiError({ code: 403, reason: 'Forbidden' }))).toBe(false);
  });
});

test.each([
  [0, 0, true],
  [10, 9_999, false],
  [10, 10_000, true],
])('ready since the epoch with minReadySeconds %d: available at %d ms is %s', (minReadySeconds, now, expected) => {
  const ready = { type: 'Ready', status: 'True', lastTransitionTime: '1970-01-01T00:00:00Z' };
  const pod = { metadata: {}, status: { conditions: [ready] } } as unknown as Pod;
  expect(isPodAvailable(pod, minReadySeconds, now)).toBe(expected);
});
