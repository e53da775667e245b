import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Script } from 'node:vm';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../cmd/kube-controller-manager/node-flags.ts';
import { bundleInto } from '../bench/bundle.ts';

describe('the bundle', () => {
  let folder: string;
  const read = (name: string): string => readFileSync(join(folder, name), 'latin1');

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'bundle-'));
    bundleInto(folder);
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('loads for its first request nothing that this does not need', () => {
    const { sources } = JSON.parse(read('main.js.map')) as { sources: string[] };
    const LATE =
      /controllers\/[^/]+\/(?!controller\.ts)|pkg\/(?:cache\/reflector|controller\/loop|manager\/serving\/tls-server)|node_modules\/(?:undici|p-queue|thread-stream|@kubernetes)/;
    expect(sources.length).toBeGreaterThan(50);
    expect(
      sources.filter((source) => LATE.test(source) && !source.includes('controllers/internal/replicas/reads.ts')),
    ).toEqual([]);
    // Each costs from 1 to 10 ms; a new one wants to be imported where it is used.
    const [head] = read('main.js').split('\n//', 1);
    const modules = [...head!.matchAll(/require\("(node:[^"]+)"\)/g)].map((match) => match[1]!.slice('node:'.length));
    expect(modules.toSorted()).toEqual([
      'child_process',
      'crypto',
      'events',
      'fs',
      'fs/promises',
      'net',
      'os',
      'path',
      'process',
      'stream',
      'tls',
      'util',
    ]);
  });

  test('requires what is in it or in Node', () => {
    // Whoever asks for these does without when there are none.
    const optional = ['supports-color', 'bufferutil', 'utf-8-validate'];
    const files = globSync('**/*.js', { cwd: folder });
    expect(files).toContain('main.js');
    const missing = files.flatMap((file) =>
      [...read(file).matchAll(/\brequire\("([^"]+)"\)/g)]
        .map(([, name]) => name!)
        .filter(
          (name) =>
            !(name.startsWith('.')
              ? existsSync(join(folder, file, '..', name))
              : isBuiltin(name) || optional.includes(name)),
        )
        .map((name) => `${file} requires ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test('has compiled code of everything that a leader runs, which this Node takes', () => {
    const files = globSync('**/*.js.cache', { cwd: folder }).map((file) => file.slice(0, -'.cache'.length));
    expect(files).toEqual(
      expect.arrayContaining(['main.js', 'chunks/lead.js', 'chunks/serve.js', 'chunks/deployment.js']),
    );
    const refused = files.filter((file) => {
      const script = new Script(read(file), {
        filename: join(folder, file),
        cachedData: readFileSync(join(folder, `${file}.cache`)),
      });
      return script.cachedDataRejected;
    });
    expect(refused).toEqual([]);
  });

  test('is run with the same flags wherever it is', () => {
    expect(read('kube-controller-manager.js').split('\n', 1)[0]).toBe(`#!/usr/bin/env -S node ${NODE_FLAGS.join(' ')}`);
    const image = readFileSync(join(import.meta.dirname, '../../deploy/Dockerfile'), 'utf8');
    expect(image).toContain(
      `ENTRYPOINT ${JSON.stringify(['/usr/local/bin/node', ...NODE_FLAGS, '/app/kube-controller-manager.js']).replaceAll(',', ', ')}`,
    );
    for (const [name, value] of Object.entries(NODE_ENVIRONMENT)) expect(image).toContain(`ENV ${name}=${value}\n`);
    // Compiled code that was kept without them is good with them.
    const script =
      'const s = new (require("node:vm").Script)(require("node:fs").readFileSync(process.argv[1], "latin1"), { filename: process.argv[1], cachedData: require("node:fs").readFileSync(process.argv[1] + ".cache") }); console.log(s.cachedDataRejected)';
    expect(
      execFileSync(process.execPath, [...NODE_FLAGS, '-e', script, join(folder, 'main.js')], { encoding: 'utf8' }),
    ).toBe('false\n');
  });

  const version = (at: string): string =>
    execFileSync(process.execPath, [join(at, 'kube-controller-manager.js'), '--version'], { encoding: 'utf8' });

  test.each<[string, (cache: string) => void]>([
    ['as built', () => {}],
    ['without compiled code', (cache) => rmSync(cache)],
    ['with compiled code of another version', (cache) => writeFileSync(cache, readFileSync(cache).fill(7, 4, 8))],
    ['with half of the compiled code', (cache) => writeFileSync(cache, readFileSync(cache).subarray(0, 100_000))],
    ['with an empty file for compiled code', (cache) => writeFileSync(cache, '')],
  ])('runs %s', (_name, change) => {
    const copy = mkdtempSync(join(tmpdir(), 'bundle-copy-'));
    try {
      cpSync(folder, copy, { recursive: true });
      change(join(copy, 'main.js.cache'));
      expect(version(copy)).toMatch(/^Kubernetes v1\.36\.\d+\n$/);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});
