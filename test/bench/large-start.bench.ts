/**
 * A manager that starts on a cluster of 5,000 Pods at rest: requests, CPU, peak memory, time until all is read, and the
 * longest pause of its event loop. Needs `KUBEBUILDER_ASSETS`; beside the original where that folder has it.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type Deployment, type NewObject, resources } from '#pkg/api';

import { AuditLog } from '../harness/audit-log.ts';
import { eventually } from '../harness/eventually.ts';
import { Child } from '../harness/processes.ts';
import { assetsFolder, startRealControlPlane } from '../harness/real-control-plane.ts';
import { runPods } from '../harness/run-pods.ts';
import { createTestClient } from '../harness/test-client.ts';
import { measuredCommand } from './bundle.ts';
import { cpuOf, peakMemory } from './process-cost.ts';
import { figure } from './report.ts';
import { ofManager } from './workloads/requests.ts';

const DEPLOYMENTS = 50;
const PODS = Number(process.env['PODS'] ?? 5000);
const FLAGS = [
  '--controllers=deployment-controller,replicaset-controller,serviceaccount-token-controller',
  '--use-service-account-credentials',
  '--secure-port=0',
  '--leader-elect=false',
  '--kube-api-qps=1000',
  '--kube-api-burst=2000',
];
/** Without a request for so long, a manager has started, ms. */
const QUIET = 4000;
const WATCH_PAUSES = { NODE_OPTIONS: `--import=${join(import.meta.dirname, 'large-start/watch-pauses.ts')}` };

interface Result {
  readonly requests: number;
  readonly cpu: number;
  readonly memory: number;
  readonly pause: number | undefined;
}

function deployment(name: string): NewObject<Deployment> {
  const labels = { app: name };
  return {
    metadata: { name, namespace: 'default' },
    spec: {
      replicas: PODS / DEPLOYMENTS,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'app:v1' }] } },
    },
  };
}

async function run(assets: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'large-start-'));
  const audit = new AuditLog(join(folder, 'audit.log'));
  const plane = await startRealControlPlane(assets, { auditLog: audit.path });
  const access = await createTestClient(plane.adminKubeconfig);
  const pods = runPods(access.client);
  const start = (name: string, [program, ...args]: readonly string[], env: NodeJS.ProcessEnv = {}): Child =>
    new Child(name, program!, [...args, `--kubeconfig=${plane.managerKubeconfig}`, ...FLAGS], env);

  async function measure(name: string, command: readonly string[]): Promise<Result> {
    const before = ofManager(audit.records()).length;
    const manager = start(name, command, WATCH_PAUSES);
    let seen = before;
    for (let quiet = 0; seen === before || quiet < QUIET; quiet += 500) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const now = ofManager(audit.records()).length;
      if (now !== seen) quiet = 0;
      seen = now;
    }
    const cost = { cpu: cpuOf(manager), memory: peakMemory(manager) };
    await manager.stop();
    const pause = /longest pause: ([\d.]+) ms/.exec(manager.output)?.[1];
    return { ...cost, requests: seen - before, pause: pause === undefined ? undefined : Number(pause) };
  }

  try {
    const ours = measuredCommand();
    const first = start('first', ours);
    const deployments = access.client.resource(resources.deployments);
    for (let i = 0; i < DEPLOYMENTS; i++) await deployments.create(deployment(`web-${i}`));
    await eventually(async () => {
      const { items } = await deployments.list({ namespace: 'default' });
      const open = items.filter(({ status }) => (status?.availableReplicas ?? 0) < PODS / DEPLOYMENTS).length;
      if (open > 0) throw new Error(`${open} Deployments are not available`);
    }, 600_000);
    await new Promise((resolve) => setTimeout(resolve, QUIET));
    await first.stop();

    const rival = join(assets, 'kube-controller-manager');
    const theirs = existsSync(rival) ? await measure('original', [rival]) : undefined;
    report(await measure('ours', ours), theirs);
  } finally {
    await pods.stop();
    await access.close();
    await plane.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

function report(ours: Result, theirs: Result | undefined): void {
  for (const [what, unit] of [['requests', 'requests'], ['cpu', 's'], ['memory', 'MiB']] as const) {
    const against = theirs?.[what];
    figure({ bench: 'large-start', figure: what, value: ours[what], unit, ...(against ? { against, ratio: ours[what] / against } : {}) });
  }
  if (ours.pause !== undefined) figure({ bench: 'large-start', figure: 'longest pause', value: ours.pause, unit: 'ms' });
}

const assets = assetsFolder();
if (assets === undefined) console.log('large-start: skipped, set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver');
else await run(assets);
