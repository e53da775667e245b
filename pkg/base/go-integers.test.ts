import { describe, expect, test } from 'vitest';

import { parseGoInteger, parseInt32, parseNatural32 } from './go-integers.ts';

describe('integers as Go reads them', () => {
  test.each([
    ['0', 0n],
    ['-0', 0n],
    ['+5', 5n],
    ['007', 7n],
    ['9007199254740993', 9007199254740993n],
    ['9223372036854775807', 9223372036854775807n],
    ['-9223372036854775808', -9223372036854775808n],
    ['9223372036854775808', undefined],
    ['-9223372036854775809', undefined],
    ['', undefined],
    ['+', undefined],
    [' 5', undefined],
    ['5 ', undefined],
    ['5_0', undefined],
    ['0x5', undefined],
    ['5n', undefined],
    ['1e3', undefined],
    ['5.0', undefined],
    ['٥', undefined],
    [undefined, undefined],
  ])('%j is %s', (text, expected) => {
    expect(parseGoInteger(text, 64)).toBe(expected);
  });

  test.each([
    ['2147483647', 2147483647, 2147483647],
    ['2147483648', undefined, undefined],
    ['-2147483648', -2147483648, undefined],
    ['-2147483649', undefined, undefined],
    ['+1', 1, undefined],
    ['-0', 0, undefined],
    ['01', 1, 1],
  ])('%j is %s in 32 bits, and %s without a sign', (text, signed, natural) => {
    expect(parseInt32(text) === 0 ? 0 : parseInt32(text)).toBe(signed);
    expect(parseNatural32(text)).toBe(natural);
  });
});
