import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { semanticEqual } from './equality.ts';
import { ExactInteger, exactInteger, parseJson, toBigInt } from './exact-json.ts';

describe('parseJson', () => {
  test.each([
    '9007199254740991',
    '9007199254740992',
    '9007199254740993',
    '-9007199254740993',
    '9223372036854775807',
    '-9223372036854775808',
    '9223372036854775808',
    '{"a":[1,{"b":9007199254740993}],"c":"9007199254740993","d":1.5}',
    '{"__proto__":9007199254740993,"constructor":-9007199254740993}',
  ])('%s is written back as it was', (text) => {
    expect(JSON.stringify(parseJson(text))).toBe(text);
  });

  test.each([
    ['1e30', 1e30],
    ['1.5', 1.5],
    ['1', 1],
  ])('%s is a double, as Go makes it', (text, expected) => {
    expect(parseJson(text)).toBe(expected);
  });

  test('finds a long number wherever it stands', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.nat(40), (before, integer, after) => {
        const text = `{"a":"${'x'.repeat(before)}","b":${integer},"c":"${'y'.repeat(after)}"}`;
        expect(JSON.stringify(parseJson(text))).toBe(text);
      }),
    );
  });

  test('refuses what is no JSON', () => {
    expect(() => parseJson('{"a":90071992547409931')).toThrow(SyntaxError);
  });
});

describe('an exact integer', () => {
  const exact = parseJson('9007199254740993') as number;

  test('counts and compares as the nearest number', () => {
    expect(exact * 1000).toBe(9007199254740992000);
    expect(exact > 5).toBe(true);
    expect(`${exact}`).toBe('9007199254740993');
  });

  test('equals itself and no other', () => {
    expect(semanticEqual(exact, parseJson('9007199254740993'))).toBe(true);
    expect(semanticEqual(exact, parseJson('9007199254740994'))).toBe(false);
    expect(semanticEqual(exact, 9007199254740992)).toBe(false);
    expect(semanticEqual(9007199254740992, exact)).toBe(false);
  });

  test.each([0n, -1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)])(
    'is made of %s only where it has to be',
    (value) => {
      const made = exactInteger(value);
      expect((made as unknown) instanceof ExactInteger).toBe(value > 2n ** 53n - 1n || value < -(2n ** 53n - 1n));
      expect(toBigInt(made)).toBe(value);
    },
  );

  test.each([1.5, '1', null, {}])('is not made of %j', (value) => {
    expect(toBigInt(value)).toBeUndefined();
  });
});
