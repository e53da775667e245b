import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import { FeatureGates, describeGates } from './feature-gates.ts';
import type { GateTable } from './gate-table.ts';
import { GATES } from './gates.ts';
import { parseVersion } from './version.ts';

const TABLE: GateTable = {
  AllAlpha: { stages: ['0.0 alpha off'] },
  AllBeta: { stages: ['0.0 beta off'] },
  Young: { stages: ['1.36 alpha off'] },
  Grown: { stages: ['1.34 alpha off', '1.36 beta on'] },
  Settled: { stages: ['1.33 beta on', '1.35 ga on locked'] },
  Fading: { stages: ['1.33 deprecated off'] },
  Leaning: { stages: ['1.34 alpha off'], needs: ['Grown'] },
};

function gates(values: Record<string, boolean> = {}, emulated = '1.36'): FeatureGates {
  return new FeatureGates({ values, emulated: parseVersion(emulated), table: TABLE });
}

describe('values', () => {
  test.each<[string, Record<string, boolean>, string, string, boolean]>([
    ['default', {}, '1.36', 'Grown', true],
    ['default of the emulated version', {}, '1.35', 'Grown', false],
    ['explicit', { Grown: false }, '1.36', 'Grown', false],
    ['AllAlpha', { AllAlpha: true }, '1.36', 'Young', true],
    ['AllAlpha leaves what is set', { AllAlpha: true, Young: false }, '1.36', 'Young', false],
    ['AllBeta off', { AllBeta: false, AllAlpha: false }, '1.36', 'Grown', false],
    ['locked to its own default', { Settled: true }, '1.36', 'Settled', true],
    ['not locked yet', { Settled: false }, '1.34', 'Settled', false],
  ])('%s', (_name, values, emulated, gate, expected) => {
    expect(gates(values, emulated).enabled(gate)).toBe(expected);
  });

  test.each<[Record<string, boolean>, string, string]>([
    [{ NoSuch: true }, '1.36', 'unrecognized feature gate: NoSuch'],
    [{ Settled: false }, '1.36', 'cannot set feature gate Settled to false, feature is locked to true'],
    [
      { Young: true },
      '1.35',
      'cannot set feature gate Young to true, feature is PreAlpha at emulated version 1.35, min compatibility version 1.34',
    ],
    [{ Leaning: true, Grown: false }, '1.36', 'Leaning is enabled, but depends on features that are disabled: [Grown]'],
    [{ A: true, B: true }, '1.36', '[unrecognized feature gate: A, unrecognized feature gate: B]'],
  ])('%o at %s is refused', (values, emulated, message) => {
    expect(() => gates(values, emulated)).toThrow(message);
  });

  test('says what needs no setting any more', () => {
    expect(gates({ Settled: true, Fading: true, Grown: true }).warnings).toEqual([
      'Setting GA feature gate Settled=true. It will be removed in a future release.',
      'Setting deprecated feature gate Fading=true. It will be removed in a future release.',
    ]);
  });

  test('an unknown name is a slip of the caller', () => {
    expect(() => gates().enabled('Grwon')).toThrow('feature "Grwon" is not registered');
  });
});

describe('the table', () => {
  test('has the alpha and beta gates of the reference, no more and no fewer', () => {
    const rows = readFileSync(`${import.meta.dirname}/../../test/golden/feature-gates.tsv`, 'utf8')
      .trim()
      .split('\n')
      .slice(1);
    const expected = rows
      .map((row) => row.split('\t'))
      .map(([name, stage, value]) => `kube:${name}=true|false (${stage} - default=${value})`);
    expect(describeGates()).toEqual(expected);
  });

  test('names only gates it has as dependencies, and its defaults agree with them', () => {
    for (const facts of Object.values(GATES)) for (const need of facts.needs ?? []) expect(GATES).toHaveProperty(need);
    for (const version of ['1.33', '1.34', '1.35', '1.36'])
      expect(() => new FeatureGates({ emulated: parseVersion(version), table: GATES })).not.toThrow();
  });
});

describe('versions', () => {
  test.each(['1.36', 'v1.36.2', ' 1.0 '])('%j is one', (text) => expect(parseVersion(text).major).toBe(1));
  test.each(['', 'foo', '1', '1.x', '01.2', '1.36.2.1'])('%j is none', (text) => {
    expect(() => parseVersion(text)).toThrow(`could not parse "${text}" as version`);
  });
});
