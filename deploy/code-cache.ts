import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { startCluster } from '../cmd/devcluster/cluster.ts';
import { apply, deploymentOf, isRolledOut, readManifests } from '../cmd/devcluster/workload.ts';

/**
 * Puts compiled code beside the files of a built bundle: `node deploy/code-cache.ts dist`. What is to be kept is found out
 * by running it: the bundle rolls out the samples on the embedded API server. Works as any user and for any machine of the
 * architecture; a Node of another version compiles for itself.
 */
const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: node deploy/code-cache.ts FOLDER');

const LONGEST = 60_000;
const LOOK = 50;

const dataDir = mkdtempSync(join(tmpdir(), 'code-cache-'));
const cluster = await startCluster({ dataDir, port: 0, nodes: 2, verbosity: 0 });
const kubeconfig = cluster.managerKubeconfig;
const flags = [
  `--kubeconfig=${kubeconfig}`,
  '--bind-address=127.0.0.1',
  `--secure-port=${await freePort()}`,
  '--use-service-account-credentials=true',
];
const recorder = fork(join(import.meta.dirname, 'record-code.ts'), [resolve(folder), ...flags], {
  stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
});
let said = '';
recorder.stderr!.setEncoding('utf8').on('data', (text: string) => (said += text));
const ended = once(recorder, 'exit');
try {
  await apply(cluster.server, readManifests(join(import.meta.dirname, 'samples')));
  const until = performance.now() + LONGEST;
  while (!isRolledOut(deploymentOf(cluster.server, 'web'))) {
    if (recorder.exitCode !== null || performance.now() > until) throw new Error('the sample was not rolled out');
    await new Promise((done) => setTimeout(done, LOOK));
  }
  recorder.send('keep');
  const [code] = (await ended) as [number | null];
  if (code !== 0 || !existsSync(join(folder, 'main.js.cache'))) throw new Error('the compiled code was not kept');
} catch (error) {
  process.stderr.write(said);
  throw error;
} finally {
  recorder.kill('SIGKILL');
  await cluster.close();
  rmSync(dataDir, { recursive: true, force: true });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
