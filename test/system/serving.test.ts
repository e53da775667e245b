import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type ControlPlane, controlPlaneKind, startControlPlane } from '../harness/control-plane.ts';
import { startDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { type Child, freePort } from '../harness/processes.ts';
import { type TestClient, createTestClient } from '../harness/test-client.ts';
import { namespacesOf } from '../harness/workspace.ts';

let plane: ControlPlane;
let access: TestClient;
let daemon: Child;
let port: number;
let folder: string;

beforeAll(async () => {
  plane = await startControlPlane();
  access = await createTestClient(plane.adminKubeconfig);
  folder = await mkdtemp(join(tmpdir(), 'serving-'));
  port = await freePort();
  daemon = startDaemon({
    kubeconfig: plane.adminKubeconfig,
    flags: [
      '--controllers=deployment-controller,replicaset-controller',
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      `--cert-dir=${folder}`,
      `--authentication-kubeconfig=${plane.adminKubeconfig}`,
      `--authorization-kubeconfig=${plane.adminKubeconfig}`,
    ],
  });
  await daemon.prints(/Starting controller[^]*Starting controller/);
}, 150_000);
afterAll(async () => {
  await daemon.stop();
  await access.close();
  await plane.stop();
  await rm(folder, { recursive: true, force: true });
}, 30_000);

interface Credentials {
  readonly cert: Buffer;
  readonly key: Buffer;
}

async function credentials(kubeconfig: string): Promise<Credentials> {
  const config = load(await readFile(kubeconfig, 'utf8')) as { users: { user: Record<string, string> }[] };
  const { user } = config.users[0]!;
  const decode = (name: string): Buffer => Buffer.from(user[name]!, 'base64');
  return { cert: decode('client-certificate-data'), key: decode('client-key-data') };
}

function get(path: string, as?: Credentials): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    // The certificate is the daemon's own, made at its start.
    const asked = request(
      { host: '127.0.0.1', port, path, rejectUnauthorized: false, agent: false, ...as },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => resolve({ status: answer.statusCode!, text }));
      },
    );
    asked.on('error', reject).end();
  });
}

// A cluster of one's own may use tokens, and has no certificate authority that the daemon could ask for.
describe.skipIf(controlPlaneKind() === 'existing cluster')(
  `what the daemon serves on the ${controlPlaneKind()}`,
  { timeout: 60_000 },
  () => {
    test('health to anyone, all else to whom the API server allows it', async () => {
      expect(await get('/healthz')).toEqual({ status: 200, text: 'ok' });
      expect(await get('/livez')).toEqual({ status: 200, text: 'ok' });
      const [admin, stranger] = [await credentials(plane.adminKubeconfig), await credentials(plane.strangerKubeconfig)];
      const { text } = await get('/healthz?verbose', admin);
      expect(
        text
          .split('\n')
          .filter((line) => line.startsWith('[+]'))
          .toSorted(),
      ).toEqual(['[+]deployment-controller ok', '[+]leaderElection ok', '[+]replicaset-controller ok']);
      for (const path of ['/metrics', '/configz', '/flagz', '/statusz']) {
        expect([path, (await get(path)).status]).toEqual([path, 403]);
        expect([path, (await get(path, stranger)).status]).toEqual([path, 403]);
        expect([path, (await get(path, admin)).status]).toEqual([path, 200]);
      }
    });

    test('metrics tell of the work', async () => {
      const at = await namespacesOf(access.client)('metrics');
      await at.createDeployment();
      await at.complete();
      await at.update({ replicas: 1 });
      await at.complete();
      const admin = await credentials(plane.adminKubeconfig);
      await eventually(async () => {
        const { text } = await get('/metrics', admin);
        const value = (series: string): number =>
          Number(
            text
              .split('\n')
              .find((line) => line.startsWith(`${series} `))
              ?.slice(series.length),
          );
        expect(value('leader_election_master_status{name="kube-controller-manager"}')).toBe(1);
        expect(
          value('running_managed_controllers{name="deployment-controller",manager="kube-controller-manager"}'),
        ).toBe(1);
        for (const name of ['deployment', 'replicaset']) {
          expect(value(`workqueue_adds_total{name="${name}"}`)).toBeGreaterThan(1);
          expect(value(`workqueue_depth{name="${name}"}`)).toBe(0);
          expect(value(`workqueue_work_duration_seconds_count{name="${name}"}`)).toBeGreaterThan(1);
        }
        expect(value('replicaset_controller_sorting_deletion_age_ratio_count')).toBeGreaterThan(0);
        expect(text).toMatch(/^rest_client_requests_total\{code="201",method="POST",host="127\.0\.0\.1:\d+"\} [1-9]/m);
      });
    });
  },
);
