import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { describe, expect, test } from 'vitest';

import manifest from '../package.json' with { type: 'json' };

interface CheckNode {
  readonly OLDEST: string;
  readonly problemOf: (version: string, parseIsWrong: boolean) => string | undefined;
  readonly adviceFor: (platform: string, arch: string, isMusl: boolean) => string;
}

const script = join(import.meta.dirname, 'check-node.cjs');
const { OLDEST, adviceFor, problemOf } = createRequire(import.meta.url)('./check-node.cjs') as CheckNode;

describe('the check of Node', () => {
  test('passes the Node that runs this, which parses JSON rightly', () => {
    expect(execFileSync(process.execPath, [script], { encoding: 'utf8' })).toBe('');
  });

  test.each([
    ['v26.12.1', false, undefined],
    ['v26.13.0', false, undefined],
    ['v26.10.0', true, 'Node 26.10.0 is known to be bad: it parses some JSON wrongly'],
    ['v26.12.0', false, 'Node 26.12.0 is too old'],
    ['v18.20.8', false, 'Node 18.20.8 is too old'],
    ['v22.20.0', false, 'Node 22.20.0 is too old'],
    ['v27.0.0', false, 'Node 27.0.0 is too new: nothing here has been tested with it'],
    ['v27.0.0', true, 'Node 27.0.0 is known to be bad: it parses some JSON wrongly'],
  ])('says of %s with JSON wrong %s: %s', (version, wrong, expected) => {
    expect(problemOf(version, wrong)).toBe(expected);
  });

  test.each([
    ['linux', 'x64', false, 'make clean'],
    ['linux', 'arm64', false, 'npm ci brings'],
    ['linux', 'x64', true, 'apk add nodejs-current'],
    ['linux', 's390x', false, 'nodejs.org'],
    ['darwin', 'x64', false, 'macOS (x64)'],
    ['darwin', 'arm64', false, 'brew install node'],
    ['win32', 'x64', false, 'WSL'],
  ])('says on %s %s what to do', (platform, arch, musl, expected) => {
    expect(adviceFor(platform, arch, musl)).toContain(expected);
  });

  test('asks for what the package asks for and pins', () => {
    expect(manifest.engines.node).toBe(`>=${OLDEST}`);
    expect(new Set(Object.values(manifest.optionalDependencies))).toEqual(new Set([OLDEST]));
  });
});
