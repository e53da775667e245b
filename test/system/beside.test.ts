/**
 * The manifests applied to a cluster that has a manager: the flags of `deploy/manifests` beside the original, or beside
 * another of ours where that is not at hand.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { load } from 'js-yaml';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { resources } from '#pkg/api';

import { type ControlPlane, controlPlaneKind, originalManager, startControlPlane } from '../harness/control-plane.ts';
import { startDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { Child } from '../harness/processes.ts';
import { type TestClient, createTestClient } from '../harness/test-client.ts';
import { namespacesOf, template } from '../harness/workspace.ts';

const MANIFEST = join(import.meta.dirname, '../../deploy/manifests/deployment.yaml');
const SIZES = { web: 20, api: 12, cache: 9 };
const MESSAGE = /Another kube-controller-manager is at work/;

let plane: ControlPlane;
let access: TestClient;
const running: Child[] = [];

beforeAll(async () => {
  plane = await startControlPlane();
  access = await createTestClient(plane.adminKubeconfig);
}, 150_000);
afterAll(async () => {
  for (const child of running) await child.stop('SIGKILL');
  await access.close();
  await plane.stop();
}, 60_000);

function manifestFlags(): readonly string[] {
  const { spec } = load(readFileSync(MANIFEST, 'utf8')) as {
    spec: { template: { spec: { containers: readonly { readonly args: readonly string[] }[] } } };
  };
  return spec.template.spec.containers[0]!.args;
}

const original = originalManager();
const who = original ? 'the original' : 'another of ours';

test(`manifests beside ${who} on the ${controlPlaneKind()}: no Pod too many`, { timeout: 120_000 }, async () => {
  const { adminKubeconfig: kubeconfig } = plane;
  const flags = ['--controllers=deployment-controller,replicaset-controller'];
  running.push(
    original
      ? new Child(who, original, [`--kubeconfig=${kubeconfig}`, '--secure-port=0', ...flags])
      : startDaemon({ kubeconfig, flags }),
  );
  const leases = access.client.resource(resources.leases);
  await eventually(async () => {
    const lease = await leases.get({ namespace: 'kube-system', name: 'kube-controller-manager' });
    expect(lease.spec?.holderIdentity).toBeTruthy();
  }, 30_000);
  const beside = startDaemon({ kubeconfig, flags: manifestFlags() });
  running.push(beside);

  const at = await namespacesOf(access.client)('beside');
  const seen = new Set<string>();
  const stop = new AbortController();
  const pods = access.client.resource(resources.pods);
  const { metadata } = await pods.list({ namespace: at.namespace });
  const watching = (async () => {
    const { resourceVersion } = metadata;
    for await (const event of pods.watch({ namespace: at.namespace, resourceVersion, signal: stop.signal }))
      if (event.type === 'ADDED') seen.add(event.object.metadata.uid);
  })().catch(() => {});
  for (const [app, replicas] of Object.entries(SIZES)) {
    const labels = { app };
    await at.createDeployment(
      { replicas, selector: { matchLabels: labels }, template: template('app:v1', undefined, labels) },
      { name: app },
    );
  }
  await beside.prints(MESSAGE);
  for (const app of Object.keys(SIZES)) await at.complete(app);
  // Whoever were to act as well would have by now.
  await new Promise((resolve) => setTimeout(resolve, 5000));
  stop.abort();
  await watching;
  expect(seen.size).toBe(41);
  expect(await at.list(resources.replicaSets)).toHaveLength(3);
  expect(beside.running).toBe(true);
  expect(beside.output).not.toMatch(/Controller starting/);

  // The original goes; what was held back takes over.
  await running[0]!.stop('SIGTERM');
  await beside.prints(/Controller starting/, 40_000);
});
