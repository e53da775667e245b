import { describe, expect, test } from 'vitest';

import { compareResourceVersions, hasReached } from './resource-version.ts';

describe('compareResourceVersions', () => {
  test.each([
    ['1', '1', 0],
    ['9', '10', -1],
    ['10', '9', 1],
    ['123', '124', -1],
    ['18446744073709551616', '18446744073709551615', 1],
    ['99999999999999999999999999999', '100000000000000000000000000000', -1],
  ])('%s against %s', (a, b, sign) => {
    expect(Math.sign(compareResourceVersions(a, b)!)).toBe(sign);
  });

  test.each([
    ['', '1'],
    ['1', '0'],
    ['01', '1'],
    ['1', 'abc'],
    ['-1', '1'],
    ['1 ', '1'],
  ])('"%s" and "%s" cannot be compared', (a, b) => {
    expect(compareResourceVersions(a, b)).toBeUndefined();
  });
});

test.each([
  ['', '5', false],
  ['4', '5', false],
  ['5', '5', true],
  ['6', '5', true],
  ['6', 'opaque', true],
])('a cache at "%s" has reached "%s": %s', (read, written, expected) => {
  expect(hasReached(read, written)).toBe(expected);
});
