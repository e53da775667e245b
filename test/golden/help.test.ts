import { execFileSync } from 'node:child_process';

import { describe, expect, test } from 'vitest';

import { originalManager } from '../harness/control-plane.ts';
import { goldenTable } from './golden-table.ts';

const original = originalManager();
const why = original ? '' : ' (no kube-controller-manager in KUBEBUILDER_ASSETS: skipped)';

/** What builds of vendors add. */
const VENDORS: ReadonlySet<string> = new Set([
  'MinimumKubeletVersion',
  'RouteExternalCertificate',
  'StoragePerformantSecurityPolicy',
  'service-ca-certificate-publisher-controller',
  'unsupported-kube-api-over-localhost',
]);

describe.skipIf(!original)(`the tables and the original's --help${why}`, () => {
  const help = original ? execFileSync(original, ['--help'], { encoding: 'utf8' }) : '';

  test('have the same gates, stages and defaults', () => {
    const theirs = [...help.matchAll(/kube:(\w+)=true\|false \((\w+) - default=(\w+)\)/g)].map((found) =>
      found.slice(1, 4).join(' '),
    );
    const ours = goldenTable('feature-gates.tsv').map((row) => Object.values(row).slice(0, 3).join(' '));
    expect(theirs.filter((row) => !VENDORS.has(row.split(' ', 1)[0]!)).toSorted()).toEqual(
      ours.filter((row) => / (?:ALPHA|BETA) /.test(row)).toSorted(),
    );
  });

  test('have the same controllers', () => {
    const all = /All controllers: (.*)/.exec(help)![1]!.split(', ');
    const off = /Disabled-by-default controllers: (.*) \(default/.exec(help)![1]!.split(', ');
    const ours = goldenTable('controllers.tsv');
    expect(all.filter((name) => !VENDORS.has(name))).toEqual(ours.map((row) => row['name']!).toSorted());
    expect(off).toEqual(ours.filter((row) => row['on_by_default'] === 'no').map((row) => row['name']));
  });

  test('have the same flags, of the same types, with the same defaults', () => {
    const lines = help.split('\n').filter((line) => /^ {2}(?: {4}|-\w, )--/.test(line));
    const theirs = lines.map((line) => {
      const [, name = '', type = 'bool', text = ''] = /--([\w-]+)(?:\[=true\])?(?: (\S+))?(?: {2,}(.*))?$/.exec(line)!;
      return { name, type, preset: / \(default (.*)\)$/.exec(text)?.[1] };
    });
    const ours = new Map(goldenTable('flags.tsv').map((row) => [row['flag']!.slice(2), row]));
    const known = theirs.filter(({ name }) => !VENDORS.has(name));
    expect(known.map(({ name }) => name).toSorted()).toEqual([...ours.keys()].toSorted());
    const differing = known.filter(({ name, type, preset }) => {
      const row = ours.get(name)!;
      return (
        (row['type'] !== type && !row['type']!.includes('=')) || (preset !== undefined && row['default'] !== preset)
      );
    });
    expect(differing).toEqual([]);
  });
});
