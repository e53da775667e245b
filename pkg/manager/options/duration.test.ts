import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formatDuration, parseDuration } from './duration.ts';

describe('durations', () => {
  test.each<[string, number, string]>([
    ['12h', 43_200_000, '12h0m0s'],
    ['1h2m3.5s', 3_723_500, '1h2m3.5s'],
    ['-300ms', -300, '-300ms'],
    ['1.5us', 0.0015, '1.5µs'],
    ['100ns', 0.0001, '100ns'],
    ['0', 0, '0s'],
    ['90s', 90_000, '1m30s'],
    ['.5m', 30_000, '30s'],
    ['8760h', 31_536_000_000, '8760h0m0s'],
    ['+1s', 1000, '1s'],
  ])('%s', (text, milliseconds, printed) => {
    expect(parseDuration(text)).toBe(milliseconds);
    expect(formatDuration(milliseconds)).toBe(printed);
  });

  test.each(['', '-', 's', '1', '1x', '1.2.3s', '1s2', ' 1s', '9999999999h'])('%j is none', (text) => {
    expect(() => parseDuration(text)).toThrow(/^time: /);
  });

  test('what is printed reads back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), (micros) => {
        expect(parseDuration(formatDuration(micros / 1000))).toBe(micros / 1000);
      }),
    );
  });
});
