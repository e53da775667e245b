import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { type ControlPlane, controlPlaneKind, startControlPlane } from '../harness/control-plane.ts';
import { MAIN, startDaemon } from '../harness/daemon.ts';
import { type Child, freePort } from '../harness/processes.ts';
import { createTestClient } from '../harness/test-client.ts';
import { namespacesOf } from '../harness/workspace.ts';

/** A line of a stack dump. */
const STACK = /^\s+at .*[(/].*:\d+:\d+\)?$/m;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mistakes-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  /** As a person reads it: quotes of logged values are not escaped. */
  readonly output: string;
}

function run(...flags: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { ...process.env, KUBERNETES_SERVICE_HOST: '', KUBERNETES_SERVICE_PORT: '' };
    execFile(process.execPath, [MAIN, ...flags], { env, timeout: 50_000 }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), output: (stdout + stderr).replaceAll('\\"', '"') }),
    );
  });
}

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const cluster = { name: 'c', cluster: { server: 'https://127.0.0.1:9' } };

describe.concurrent('the command line is refused with the flag that is wrong', { timeout: 60_000 }, () => {
  test.each([
    { flags: ['--nope'], says: 'unknown flag: --nope' },
    { flags: ['--kube-api-qps=many'], says: 'invalid argument "many" for "--kube-api-qps" flag' },
    { flags: ['--leader-elect-lease-duration=5'], says: '"--leader-elect-lease-duration" flag' },
    { flags: ['positional'], says: 'does not take any arguments, got ["positional"]' },
    { flags: ['--controllers=foo'], says: '"foo" is not in the list of known controllers' },
    { flags: ['--leader-elect-lease-duration=1s'], says: '--leader-elect-lease-duration' },
    { flags: ['--secure-port=99999'], says: '--secure-port 99999 must be between 0 and 65535' },
    { flags: ['--feature-gates=Nope=true'], says: 'unrecognized feature gate: Nope' },
  ])('$flags', async ({ flags, says }) => {
    const { code, output } = await run(...flags);
    expect(output).toContain(says);
    expect(output).not.toMatch(STACK);
    expect(code).toBe(1);
  });
});

describe.concurrent('a way to the API server that is none', { timeout: 60_000 }, () => {
  test.each([
    { title: 'no kubeconfig at all', text: undefined, says: 'give --kubeconfig or --master' },
    { title: 'garbage', text: 'what: [', says: /not YAML: [^\n]+"\n$/ },
    { title: 'another kind of document', text: 'hello', says: 'must be an object' },
    {
      title: 'no context of that name',
      text: JSON.stringify({ clusters: [cluster], 'current-context': 'x' }),
      says: 'there is no context "x"',
    },
    {
      title: 'a certificate that is not there',
      text: JSON.stringify({
        clusters: [cluster],
        users: [{ name: 'u', user: { 'client-certificate': '/nowhere/u.crt', 'client-key': '/nowhere/u.key' } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      }),
      says: '/nowhere/u.',
    },
  ])('$title', async ({ title, text, says }) => {
    const path = text === undefined ? [] : [`--kubeconfig=${await file(title.replaceAll(' ', '-'), text)}`];
    const { code, output } = await run('--secure-port=0', ...path);
    expect(output).toMatch(says);
    expect(output).not.toMatch(STACK);
    expect(code).toBe(1);
  });

  test('a kubeconfig that is not there', async () => {
    const { code, output } = await run('--secure-port=0', '--kubeconfig=/nowhere/kubeconfig');
    expect(output).toContain('/nowhere/kubeconfig: no such file');
    expect(code).toBe(1);
  });
});

describe(`on the ${controlPlaneKind()}`, { timeout: 90_000 }, () => {
  let plane: ControlPlane;
  const running = new Set<Child>();
  beforeAll(async () => {
    plane = await startControlPlane();
  }, 150_000);
  afterAll(() => plane.stop(), 30_000);
  afterEach(async () => {
    for (const child of running) await child.stop('SIGKILL');
    running.clear();
  });

  function daemon(kubeconfig: string, ...flags: string[]): Child {
    const child = startDaemon({ kubeconfig, flags });
    running.add(child);
    return child;
  }

  test('a server that nobody listens for is asked again, and the wait can be ended', async () => {
    const unreachable = JSON.stringify({
      clusters: [{ name: 'c', cluster: { server: `https://127.0.0.1:${await freePort()}` } }],
      contexts: [{ name: 'x', context: { cluster: 'c' } }],
      'current-context': 'x',
    });
    for (const elect of [true, false]) {
      const child = daemon(await file(`unreachable-${elect}`, unreachable), `--leader-elect=${elect}`);
      await child.prints(/cannot reach https:\/\/127\.0\.0\.1:\d+: connection refused[^]*connection refused/);
      expect(child.output).not.toMatch(STACK);
      expect(await child.stop('SIGTERM')).toBe(0);
    }
  });

  test('a user who may not stand for election', async () => {
    const child = daemon(plane.strangerKubeconfig);
    await child.prints(
      /leases\.coordination\.k8s\.io \\"kube-controller-manager\\" is forbidden: User \\"stranger\\" cannot get/,
    );
    expect(child.output).not.toMatch(STACK);
    expect(await child.stop('SIGTERM')).toBe(0);
  });

  test("the manager's own user without the controllers' accounts", async () => {
    const access = await createTestClient(plane.adminKubeconfig);
    try {
      const child = daemon(
        plane.managerKubeconfig,
        '--leader-elect=false',
        '--controllers=deployment-controller,replicaset-controller',
      );
      const at = await namespacesOf(access.client)('mistakes');
      await at.createDeployment();
      await child.prints(
        /replicasets\.apps is forbidden: User \\"system:kube-controller-manager\\" cannot create.* deployment="test-\S+\/web"/,
      );
      expect(child.output).not.toMatch(STACK);
      expect(child.running).toBe(true);
    } finally {
      await access.close();
    }
  });

  test('a folder for certificates that cannot be written', async () => {
    const { code, output } = await run(
      `--kubeconfig=${plane.adminKubeconfig}`,
      `--secure-port=${await freePort()}`,
      `--cert-dir=${await file('taken', '')}/certs`,
    );
    expect(output).toContain('--cert-dir');
    expect(output).not.toMatch(STACK);
    expect(code).toBe(1);
  });

  test('a port that is taken', async () => {
    const port = await freePort();
    const certificates = `--cert-dir=${join(folder, 'certificates')}`;
    const first = startDaemon({
      kubeconfig: plane.adminKubeconfig,
      flags: ['--leader-elect=false', '--controllers=deployment-controller', `--secure-port=${port}`, certificates],
    });
    running.add(first);
    await first.prints(/Starting controller/);
    const { code, output } = await run(`--kubeconfig=${plane.adminKubeconfig}`, `--secure-port=${port}`, certificates);
    expect(output).toMatch(new RegExp(`--secure-port ${port}: .*address already in use`));
    expect(output).not.toMatch(STACK);
    expect(code).toBe(1);
  });

  test.skipIf(controlPlaneKind() !== 'kube-apiserver')(
    'a certificate that has expired (a real API server only)',
    async () => {
      const child = daemon(plane.expiredKubeconfig!);
      await child.prints(/Error retrieving lease lock.*(Unauthorized|expired)/);
      expect(child.output).not.toMatch(STACK);
      expect(await child.stop('SIGTERM')).toBe(0);
    },
  );
});
