/**
 * Manifests as well-known projects ship them, applied, updated and deleted under the original manager and under ours: what
 * stands there afterwards is compared field by field, and what was told of it event by event.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { type StringMap, resources } from '#pkg/api';

import { type ControlPlane, originalManager, startControlPlane } from '../harness/control-plane.ts';
import { startDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { Kubectl, findKubectl } from '../harness/kubectl.ts';
import { Child } from '../harness/processes.ts';
import { type TestClient, createTestClient } from '../harness/test-client.ts';
import { type Outcome, outcomeOf } from './outcome.ts';

const MANIFESTS = join(import.meta.dirname, 'manifests');
const NAMESPACE = 'shop';
const NODES = ['worker-1', 'worker-2', 'worker-3', 'control-plane-1'];
const FLAGS = [
  '--controllers=cronjob-controller,daemonset-controller,deployment-controller,job-controller,replicaset-controller,statefulset-controller',
  '--leader-elect=false',
];
/** What has not changed for so long has settled, ms. */
const CALM = 4000;
/** A CronJob begins with a minute. */
const PATIENCE = 150_000;

const original = originalManager();
const missing = !original
  ? 'no kube-controller-manager in KUBEBUILDER_ASSETS'
  : findKubectl() === undefined
    ? 'no kubectl'
    : undefined;

/** One cluster under one manager. */
class Site {
  readonly plane: ControlPlane;
  readonly access: TestClient;
  readonly kubectl: Kubectl;
  readonly manager: Child;

  constructor(plane: ControlPlane, access: TestClient, kubectl: Kubectl, manager: Child) {
    this.plane = plane;
    this.access = access;
    this.kubectl = kubectl;
    this.manager = manager;
  }

  static async open(cache: string, start: (kubeconfig: string) => Child): Promise<Site> {
    const plane = await startControlPlane({ collect: true });
    const access = await createTestClient(plane.adminKubeconfig);
    const nodes = access.client.resource(resources.nodes);
    for (const name of NODES) {
      const role: StringMap = name.startsWith('control-plane') ? { 'node-role.kubernetes.io/control-plane': '' } : {};
      await nodes.create({
        metadata: { name, labels: { 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': name, ...role } },
      });
      // The API server taints new nodes until they are ready, which nobody is there to say.
      await nodes.patch({ name }, 'merge', { spec: { taints: null } });
    }
    await access.client.resource(resources.namespaces).create({ metadata: { name: NAMESPACE } });
    return new Site(plane, access, new Kubectl(plane.adminKubeconfig, NAMESPACE, cache), start(plane.adminKubeconfig));
  }

  outcome(): Promise<Outcome> {
    return outcomeOf(this.access.client, NAMESPACE);
  }

  /** The outcome once nothing changes any more and `holds`. */
  async settled(holds: (outcome: Outcome) => boolean = () => true): Promise<Outcome> {
    let [last, since] = ['', performance.now()];
    return eventually(async () => {
      const outcome = await this.outcome();
      const text = JSON.stringify(outcome);
      if (text !== last) [last, since] = [text, performance.now()];
      if (performance.now() - since < CALM || !holds(outcome)) throw new Error(`not settled: ${text.slice(0, 4000)}`);
      return outcome;
    }, PATIENCE);
  }

  async close(): Promise<void> {
    await this.manager.stop();
    await this.access.close();
    await this.plane.stop();
  }
}

const count = (outcome: Outcome, pattern: RegExp): number =>
  outcome.objects.filter((object) => pattern.test(object)).length;
const RUNNING = /"kind":"Pod".*"phase":"Running"/;

/** What the manifests come to, step by step. */
async function live(site: Site): Promise<Record<string, Outcome>> {
  const { kubectl } = site;
  await kubectl.run(['apply', '-f', MANIFESTS]);
  const applied = await site.settled((outcome) => count(outcome, RUNNING) === 8);
  await kubectl.run([
    'set',
    'image',
    'daemonset/ingress-controller',
    'controller=registry.example.com/ingress/controller:v1.5.0',
  ]);
  await kubectl.run([
    'set',
    'image',
    'deployment/metrics-server',
    'metrics-server=registry.example.com/metrics-server:v0.7.2',
  ]);
  await kubectl.run(['set', 'image', 'statefulset/database', 'database=registry.example.com/database:16.3']);
  const updated = await site.settled(
    (outcome) => count(outcome, /"kind":"Pod".*(v1\.5\.0|v0\.7\.2|:16\.3).*"phase":"Running"/) === 8,
  );
  await kubectl.run(['patch', 'cronjob', 'backup', '-p', '{"spec":{"suspend":false}}']);
  await eventually(async () => expect((await site.outcome()).objects.join()).toMatch(/"kind":"Job"/), PATIENCE);
  await kubectl.run(['patch', 'cronjob', 'backup', '-p', '{"spec":{"suspend":true}}']);
  const backedUp = await site.settled((outcome) => count(outcome, /"kind":"CronJob".*lastSuccessfulTime/) === 1);
  await kubectl.run(['rollout', 'undo', 'daemonset/ingress-controller']);
  await kubectl.run(['rollout', 'undo', 'deployment/metrics-server']);
  await kubectl.run(['scale', 'statefulset/database', '--replicas=1']);
  const undone = await site.settled((outcome) => count(outcome, RUNNING) === 6);
  await kubectl.run(['delete', '-f', MANIFESTS, '--wait=false']);
  const deleted = await site.settled(({ objects }) =>
    objects.every((object) => object.includes('"kind":"PersistentVolumeClaim"')),
  );
  return { applied, updated, backedUp, undone, deleted };
}

describe.skipIf(missing)(`manifests of well-known projects${missing ? ` (${missing}: skipped)` : ''}`, () => {
  let cache: string;
  let theirs: Record<string, Outcome>;
  let ours: Record<string, Outcome>;

  beforeAll(async () => {
    cache = await mkdtemp(join(tmpdir(), 'same-outcome-'));
    const run = async (start: (kubeconfig: string) => Child): Promise<Record<string, Outcome>> => {
      const site = await Site.open(cache, start);
      try {
        return await live(site);
      } finally {
        await site.close();
      }
    };
    [theirs, ours] = await Promise.all([
      run(
        (kubeconfig) =>
          new Child('the original', original!, [`--kubeconfig=${kubeconfig}`, '--secure-port=0', ...FLAGS]),
      ),
      run((kubeconfig) => startDaemon({ kubeconfig, flags: FLAGS })),
    ]);
  }, 600_000);
  afterAll(() => rm(cache, { recursive: true, force: true }));

  test.each(['applied', 'updated', 'backedUp', 'undone', 'deleted'])('when %s, are the same', (step) => {
    expect(ours[step]!.objects).toEqual(theirs[step]!.objects);
    expect(ours[step]!.events).toEqual(theirs[step]!.events);
    // What is compared is there at all.
    expect(ours[step]!.objects.length).toBeGreaterThanOrEqual(step === 'deleted' ? 6 : 17);
  });
});
