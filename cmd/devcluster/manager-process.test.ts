import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { type Cluster, startCluster } from './cluster.ts';
import { ManagerProcess } from './manager-process.ts';
import { waitFor } from './wait.ts';

test('the manager shows its metrics to the cluster’s admin, and to nobody else', { timeout: 60_000 }, async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'devcluster-'));
  let cluster: Cluster | undefined;
  let manager: ManagerProcess | undefined;
  try {
    cluster = await startCluster({ dataDir, port: 0, nodes: 1, verbosity: 0 });
    const process = await ManagerProcess.start({
      name: 'manager',
      kubeconfig: cluster.managerKubeconfig,
      dataDir,
      verbosity: 0,
    });
    manager = process;
    const pem = readFileSync(cluster.adminPem, 'utf8');
    await waitFor('the metrics of a leader', 30_000, AbortSignal.timeout(40_000), async () => {
      const answer = await process.get('/metrics', pem);
      return (
        answer?.status === 200 &&
        answer.text.includes('leader_election_master_status{name="kube-controller-manager"} 1')
      );
    });
    expect(await process.get('/metrics')).toMatchObject({ status: 403 });
    expect(await process.get('/healthz')).toEqual({ status: 200, text: 'ok' });
  } finally {
    await manager?.stop();
    await cluster?.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
});
