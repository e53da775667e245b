/**
 * What Deployments cost a cluster: requests by verb and resource, conflicts, CPU and memory of the manager, for 100
 * Deployments of 20 Pods. Needs `KUBEBUILDER_ASSETS`, since only a real API server counts; where that folder has a
 * `kube-controller-manager` too, the same is done with it first, and compared. `WORKLOADS=deploy,rollout` runs some,
 * `RIVAL=` (empty) leaves the other out.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { AuditLog, type RecordedRequest } from '../harness/audit-log.ts';
import { Child } from '../harness/processes.ts';
import { assetsFolder, startRealControlPlane } from '../harness/real-control-plane.ts';
import { runPods } from '../harness/run-pods.ts';
import { createTestClient } from '../harness/test-client.ts';
import { measuredCommand } from './bundle.ts';
import { cpuOf, peakMemory } from './process-cost.ts';
import { figure } from './report.ts';
import { byKind, ofManager } from './workloads/requests.ts';
import { scenarios } from './workloads/scenarios.ts';

const FLAGS = [
  '--controllers=deployment-controller,replicaset-controller,serviceaccount-token-controller',
  '--use-service-account-credentials',
  '--secure-port=0',
  '--kube-api-qps=500',
  '--kube-api-burst=1000',
  '--concurrent-deployment-syncs=5',
];
/** After a scenario the manager's events are still on their way, ms. */
const LAST_EVENTS = 4000;

interface Result {
  readonly scenario: string;
  readonly requests: readonly RecordedRequest[];
  /** User and system seconds. */
  readonly cpu: number;
  /** Largest resident set since the start, MiB. */
  readonly memory: number;
  readonly seconds: number;
}

async function measure(name: string, command: readonly string[], assets: string): Promise<Result[]> {
  const folder = await mkdtemp(join(tmpdir(), 'workloads-'));
  const audit = new AuditLog(join(folder, 'audit.log'));
  const plane = await startRealControlPlane(assets, { auditLog: audit.path });
  const access = await createTestClient(plane.adminKubeconfig);
  const pods = runPods(access.client);
  const [program, ...args] = [...command, `--kubeconfig=${plane.managerKubeconfig}`, ...FLAGS];
  const manager = new Child(name, program!, args);
  const wanted = process.env['WORKLOADS']?.split(',');
  const results: Result[] = [];
  try {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    for (const scenario of scenarios.filter((one) => wanted?.includes(one.name) ?? true)) {
      const before = { requests: ofManager(audit.records()).length, cpu: cpuOf(manager), time: performance.now() };
      await scenario.run(access.client);
      const seconds = (performance.now() - before.time) / 1000;
      await new Promise((resolve) => setTimeout(resolve, LAST_EVENTS));
      const requests = ofManager(audit.records()).slice(before.requests);
      results.push({ scenario: scenario.name, requests, cpu: cpuOf(manager) - before.cpu, memory: peakMemory(manager), seconds });
      console.log(`${name} ${scenario.name}: ${requests.length} requests in ${seconds.toFixed(0)} s: ${byKind(requests).slice(0, 9).map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
    }
    return results;
  } finally {
    await manager.stop();
    await pods.stop();
    await access.close();
    await plane.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const conflicts = (requests: readonly RecordedRequest[]): number => requests.filter(({ code }) => code === 409).length;

function report(ours: Result, original: Result | undefined): void {
  const rows: [string, string, (result: Result) => number][] = [
    ['requests', 'requests', (result) => result.requests.length],
    ['conflicts', 'requests', (result) => conflicts(result.requests)],
    ['cpu', 's', (result) => result.cpu],
    ['peak memory', 'MiB', (result) => result.memory],
    ['time', 's', (result) => result.seconds],
  ];
  for (const [what, unit, read] of rows) {
    const value = read(ours);
    const against = original && read(original);
    const compared = against === undefined ? {} : { against, ...(against > 0 ? { ratio: value / against } : {}) };
    figure({ bench: 'workloads', figure: `${ours.scenario} ${what}`, value, unit, ...compared });
  }
}

const assets = assetsFolder();
if (assets === undefined) {
  console.log('workloads: skipped, set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver');
} else {
  const rival = process.env['RIVAL'] ?? join(assets, 'kube-controller-manager');
  const theirs = existsSync(rival) ? await measure('original', [rival], assets) : [];
  const ours = await measure('ours', measuredCommand(), assets);
  for (const result of ours) report(result, theirs.find(({ scenario }) => scenario === result.scenario));
}
