import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  countCommon,
  countIndexes,
  firstMissing,
  formatIntervals,
  hasIndex,
  intervalsOf,
  parseIntervals,
  union,
} from './intervals.ts';

const indexes = fc.uniqueArray(fc.nat(60));
const ascending = (all: Iterable<number>): number[] => [...all].toSorted((a, b) => a - b);
const expand = (text: string): number[] =>
  parseIntervals(text, Infinity).flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i),
  );

test.each([
  [[], ''],
  [[3], '3'],
  [[1, 2], '1,2'],
  [[0, 1, 2], '0-2'],
  [[7, 1, 3, 4, 5, 9], '1,3-5,7,9'],
])('%j is written %o', (list, text) => {
  expect(formatIntervals(intervalsOf(list))).toBe(text);
  expect(expand(text)).toEqual(ascending(list));
});

test.each([
  ['0-4,6', 3, '0-2'],
  ['0,2,4', 4, '0,2'],
  ['5-9', 5, ''],
  ['1,2,3', 9, '1-3'],
  ['x,1,2-y,4', 9, '1,4'],
  [undefined, 9, ''],
])('of %o, with %d completions, %o is read', (text, completions, read) => {
  expect(formatIntervals(parseIntervals(text, completions))).toBe(read);
});

describe('like sets of numbers', () => {
  test('union, members and sizes', () => {
    fc.assert(
      fc.property(indexes, indexes, fc.nat(70), (a, b, index) => {
        const both = union(intervalsOf(a), intervalsOf(b));
        const set = new Set([...a, ...b]);
        expect(expand(formatIntervals(both))).toEqual(ascending(set));
        expect(countIndexes(both)).toBe(set.size);
        expect(hasIndex(both, index)).toBe(set.has(index));
        expect(countCommon(intervalsOf(a), intervalsOf(b))).toBe(new Set(a).intersection(new Set(b)).size);
      }),
    );
  });

  test('what is missing', () => {
    fc.assert(
      fc.property(indexes, fc.nat(70), fc.nat(70), (taken, count, completions) => {
        const free = Array.from({ length: completions }, (_, i) => i).filter((i) => !taken.includes(i));
        expect(firstMissing(intervalsOf(taken), count, completions)).toEqual(free.slice(0, count));
      }),
    );
  });
});
