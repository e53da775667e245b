import { setOwnValue } from '#pkg/base';
import { resolve } from 'node:path';
import { type Cluster, startCluster } from './cluster.ts';
import { ManagerProcess } from './manager-process.ts';
import type { ClusterOptions } from './options.ts';
import { printProgress, say } from './progress.ts';
import { waitFor } from './wait.ts';
import { apply, deploymentOf, isRolledOut, leader, readManifests, setImage } from './workload.ts';

const SAMPLE = resolve(import.meta.dirname, '../../deploy/samples/web.yaml');
const NAME = 'web';
const CONTAINER = 'web';
/** A rollout of the sample takes some seconds; a takeover up to the lease's 15 and its retry period. */
const MOST_FOR_ROLLOUT = 60_000;
const MOST_FOR_START = 30_000;

/** From nothing to a failover; throws where a step does not come to pass, and prints the times where all do. */
export async function smoke(options: ClusterOptions, signal: AbortSignal): Promise<void> {
  const managers: ManagerProcess[] = [];
  const times: Record<string, number> = {};
  const begin = performance.now();
  const cluster = await startCluster(options);
  times['clusterMs'] = since(begin);
  say(`API server at ${cluster.running.url}, ${options.nodes} simulated nodes`);
  const stopPrinting = printProgress(cluster.server);
  const over = new AbortController();
  const ending = AbortSignal.any([signal, over.signal]);
  try {
    const start = (name: string): Promise<ManagerProcess> => startManager(cluster, options, name, managers);
    await play(cluster, start, times, ending);
  } finally {
    over.abort();
    stopPrinting();
    await Promise.all(managers.map((manager) => manager.stop()));
    await cluster.close();
  }
  times['totalMs'] = since(begin);
  console.log(JSON.stringify({ smoke: 'ok', ...times }));
}

async function startManager(
  { managerKubeconfig }: Cluster,
  options: ClusterOptions,
  name: string,
  managers: ManagerProcess[],
): Promise<ManagerProcess> {
  const { dataDir, verbosity, controllers } = options;
  const manager = await ManagerProcess.start({
    name,
    kubeconfig: managerKubeconfig,
    dataDir,
    verbosity,
    ...(controllers === undefined ? {} : { controllers }),
  });
  managers.push(manager);
  return manager;
}

async function play(
  cluster: Cluster,
  start: (name: string) => Promise<ManagerProcess>,
  times: Record<string, number>,
  signal: AbortSignal,
): Promise<void> {
  const { server } = cluster;
  const rolledOut = (manager: ManagerProcess, what: string): Promise<void> =>
    Promise.race([
      manager.failure(),
      waitFor(what, MOST_FOR_ROLLOUT, signal, () => isRolledOut(deploymentOf(server, NAME))),
    ]);
  const timed = async (name: string, step: () => Promise<void>): Promise<void> => {
    const from = performance.now();
    await step();
    setOwnValue(times, name, since(from));
  };

  const first = await start('manager-1');
  await timed('leadMs', () =>
    Promise.race([first.failure(), waitFor('manager-1 leads', MOST_FOR_START, signal, () => leader(server) !== '')]),
  );
  const leading = leader(server);
  say(`manager-1 leads as ${leading}`);
  const second = await start('manager-2');
  await Promise.race([
    second.failure(),
    waitFor('manager-2 stands by', MOST_FOR_START, signal, () => second.isHealthy()),
  ]);
  say('manager-2 stands by');

  await timed('firstRolloutMs', async () => {
    for (const applied of await apply(server, readManifests(SAMPLE))) say(`applied ${applied}`);
    await rolledOut(first, 'the first rollout is complete');
  });
  say('first rollout complete');
  await timed('secondRolloutMs', async () => {
    await setImage(server, NAME, CONTAINER, 'registry.example/web:2');
    await rolledOut(first, 'the second rollout is complete');
  });
  say('second rollout complete; killing the leader');

  const killed = performance.now();
  first.kill();
  await setImage(server, NAME, CONTAINER, 'registry.example/web:3');
  await Promise.race([
    second.failure(),
    waitFor('manager-2 leads', MOST_FOR_ROLLOUT, signal, () => leader(server) !== leading && leader(server) !== ''),
  ]);
  times['takeoverMs'] = since(killed);
  say(`manager-2 leads as ${leader(server)}`);
  await rolledOut(second, 'the third rollout is complete');
  times['thirdRolloutMs'] = since(killed);
  say('third rollout complete');
}

function since(from: number): number {
  return Math.round(performance.now() - from);
}
