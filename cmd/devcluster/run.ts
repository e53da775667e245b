import { relative } from 'node:path';
import { type Cluster, startCluster } from './cluster.ts';
import { ManagerProcess } from './manager-process.ts';
import type { RunOptions } from './options.ts';
import { printProgress, say } from './progress.ts';
import { waitFor } from './wait.ts';
import { type Manifest, apply, leader, readManifests } from './workload.ts';

const MOST_FOR_LEADING = 30_000;

/** Keeps a cluster running until the signal aborts, which is a good end. */
export async function run(options: RunOptions, signal: AbortSignal): Promise<void> {
  // First, so that a mistake in it costs no time.
  const manifests = options.sample === false ? [] : readManifests(options.sample);
  const cluster = await startCluster(options);
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  let manager: ManagerProcess | undefined;
  try {
    introduce(cluster, options);
    if (options.manager) manager = await startManager(cluster, options);
    const stopPrinting = printProgress(cluster.server);
    const failure = manager?.failure() ?? new Promise<never>(() => {});
    await Promise.race([failure, stopped(signal), roll(cluster, options, manifests, ending)]);
    await Promise.race([failure, stopped(signal)]);
    stopPrinting();
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    over.abort();
    if (signal.aborted) say('stopping');
    await manager?.stop();
    await cluster.close();
  }
}

function introduce({ running, adminKubeconfig }: Cluster, { nodes, manager }: RunOptions): void {
  say(
    `API server at ${running.url}, ${nodes} simulated node${nodes === 1 ? '' : 's'}${manager ? '' : ', no controller manager'}`,
  );
  console.log(`
  In another terminal:

    export KUBECONFIG=${adminKubeconfig}
    kubectl get deployments,pods -o wide
    kubectl scale deployment web --replicas=5

  Ctrl-C ends everything; nothing is kept.
`);
}

function startManager(
  { managerKubeconfig, adminPem }: Cluster,
  { dataDir, controllers, verbosity }: RunOptions,
): Promise<ManagerProcess> {
  return ManagerProcess.start({
    name: 'kube-controller-manager',
    kubeconfig: managerKubeconfig,
    dataDir,
    verbosity,
    ...(controllers === undefined ? {} : { controllers }),
  }).then((manager) => {
    say(`kube-controller-manager started (pid ${manager.pid}), its log is ${relative(process.cwd(), manager.logFile)}`);
    say(`its metrics: curl --insecure --cert ${relative(process.cwd(), adminPem)} ${manager.url}/metrics`);
    return manager;
  });
}

async function roll(
  { server }: Cluster,
  options: RunOptions,
  manifests: readonly Manifest[],
  signal: AbortSignal,
): Promise<void> {
  if (!options.manager) return;
  await waitFor('the manager leads', MOST_FOR_LEADING, signal, () => leader(server) !== '');
  say(`${leader(server)} leads`);
  for (const name of await apply(server, manifests)) say(`applied ${name}`);
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
