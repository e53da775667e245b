import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

import {
  KNOWN_CONTROLLERS,
  completeOptions,
  componentConfig,
  createRegistry,
  flagSections,
  formatDefault,
  readCommandLine,
} from '#pkg/manager';

import { pendingFlags } from '../../controllers/pending-flags.ts';
import { controllerDefinitions } from '../../controllers/registry.ts';
import { goldenTable } from './golden-table.ts';

const registry = createRegistry(controllerDefinitions);
const sections = flagSections(registry, pendingFlags);

/** Set where the facts were read: the flags behind what `configz.json` shows beside defaults. */
const AS_READ = [
  '--kubeconfig=kcm.kubeconfig',
  '--use-service-account-credentials',
  '--cluster-signing-cert-file=ca.crt',
  '--cluster-signing-key-file=ca.key',
  '--service-account-private-key-file=sa.key',
  '--root-ca-file=ca.crt',
  '--controllers=*,bootstrap-signer-controller,token-cleaner-controller,selinux-warning-controller',
];

/** Flags that upstream does not have. */
const OURS: ReadonlySet<string> = new Set(['run-beside-other-manager']);

describe('flags', () => {
  const ours = sections.flatMap(({ name, flags }) =>
    flags.filter((flag) => !flag.deprecated && !OURS.has(flag.name)).map((flag) => ({ section: name, flag })),
  );
  const theirs = goldenTable('flags.tsv');

  test("are upstream's, each under its heading", () => {
    const named = (rows: readonly { section: string; name: string }[]): string[] =>
      rows.map(({ section, name }) => `${section}: ${name}`).toSorted();
    expect(named(ours.map(({ section, flag }) => ({ section, name: `--${flag.name}` })))).toEqual(
      named(theirs.map((row) => ({ section: row['section']!, name: row['flag']! }))),
    );
  });

  test("stand under headings in upstream's order", () => {
    const order = [...new Set(theirs.map((row) => row['section']))];
    expect(sections.map(({ name }) => name).filter((name) => order.includes(name))).toEqual(order);
  });

  test.each(theirs)("$flag has upstream's type and default", (row) => {
    const { flag } = ours.find((candidate) => `--${candidate.flag.name}` === row['flag'])!;
    expect(flag.type).toBe(row['type']);
    const shown = flag.type === 'string' ? JSON.stringify(formatDefault(flag)) : formatDefault(flag);
    const unset = ['""', 'false', '0', '0s', '[]', '', '<nil>'];
    expect(unset.includes(shown) ? '' : shown).toBe(unset.includes(row['default']!) ? '' : row['default']);
  });

  test('have a help text of their own', () => {
    expect(ours.filter(({ flag }) => flag.help === '')).toEqual([]);
  });
});

describe('controllers', () => {
  test("are upstream's, with their aliases, gates and defaults", () => {
    const theirs = goldenTable('controllers.tsv').map((row) => ({
      name: row['name'],
      aliases: row['aliases'],
      gates: row['required_feature_gates'],
      on: row['on_by_default'],
      cloud: row['cloud_provider'],
      first: row['started_first'],
    }));
    const ours = KNOWN_CONTROLLERS.map((controller) => ({
      name: controller.name,
      aliases: (controller.aliases ?? []).join(','),
      gates: (controller.gates ?? []).join(','),
      on: controller.offByDefault ? 'no' : 'yes',
      cloud: controller.cloudProvider ? 'yes' : '',
      first: controller.first ? 'yes' : '',
    }));
    expect(ours).toEqual(theirs);
  });

  test('that are here are among them, and their flags are pending no more', () => {
    expect(controllerDefinitions.filter(({ name }) => !registry.names.includes(name))).toEqual([]);
    expect(Object.keys(pendingFlags).filter((name) => !registry.names.includes(name))).toEqual([]);
  });
});

test("the configuration has upstream's shape and values", async () => {
  const request = readCommandLine(AS_READ, registry, pendingFlags, 80);
  if (request.kind !== 'run') throw new Error(request.kind);
  const golden: unknown = JSON.parse(readFileSync(`${import.meta.dirname}/configz.json`, 'utf8'));
  expect({ 'kubecontrollermanager.config.k8s.io': componentConfig(await completeOptions(request.line)) }).toEqual(
    golden,
  );
});
