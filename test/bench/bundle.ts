import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { NODE_FLAGS } from '../../cmd/kube-controller-manager/node-flags.ts';

const ROOT = join(import.meta.dirname, '../..');

/**
 * The command that is measured: `KCM_COMMAND` where set, otherwise the bundle as the image runs it. It is built into
 * a folder of its own that goes with this process, so that nothing depends on what lies in `dist/`.
 */
export function measuredCommand(): readonly string[] {
  const given = process.env['KCM_COMMAND'];
  if (given) return given.split(' ');
  const folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  bundleInto(folder);
  return [process.execPath, ...NODE_FLAGS, join(folder, 'kube-controller-manager.js')];
}

/** As `make build` does. */
export function bundleInto(folder: string): void {
  execFileSync(join(ROOT, 'node_modules/.bin/rolldown'), ['--config', 'rolldown.config.ts', '--dir', folder], {
    cwd: ROOT,
    stdio: 'pipe',
  });
  execFileSync(process.execPath, [join(ROOT, 'deploy/code-cache.ts'), folder], { stdio: 'pipe' });
}
