import { describe, expect, test } from 'vitest';

import { type ControllerDefinition, defineController } from '#pkg/controller';

import type { KnownController } from './known-controllers.ts';
import { createRegistry } from './registry.ts';
import { type Verdict, isControllerEnabled, judge, resolveAliases } from './selection.ts';

const KNOWN: readonly KnownController[] = [
  { name: 'on-controller', aliases: ['on'] },
  { name: 'off-controller', aliases: ['off'], offByDefault: true },
  { name: 'gated-controller', gates: ['Gate'] },
  { name: 'cloud-controller', cloudProvider: true },
  { name: 'absent-controller' },
  { name: 'token-controller', first: true },
];

function define(name: string, more: Partial<ControllerDefinition> = {}): ControllerDefinition {
  return defineController({ name, rbac: [], create: () => ({ name, run: () => Promise.resolve() }), ...more });
}

const DEFINED = [
  define('on-controller', { aliases: ['on'] }),
  define('off-controller', { aliases: ['off'], enabledByDefault: false }),
  define('gated-controller', { requiredFeatureGates: ['Gate'] }),
  define('token-controller'),
];

describe('the registry', () => {
  const registry = createRegistry(DEFINED, KNOWN);

  test('knows names, aliases and what is off by default', () => {
    expect(registry.names).toEqual([
      'absent-controller',
      'cloud-controller',
      'gated-controller',
      'off-controller',
      'on-controller',
      'token-controller',
    ]);
    expect(registry.offByDefault).toEqual(['off-controller']);
    expect([
      registry.canonicalName('on'),
      registry.canonicalName('on-controller'),
      registry.canonicalName('no'),
    ]).toEqual(['on-controller', 'on-controller', undefined]);
  });

  test('builds first what others need', () => {
    expect(registry.entries[0]?.name).toBe('token-controller');
  });

  test.each<[string, readonly ControllerDefinition[]]>([
    ['controller name "on-controller" was registered twice', [DEFINED[0]!, DEFINED[0]!]],
    ['controller "new-controller" has the alias "on", which is taken', [define('new-controller', { aliases: ['on'] })]],
    [
      'controller "new-controller" has the alias "absent-controller", which is taken',
      [define('new-controller', { aliases: ['absent-controller'] })],
    ],
    ['controller "on-controller" has other aliases than upstream: ', [define('on-controller')]],
    [
      'controller "absent-controller" has other default than upstream: false',
      [define('absent-controller', { enabledByDefault: false })],
    ],
  ])('refuses: %s', (message, definitions) => {
    expect(() => createRegistry(definitions, KNOWN)).toThrow(message);
  });
});

describe('--controllers', () => {
  test.each<[string[], boolean, boolean]>([
    [['*'], true, false],
    [['*', 'off-controller'], true, true],
    [['off-controller', '*'], true, true],
    [['*', '-on-controller'], false, false],
    [['-on-controller', '*'], false, false],
    [['off-controller'], false, true],
    [['on-controller', '-on-controller'], true, false],
    [['-on-controller', 'on-controller'], false, false],
    [[], false, false],
    [['-off-controller', '*'], true, false],
  ])('%j runs one on by default: %s, one off: %s', (selectors, on, off) => {
    expect(isControllerEnabled({ name: 'on-controller' }, selectors)).toBe(on);
    expect(isControllerEnabled({ name: 'off-controller', offByDefault: true }, selectors)).toBe(off);
  });

  test('aliases stand for names, unknown names for themselves', () => {
    expect(resolveAliases(createRegistry(DEFINED, KNOWN), ['*', 'on', '-off', 'unknown'])).toEqual([
      '*',
      'on-controller',
      '-off-controller',
      'unknown',
    ]);
  });

  test.each<[string, string[], boolean, Verdict]>([
    ['on-controller', ['*'], true, 'run'],
    ['on-controller', ['-on-controller'], true, 'disabled'],
    ['gated-controller', ['*'], true, 'run'],
    ['gated-controller', ['*'], false, 'gated'],
    ['gated-controller', [], false, 'disabled'],
    ['cloud-controller', ['*'], true, 'cloud-provider'],
    ['absent-controller', ['*'], true, 'not-available'],
    ['token-controller', [], true, 'run'],
  ])('%s with %j, gate %s: %s', (name, selectors, gate, verdict) => {
    const entry = createRegistry(DEFINED, KNOWN).entries.find((candidate) => candidate.name === name)!;
    expect(judge(entry, selectors, () => gate)).toBe(verdict);
  });
});
