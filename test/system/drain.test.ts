import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type PodDisruptionBudget, isNotFound, isPodReady, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { Kubectl, findKubectl } from '../harness/kubectl.ts';
import { type Stage, type Workspace, openStage } from '../harness/workspace.ts';

const { nodes, podDisruptionBudgets } = resources;
const present = findKubectl() !== undefined;
const why = present ? '' : ' (no kubectl on PATH: skipped)';
const REPLICAS = 6;

let stage: Stage;
let cache: string;
let at: Workspace;
let kubectl: Kubectl;
beforeAll(async () => {
  if (!present) return;
  cache = await mkdtemp(join(tmpdir(), 'kubectl-cache-'));
  stage = await openStage({ controllers: ['deployment-controller', 'replicaset-controller', 'disruption-controller'] });
  at = await stage.workspace('drain');
  kubectl = new Kubectl(stage.plane.adminKubeconfig, at.namespace, cache);
}, 150_000);
afterAll(async () => {
  if (!present) return;
  await stage.stop();
  await rm(cache, { recursive: true, force: true });
}, 30_000);

/** The node of some Pod; on a server without nodes one is made, so that kubectl can cordon it. */
async function someNode(): Promise<string> {
  const [pod] = await at.activePods();
  const name = pod!.spec!.nodeName!;
  await at.client
    .resource(nodes)
    .get({ name })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
      return at.client.resource(nodes).create({ metadata: { name } });
    });
  return name;
}

const budget = (spec: PodDisruptionBudget['spec']): Promise<PodDisruptionBudget> =>
  at.merge(podDisruptionBudgets, { spec });
const counted = (status: PodDisruptionBudget['status']): Promise<void> =>
  eventually(async () => expect((await at.get(podDisruptionBudgets)).status).toMatchObject(status!));

describe.skipIf(!present)(`kubectl drain on the ${controlPlaneKind()}${why}`, { timeout: 120_000 }, () => {
  test('waits for the budget, and takes no more Pods at a time than that allows', async () => {
    await at.createDeployment({ replicas: REPLICAS });
    await at.complete();
    await at.create(podDisruptionBudgets, {
      metadata: { name: 'web' },
      spec: { selector: { matchLabels: { app: 'web' } }, maxUnavailable: 0 },
    });
    await counted({ observedGeneration: 1, currentHealthy: REPLICAS, disruptionsAllowed: 0 });
    const node = await someNode();
    const refused = await kubectl.fail(['drain', node, '--ignore-daemonsets', '--timeout=3s']);
    expect(refused).toContain("Cannot evict pod as it would violate the pod's disruption budget.");
    expect(refused).not.toContain(' evicted');

    const before = (await at.activePods())
      .filter(({ spec }) => spec!.nodeName === node)
      .map(({ metadata }) => metadata.uid);
    await budget({ maxUnavailable: 1 });
    await counted({ observedGeneration: 2, disruptionsAllowed: 1 });
    let fewest = REPLICAS;
    const drained = new AbortController();
    const watching = (async () => {
      while (!drained.signal.aborted) fewest = Math.min(fewest, (await at.activePods()).filter(isPodReady).length);
    })();
    const output = await kubectl
      .run(['drain', node, '--ignore-daemonsets', '--timeout=100s'])
      .finally(() => drained.abort());
    await watching;
    expect(output.match(/ evicted$/gm)).toHaveLength(before.length);
    expect(output).toMatch(new RegExp(`^node/${node} drained$`, 'm'));
    expect(fewest).toBeGreaterThanOrEqual(REPLICAS - 1);
    expect((await at.activePods()).filter(({ metadata }) => before.includes(metadata.uid))).toEqual([]);
    await counted({ currentHealthy: REPLICAS, disruptionsAllowed: 1 });
  });
});
