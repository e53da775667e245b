import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes the package.json of the built library: `node deploy/library-package.ts dist/library`. Every package of pkg/ is
 * an entry (`kube-controller-manager/cache`); what they import of each other resolves inside.
 */
const root = join(import.meta.dirname, '..');
const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: node deploy/library-package.ts FOLDER');

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: object;
  readonly dependencies: Readonly<Record<string, string>>;
}

const { name, version, description, license, engines, dependencies } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
) as Manifest;
const packages = readdirSync(join(folder, 'pkg')).toSorted();
const entries = (prefix: string): object =>
  Object.fromEntries(
    packages.map((entry) => [
      `${prefix}${entry}`,
      { types: `./pkg/${entry}/index.d.ts`, default: `./pkg/${entry}/index.js` },
    ]),
  );

writeFileSync(
  join(folder, 'package.json'),
  `${JSON.stringify({ name, version, description, license, type: 'module', engines, dependencies, imports: entries('#pkg/'), exports: entries('./') }, null, 2)}\n`,
);
