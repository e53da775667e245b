import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { resources } from '#pkg/api';

import { type ControlPlane, controlPlaneKind, startControlPlane } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { Child } from '../harness/processes.ts';
import { type TestClient, createTestClient } from '../harness/test-client.ts';

const ROOT = resolve(import.meta.dirname, '../..');

describe(`the library as others use it, built, on the ${controlPlaneKind()}`, () => {
  let folder: string;
  let plane: ControlPlane;
  let access: TestClient;

  beforeAll(async () => {
    // Below the project, so that the library's own dependencies are found.
    mkdirSync(join(ROOT, 'dist'), { recursive: true });
    folder = mkdtempSync(join(ROOT, 'dist/library-test-'));
    const library = join(folder, 'library');
    const run = (command: string, args: string[]): void =>
      void execFileSync(join(ROOT, 'node_modules/.bin', command), args, { cwd: ROOT });
    run('tsc', ['-p', 'tsconfig.library.json', '--outDir', library]);
    run('node', ['deploy/library-package.ts', library]);
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(library, join(folder, 'node_modules/kube-controller-manager'));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    copyFileSync(join(ROOT, 'docs/examples/greeter.ts'), join(folder, 'greeter.ts'));
    plane = await startControlPlane();
    access = await createTestClient(plane.adminKubeconfig);
  }, 60_000);

  afterAll(async () => {
    await access?.close();
    await plane?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('the example of the guide leads, reconciles, and gives the lease back', async () => {
    const greeter = new Child('greeter', join(ROOT, 'node_modules/.bin/node'), [join(folder, 'greeter.ts')], {
      KUBECONFIG: plane.adminKubeconfig,
    });
    try {
      const maps = access.client.resource(resources.configMaps);
      const metadata = { name: 'visitor', namespace: 'default', annotations: { 'greeter.example.com/name': 'Ada' } };
      await maps.create({ metadata });
      await eventually(async () => {
        const { annotations } = (await maps.get(metadata)).metadata;
        expect(annotations?.['greeter.example.com/greeting']).toBe('Hello, Ada!');
      });
      expect(await greeter.stop()).toBe(0);
      const lease = await access.client.resource(resources.leases).get({ namespace: 'default', name: 'greeter' });
      expect(lease.spec?.holderIdentity ?? '').toBe('');
      const events = await access.client.resource(resources.events).list({ namespace: 'default' });
      expect(events.items.map(({ reason, message }) => [reason, message])).toContainEqual(['Greeted', 'Hello, Ada!']);
    } finally {
      await greeter.stop('SIGKILL');
    }
  }, 60_000);

  test('the guide shows the example as it is', () => {
    const guide = readFileSync(join(ROOT, 'docs/library.md'), 'utf8');
    expect(guide).toContain(readFileSync(join(ROOT, 'docs/examples/greeter.ts'), 'utf8').trim());
  });
});
