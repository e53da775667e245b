/**
 * What workloads cost a cluster: requests by verb and resource, conflicts, CPU, memory and pauses of the manager, while
 * Deployments are created, updated, scaled and deleted, StatefulSets, DaemonSets and Jobs run, namespaces go, nothing
 * happens, and a manager starts on 5,000 Pods at rest, and on 50,000 objects that own each other. Needs
 * `KUBEBUILDER_ASSETS`, since only a real API server counts; where that folder has a `kube-controller-manager` too, the
 * same is done with it first, and compared. Pauses are watched in a run of their own, since watching costs CPU.
 * `WORKLOADS=deploy,rollout` runs some, `RIVAL=` (empty) leaves the other out, `PAUSES=` (empty) the run for pauses;
 * `CONTROLLERS` runs others, `PODS` and `GRAPH` set the sizes of the starts.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Client } from '#pkg/client';

import { AuditLog, type RecordedRequest } from '../harness/audit-log.ts';
import { assetsFolder, startRealControlPlane } from '../harness/real-control-plane.ts';
import { runPods } from '../harness/run-pods.ts';
import { createTestClient } from '../harness/test-client.ts';
import { measuredCommand } from './bundle.ts';
import { Manager } from './workloads/manager.ts';
import { type Result, report, reportPause, reportSum } from './workloads/report.ts';
import { byKind, ofManager } from './workloads/requests.ts';
import { type Scenario, scenarios } from './workloads/scenarios.ts';

/** Without a request for so long, a manager has done what there was to do, ms. */
const QUIET = 4000;

interface Stage {
  readonly client: Client;
  readonly requests: () => readonly RecordedRequest[];
  readonly startManager: () => Manager;
}

async function measureAll(
  name: string,
  command: readonly string[],
  watched: boolean,
  assets: string,
): Promise<Result[]> {
  const folder = await mkdtemp(join(tmpdir(), 'workloads-'));
  const audit = new AuditLog(join(folder, 'audit.log'));
  const plane = await startRealControlPlane(assets, { auditLog: audit.path });
  const access = await createTestClient(plane.adminKubeconfig);
  const pods = runPods(access.client);
  const stage: Stage = {
    client: access.client,
    requests: () => ofManager(audit.records()),
    startManager: () => new Manager(name, command, plane.managerKubeconfig, watched),
  };
  let manager = stage.startManager();
  const wanted = process.env['WORKLOADS']?.split(',');
  const results: Result[] = [];
  try {
    for (const scenario of scenarios.filter((one) => wanted?.includes(one.name) ?? true)) {
      if (watched && scenario.name === 'idle') continue;
      await during(manager, scenario.prepare?.(stage.client));
      await during(manager, quiet(stage));
      if (scenario.fresh) await manager.stop();
      await scenario.beforeStart?.(stage.client);
      const measured = await measure(scenario, stage, manager);
      manager = measured.manager;
      results.push(measured.result);
      const { requests, seconds, cpu, memory } = measured.result;
      console.log(
        `${name} ${scenario.name}: ${requests.length} requests in ${seconds.toFixed(0)} s, ${cpu.toFixed(2)} CPU s, ${memory.toFixed(0)} MiB: ${byKind(
          requests,
        )
          .slice(0, 9)
          .map(([kind, count]) => `${kind} ${count}`)
          .join(', ')}`,
      );
    }
    return results;
  } catch (error) {
    // What is known by then took minutes to find out.
    console.error(error);
    process.exitCode = 1;
    return results;
  } finally {
    await manager.stop();
    await pods.stop();
    await access.close();
    await plane.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What `work` answers; throws as soon as the manager ends before it. */
async function during<T>(manager: Manager, work: Promise<T> | undefined): Promise<T | undefined> {
  const look = Promise.withResolvers<never>();
  const timer = setInterval(() => {
    try {
      manager.check();
    } catch (error) {
      look.reject(error);
    }
  }, 1000);
  try {
    return await Promise.race([work, look.promise]);
  } finally {
    clearInterval(timer);
  }
}

async function measure(
  scenario: Scenario,
  stage: Stage,
  running: Manager,
): Promise<{ readonly manager: Manager; readonly result: Result }> {
  const before = stage.requests().length;
  const started = performance.now();
  const manager = scenario.fresh ? stage.startManager() : running;
  if (!scenario.fresh) await manager.begin();
  await during(manager, scenario.run?.(stage.client));
  const ended = (scenario.fresh && (await during(manager, quiet(stage, before)))) || performance.now();
  await quiet(stage);
  const cost = await manager.cost();
  const requests = stage.requests().slice(before);
  return { manager, result: { scenario: scenario.name, requests, seconds: (ended - started) / 1000, ...cost } };
}

/** When the last request before a time without any came; there must have been more than `known`. */
async function quiet({ requests }: Stage, known = 0): Promise<number> {
  let [seen, since] = [requests().length, performance.now()];
  while (seen <= known || performance.now() - since < QUIET) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    const now = requests().length;
    if (now !== seen) [seen, since] = [now, performance.now()];
  }
  return since;
}

const assets = assetsFolder();
if (assets === undefined) {
  console.log('workloads: skipped, set KUBEBUILDER_ASSETS to a folder with etcd and kube-apiserver');
} else {
  const rival = process.env['RIVAL'] ?? join(assets, 'kube-controller-manager');
  const theirs = existsSync(rival) ? await measureAll('original', [rival], false, assets) : [];
  const command = measuredCommand();
  const ours = await measureAll('ours', command, false, assets);
  for (const result of ours)
    report(
      result,
      theirs.find(({ scenario }) => scenario === result.scenario),
    );
  reportSum(ours, theirs);
  if (process.env['PAUSES'] !== '')
    for (const { scenario, pause } of await measureAll('ours, watched', command, true, assets))
      reportPause(scenario, pause!);
}
// A scenario that was given up half-way goes on trying for minutes.
if (process.exitCode) process.exit();
