import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import { resources } from '#pkg/api';

import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { startDaemon } from '../harness/daemon.ts';
import { type Child, freePort } from '../harness/processes.ts';
import { type TestClient, createTestClient } from '../harness/test-client.ts';

export interface Measured {
  /** Connections that the attack opened. */
  readonly opened: number;
  /** How long a quiet client waited for each answer, ms, ascending. */
  readonly waits: readonly number[];
  /** Questions of the quiet client that had no answer. */
  readonly unanswered: number;
  /** Longest gap between two renewals of the lease, ms. */
  readonly gap: number;
  /** Greatest resident memory, MiB. */
  readonly memory: number;
}

const LEASE = { namespace: 'kube-system', name: 'kube-controller-manager' };
/** Between two questions of the quiet client, and two looks at lease and memory, ms. */
const PERIOD = 100;

/** A daemon that leads, with what attacks and what watches it. */
export class SecurePortWorld {
  readonly #plane: ControlPlane;
  readonly #access: TestClient;
  readonly #daemon: Child;
  readonly #port: number;

  private constructor(plane: ControlPlane, access: TestClient, daemon: Child, port: number) {
    this.#plane = plane;
    this.#access = access;
    this.#daemon = daemon;
    this.#port = port;
  }

  static async start(): Promise<SecurePortWorld> {
    const plane = await startControlPlane();
    const port = await freePort();
    const daemon = startDaemon({
      kubeconfig: plane.adminKubeconfig,
      flags: [
        `--secure-port=${port}`,
        '--bind-address=127.0.0.1',
        '--controllers=replicaset-controller',
        `--authentication-kubeconfig=${plane.adminKubeconfig}`,
        `--authorization-kubeconfig=${plane.adminKubeconfig}`,
      ],
    });
    await daemon.prints(/Starting controller/);
    return new SecurePortWorld(plane, await createTestClient(plane.adminKubeconfig), daemon, port);
  }

  /** Runs one attack, or none, and measures meanwhile. */
  async under(attack: string, connections: number, seconds: number): Promise<Measured> {
    const stop = new AbortController();
    const quiet = this.#ask(stop.signal);
    const watched = this.#watch(stop.signal);
    const opened = await this.#attack(attack, connections, seconds);
    stop.abort();
    return { opened, ...(await quiet), ...(await watched) };
  }

  /** Whether the daemon has led without a break: it ends when it loses the lease. */
  get leads(): boolean {
    return this.#daemon.running;
  }

  async stop(): Promise<void> {
    await this.#daemon.stop();
    await this.#access.close();
    await this.#plane.stop();
  }

  async #attack(attack: string, connections: number, seconds: number): Promise<number> {
    if (attack === 'none') return pause(seconds * 1000, 0);
    const workerData = { attack, port: this.#port, connections, seconds };
    const worker = new Worker(join(import.meta.dirname, 'secure-port-attacker.ts'), { workerData });
    const [opened] = (await once(worker, 'message')) as [number];
    await worker.terminate();
    return opened;
  }

  /** A client that comes anew each time, as the kubelet's probe does. */
  async #ask(signal: AbortSignal): Promise<Pick<Measured, 'waits' | 'unanswered'>> {
    const waits: number[] = [];
    let unanswered = 0;
    while (!signal.aborted) {
      const since = performance.now();
      if (await this.#isHealthy()) waits.push(performance.now() - since);
      else unanswered++;
      await pause(PERIOD);
    }
    return { waits: waits.toSorted((a, b) => a - b), unanswered };
  }

  #isHealthy(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const options = { host: '127.0.0.1', port: this.#port, path: '/healthz', rejectUnauthorized: false, agent: false };
    const asked = request({ ...options, timeout: 30_000 }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode === 200));
    });
    asked.once('timeout', () => asked.destroy()).on('error', () => resolve(false));
    asked.end();
    return promise;
  }

  async #watch(signal: AbortSignal): Promise<Pick<Measured, 'gap' | 'memory'>> {
    let [gap, memory, last] = [0, 0, performance.now()];
    let renewed: string | undefined;
    while (!signal.aborted) {
      const { spec } = await this.#access.client.resource(resources.leases).get(LEASE);
      const now = performance.now();
      if (spec?.renewTime !== renewed) [renewed, last] = [spec?.renewTime, now];
      gap = Math.max(gap, now - last);
      memory = Math.max(memory, await this.#resident());
      await pause(PERIOD);
    }
    return { gap: Math.round(gap), memory: Math.round(memory) };
  }

  async #resident(): Promise<number> {
    const status = await readFile(`/proc/${this.#daemon.process.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }
}
