import { describe, expect, test } from 'vitest';

import { SelectorError, compileLabels, compileSelector, everything, nothing, parseSelector } from './selectors.ts';

const WEB = { app: 'web', tier: 'front', weight: '5' };

describe('parseSelector', () => {
  test.each([
    ['', WEB, true],
    ['app=web', WEB, true],
    ['app==web,tier!=back', WEB, true],
    ['app=db', WEB, false],
    ['app!=web', WEB, false],
    ['missing!=x', WEB, true],
    ['app in (db, web)', WEB, true],
    ['app notin (db,web)', WEB, false],
    ['missing notin (a)', WEB, true],
    ['app', WEB, true],
    ['!app', WEB, false],
    ['!missing', WEB, true],
    ['weight>4', WEB, true],
    ['weight<5', WEB, false],
    ['app>1', WEB, false],
    ['example.com/role=', { 'example.com/role': '' }, true],
    ['a in (b,c),d', { a: 'c', d: '' }, true],
    ['constructor', WEB, false],
    ['!toString', WEB, true],
    ['valueOf!=x', WEB, true],
    ['hasOwnProperty notin (x)', undefined, true],
    ['constructor', { constructor: '' }, true],
    ['toString=x', { toString: 'x' }, true],
  ])('%j on %j is %s', (text, labels, expected) => {
    expect(parseSelector(text).matches(labels)).toBe(expected);
  });

  test.each(['app=web=x', 'app in web', 'in (a)', 'weight>x', ',', 'a,,b', 'app in ()x'])('refuses %j', (text) => {
    expect(() => parseSelector(text)).toThrow(SelectorError);
  });

  test('prints itself sorted by key, in a form that parses to the same', () => {
    const selector = parseSelector('tier in (b,a),app=web,!x');
    expect(selector.toString()).toBe('app=web,tier in (a,b),!x');
    expect(parseSelector(selector.toString()).toString()).toBe(selector.toString());
  });
});

describe('compileSelector', () => {
  test('a missing selector matches nothing, an empty one everything', () => {
    expect(compileSelector(undefined)).toBe(nothing);
    expect(nothing.matches(WEB)).toBe(false);
    expect(compileSelector({}).everything).toBe(true);
    expect(everything.matches(undefined)).toBe(true);
  });

  test('all parts must match', () => {
    const selector = compileSelector({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['front', 'back'] },
        { key: 'gone', operator: 'DoesNotExist' },
      ],
    });
    expect(selector.matches(WEB)).toBe(true);
    expect(selector.matches({ app: 'web' })).toBe(false);
    expect(selector.toString()).toBe('app=web,!gone,tier in (back,front)');
  });

  test('an operator that is not known is refused by name', () => {
    expect(() => compileSelector({ matchExpressions: [{ key: 'a', operator: 'Near' }] })).toThrow(/"Near"/);
  });

  test('an empty set of values is refused', () => {
    expect(() => compileSelector({ matchExpressions: [{ key: 'a', operator: 'In', values: [] }] })).toThrow(
      SelectorError,
    );
  });
});

test('plain labels must all be there', () => {
  expect(compileLabels({ app: 'web' }).matches(WEB)).toBe(true);
  expect(compileLabels({ app: 'web', x: 'y' }).matches(WEB)).toBe(false);
});
