import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Authority, type Pair, YESTERDAY } from './certificates.ts';
import type { ControlPlane } from './control-plane.ts';
import { kubeconfig } from './kubeconfig.ts';
import { Child, freePort } from './processes.ts';

const AUDIT_POLICY = JSON.stringify({
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
});

/** How long etcd and the API server may take to come up on a busy machine, ms. */
const START = 120_000;

/** The folder with `etcd` and `kube-apiserver`, by the convention of the ecosystem's test environments; nothing without. */
export function assetsFolder(): string | undefined {
  const folder = process.env['KUBEBUILDER_ASSETS'];
  if (!folder) return undefined;
  for (const binary of ['etcd', 'kube-apiserver']) {
    if (!existsSync(join(folder, binary))) throw new Error(`KUBEBUILDER_ASSETS=${folder} has no ${binary}`);
  }
  return folder;
}

export interface RealControlPlaneOptions {
  /** Path of a file into which the server writes every request, one JSON line each (audit.k8s.io/v1, level Metadata). */
  readonly auditLog?: string;
  readonly apiServerFlags?: readonly string[];
}

/** A real etcd and kube-apiserver on loopback, with RBAC on and no admission of service accounts. */
export async function startRealControlPlane(
  assets: string,
  options: RealControlPlaneOptions = {},
): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-'));
  const children: Child[] = [];
  const stop = async (): Promise<void> => {
    for (const child of children.toReversed()) await child.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const file = async (name: string, text: string): Promise<string> => {
      await writeFile(join(folder, name), text, { mode: 0o600 });
      return join(folder, name);
    };
    const etcd = await startEtcd(assets, folder, children);
    const authority = await Authority.create();
    const port = await freePort();
    const serving = await authority.issue('CN=kube-apiserver', [
      { type: 'ip', value: '127.0.0.1' },
      { type: 'dns', value: 'localhost' },
    ]);
    const accounts = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const signing = await file('sa.key', accounts.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const verifying = await file('sa.pub', accounts.publicKey.export({ type: 'spki', format: 'pem' }));
    const admin = await authority.issue('CN=admin,O=system:masters');
    const flags = [
      `--etcd-servers=${etcd}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      '--advertise-address=127.0.0.1',
      '--endpoint-reconciler-type=none',
      `--tls-cert-file=${await file('server.crt', serving.certificate)}`,
      `--tls-private-key-file=${await file('server.key', serving.key)}`,
      `--client-ca-file=${await file('ca.crt', authority.certificate)}`,
      '--authorization-mode=RBAC',
      '--service-cluster-ip-range=10.0.0.0/16,fd00:10:96::/112',
      '--allow-privileged=true',
      '--disable-admission-plugins=ServiceAccount',
      '--service-account-issuer=https://kubernetes.default.svc',
      `--service-account-key-file=${verifying}`,
      `--service-account-signing-key-file=${signing}`,
      ...(options.auditLog
        ? [
            `--audit-log-path=${options.auditLog}`,
            '--audit-log-maxsize=10000',
            `--audit-policy-file=${await file('audit.json', AUDIT_POLICY)}`,
          ]
        : []),
      ...(options.apiServerFlags ?? []),
    ];
    const start = async (): Promise<void> => {
      const server = new Child('kube-apiserver', join(assets, 'kube-apiserver'), flags);
      children.push(server);
      await ready(port, authority.certificate, admin, server);
    };
    await start();
    const access = async (name: string, pair: Pair): Promise<string> =>
      file(
        `${name}.kubeconfig`,
        kubeconfig({ server: `https://127.0.0.1:${port}`, authority: authority.certificate, user: name, pair }),
      );
    return {
      adminKubeconfig: await access('admin', admin),
      managerKubeconfig: await access(
        'system:kube-controller-manager',
        await authority.issue('CN=system:kube-controller-manager'),
      ),
      member: async (name) => access(name, await authority.issue(`CN=${name},O=system:masters`)),
      async restart(signal) {
        await children.pop()!.stop(signal, START);
        await start();
      },
      strangerKubeconfig: await access('stranger', await authority.issue('CN=stranger')),
      expiredKubeconfig: await access('expired', await authority.issue('CN=admin,O=system:masters', [], YESTERDAY)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startEtcd(assets: string, folder: string, children: Child[]): Promise<string> {
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  const etcd = new Child('etcd', join(assets, 'etcd'), [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${url}`,
    `--advertise-client-urls=${url}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-cluster=default=http://127.0.0.1:${peer}`,
    '--unsafe-no-fsync',
  ]);
  children.push(etcd);
  await etcd.prints(/ready to serve client requests/, START);
  return url;
}

/** Polls /readyz until it says so; nothing is printed to wait for. */
async function ready(port: number, authority: string, admin: Pair, server: Child): Promise<void> {
  const deadline = performance.now() + START;
  while (!(await answers(port, authority, admin))) {
    if (!server.running || performance.now() > deadline)
      throw new Error(`kube-apiserver is not ready:\n${server.output.slice(-3000)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function answers(port: number, ca: string, { certificate, key }: Pair): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(
      { host: '127.0.0.1', port, path: '/readyz', ca, cert: certificate, key, agent: false },
      (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode === 200));
      },
    );
    asked.on('error', () => resolve(false)).end();
  });
}
