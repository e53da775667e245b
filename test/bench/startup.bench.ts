/**
 * What a start costs: CPU of all threads and time from the process' birth until its first request has arrived at a
 * server, of the bundle and from source, against a Node that does nothing. On any machine with Linux; no cluster needed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { dump, load } from 'js-yaml';

import { Authority } from '../harness/certificates.ts';
import { kubeconfig } from '../harness/kubeconfig.ts';
import { measuredCommand } from './bundle.ts';
import { figure } from './report.ts';

const ROUNDS = 9;
const MAIN = join(import.meta.dirname, '../../cmd/kube-controller-manager/main.ts');

interface Start {
  /** ms */
  readonly cpu: number;
  /** ms */
  readonly wall: number;
}

const folder = await mkdtemp(join(tmpdir(), 'startup-'));
const authority = await Authority.create();
const pair = await authority.issue('CN=localhost', [{ type: 'ip', value: '127.0.0.1' }]);
const server = createSecureServer({ key: pair.key, cert: pair.certificate });
// What asked was killed.
server.on('stream', (stream) => stream.on('error', () => {}));
server.on('sessionError', () => {});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const config = join(folder, 'kubeconfig');
const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
const user = await authority.issue('CN=system:kube-controller-manager');
// In blocks, as tools write them.
await writeFile(
  config,
  dump(load(kubeconfig({ server: url, authority: authority.certificate, user: 'manager', pair: user }))),
  { mode: 0o600 },
);

/** Until the first request is here. It is never answered. */
async function start(command: readonly string[]): Promise<Start> {
  const [program, ...args] = command;
  const begin = performance.now();
  const child = spawn(program!, [...args, `--kubeconfig=${config}`, '--secure-port=0'], { stdio: 'ignore' });
  const arrived = new Promise<void>((resolve) => server.once('stream', () => resolve()));
  await Promise.race([
    arrived,
    ended(child).then(() => Promise.reject(new Error(`${command.join(' ')} ended without a request`))),
  ]);
  const wall = performance.now() - begin;
  const cpu = await cpuOf(child.pid!);
  child.kill('SIGKILL');
  await ended(child);
  return { cpu, wall };
}

/** A Node that does nothing, to its end. */
async function bareNode(): Promise<Start> {
  const begin = performance.now();
  const child = spawn(process.execPath, ['-e', 'console.log(); setTimeout(() => {}, 1e9)'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const wall = performance.now() - begin;
  const cpu = await cpuOf(child.pid!);
  child.kill('SIGKILL');
  await ended(child);
  return { cpu, wall };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null)
    await new Promise((resolve) => child.once('close', resolve));
}

/** Of all its threads, ms: the first number of each `schedstat` is in nanoseconds, where `stat` counts in ticks of 10 ms. */
async function cpuOf(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0')),
  );
  return times.reduce((sum, text) => sum + Number(text.split(' ')[0]) / 1e6, 0);
}

async function median(measure: () => Promise<Start>): Promise<Start> {
  // Once to fill the caches of files and of compiled code.
  await measure();
  const starts: Start[] = [];
  for (let i = 0; i < ROUNDS; i++) starts.push(await measure());
  const middle = (values: number[]): number => values.toSorted((a, b) => a - b)[ROUNDS >> 1]!;
  return { cpu: middle(starts.map(({ cpu }) => cpu)), wall: middle(starts.map(({ wall }) => wall)) };
}

if (process.platform === 'linux') {
  try {
    const bare = await median(bareNode);
    for (const [name, command] of [
      ['bundle', measuredCommand()],
      ['from source', [process.execPath, MAIN]],
    ] as const) {
      const { cpu, wall } = await median(() => start(command));
      figure({
        bench: 'startup',
        figure: `CPU until the first request (${name})`,
        value: cpu,
        unit: 'ms',
        against: bare.cpu,
        ratio: cpu / bare.cpu,
      });
      figure({
        bench: 'startup',
        figure: `time until the first request (${name})`,
        value: wall,
        unit: 'ms',
        against: bare.wall,
        ratio: wall / bare.wall,
      });
    }
  } finally {
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
} else {
  server.close();
  console.log('startup: skipped, it reads /proc');
}
