/**
 * The daemon as a process that has to end whatever becomes of its log, its signals and its resources, and gives the lease
 * back where it can.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { resources } from '#pkg/api';

import { type ControlPlane, controlPlaneKind, startControlPlane } from '../harness/control-plane.ts';
import { MAIN } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { type TestClient, createTestClient } from '../harness/test-client.ts';

/** Generous: a busy machine starts the process alone in seconds. */
const ENDS_WITHIN = 15_000;
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

let plane: ControlPlane;
let access: TestClient;
beforeAll(async () => {
  plane = await startControlPlane();
  access = await createTestClient(plane.adminKubeconfig);
}, 150_000);
afterAll(async () => {
  await access?.close();
  await plane?.stop();
}, 30_000);

let leases = 0;

interface Started {
  readonly child: ChildProcess;
  readonly lease: string;
}

interface StartOptions {
  readonly stdio?: 'pipe' | number;
  readonly node?: readonly string[];
  readonly flags?: readonly string[];
  /** A shell command that ends in `exec "$@"`, to set limits. */
  readonly shell?: string;
}

function start({ stdio = 'pipe', node = [], flags = [], shell }: StartOptions = {}): Started {
  const lease = `process-${++leases}`;
  const args = [
    process.execPath,
    ...node,
    MAIN,
    `--kubeconfig=${plane.managerKubeconfig}`,
    '--secure-port=0',
    '--controllers=ttl-after-finished-controller',
    `--leader-elect-resource-name=${lease}`,
    '-v=4',
    ...flags,
  ];
  const [command, ...rest] = shell === undefined ? args : ['/bin/sh', '-c', shell, 'sh', ...args];
  return { child: spawn(command!, rest, { stdio: ['ignore', stdio, stdio] }), lease };
}

async function holderOf(lease: string): Promise<string | undefined> {
  const { items } = await access.client.resource(resources.leases).list({ namespace: 'kube-system' });
  return items.find(({ metadata }) => metadata.name === lease)?.spec?.holderIdentity;
}

const leads = (lease: string): Promise<void> =>
  eventually(async () => expect(await holderOf(lease)).toMatch(/./), 20_000);

/** The exit code, or the signal that ended it; `stuck` after {@link ENDS_WITHIN}. */
async function end(child: ChildProcess, signal?: NodeJS.Signals): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode;
  const exited = once(child, 'exit').then(([code, by]: unknown[]) => code ?? by);
  if (signal) child.kill(signal);
  const limit = new AbortController();
  const stuck = pause(ENDS_WITHIN, 'stuck', { signal: limit.signal }).catch(() => 'stuck');
  const result = await Promise.race([exited, stuck]);
  limit.abort();
  child.kill('SIGKILL');
  return result;
}

describe.concurrent(`the process ends, on the ${controlPlaneKind()}`, { timeout: 90_000 }, () => {
  test.each(SIGNALS)('with its log on a full device, at %s, and gives the lease back', async (signal) => {
    const { child, lease } = start({ stdio: openSync('/dev/full', 'w') });
    await leads(lease);
    expect(await end(child, signal)).toBe(0);
    expect(await holderOf(lease)).toBe('');
  });

  test('with its log in a pipe that nobody reads', async () => {
    const { child, lease } = start({ flags: ['-v=10'] });
    child.stdout!.pause();
    child.stderr!.pause();
    await leads(lease);
    // Lines enough to fill what the kernel and this process take.
    for (let i = 0; i < 300; i++) {
      const metadata = { generateName: 'x-', namespace: 'default' };
      await access.client.resource(resources.configMaps).create({ metadata });
    }
    expect(await end(child, 'SIGTERM')).toBe(0);
    expect(await holderOf(lease)).toBe('');
  });

  test('with its log in a pipe whose reader has gone', async () => {
    const { child, lease } = start();
    child.stdout!.destroy();
    child.stderr!.destroy();
    await leads(lease);
    expect(await end(child, 'SIGTERM')).toBe(0);
    expect(await holderOf(lease)).toBe('');
  });

  test.each([0, 20, 60, 120, 250, 500, 900])('at a signal %i ms after its start', async (after) => {
    const { child } = start();
    child.stderr!.resume();
    await pause(after);
    // Before there is a handler the signal itself ends it, as any program.
    expect([0, 'SIGTERM']).toContain(await end(child, 'SIGTERM'));
  });

  test('at once on a second signal', async () => {
    const { child, lease } = start();
    child.stderr!.resume();
    await leads(lease);
    child.kill('SIGTERM');
    await pause(100);
    expect([0, 1]).toContain(await end(child, 'SIGTERM'));
  });

  test('and does not at SIGUSR1, which opens no inspector', async () => {
    const { child, lease } = start();
    let output = '';
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
    await leads(lease);
    child.kill('SIGUSR1');
    await pause(300);
    expect(child.exitCode).toBeNull();
    expect(output).not.toContain('Debugger listening');
    expect(await end(child, 'SIGTERM')).toBe(0);
  });

  test('while a credential plugin does not answer, and so does the plugin', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'plugin-'));
    const pids = join(folder, 'pids');
    const exec = {
      apiVersion: 'client.authentication.k8s.io/v1',
      command: '/bin/sh',
      args: ['-c', `echo $$ > ${pids}; sleep 1000 & echo $! >> ${pids}; wait`],
      interactiveMode: 'Never',
    };
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:9' } }],
      users: [{ name: 'u', user: { exec } }],
    };
    await writeFile(join(folder, 'kubeconfig'), JSON.stringify(config));
    const { child } = start({ flags: [`--kubeconfig=${join(folder, 'kubeconfig')}`] });
    child.stderr!.resume();
    const started = async (): Promise<number[]> => (await readFile(pids, 'utf8')).trim().split('\n').map(Number);
    await eventually(async () => expect(await started()).toHaveLength(2), 20_000);
    expect(await end(child, 'SIGTERM')).not.toBe('stuck');
    const running = (pid: number): boolean => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    await eventually(async () => expect((await started()).filter(running)).toEqual([]));
    await rm(folder, { recursive: true });
  });

  test('or works with few file descriptors', async () => {
    const { child } = start({ shell: 'ulimit -n 24; exec "$@"' });
    child.stderr!.resume();
    await pause(2000);
    expect([0, 1, 'SIGTERM']).toContain(await end(child, 'SIGTERM'));
  });

  test('or works with a small heap', async () => {
    const { child } = start({ node: ['--max-old-space-size=24'] });
    child.stderr!.resume();
    await pause(2000);
    expect([0, 'SIGABRT', 134, 'SIGTERM']).toContain(await end(child, 'SIGTERM'));
  });
});
