import { join } from 'node:path';

import { type ConfigMap, type Lease, isAlreadyExists, resources } from '#pkg/api';
import { describeError } from '#pkg/base';
import type { Client } from '#pkg/client';

import { Child } from '../harness/processes.ts';
import { CONFIG_MAP, LEASE, NAMESPACE } from './names.ts';

export interface Timing {
  readonly leaseDuration: number;
  readonly renewDeadline: number;
  readonly retryPeriod: number;
  /** Candidates that do not watch the lease. */
  readonly polling?: boolean;
}

export const SHORT: Timing = { leaseDuration: 3000, renewDeadline: 2000, retryPeriod: 500 };

/** One write of a leader, in the order in which the API server carried them out. */
export interface Turn {
  readonly writer: string;
  /** Writes in a row. */
  count: number;
  /** When its first write was seen, monotonic ms. */
  readonly since: number;
}

/** Candidates in processes of their own on one Lease, and a record of who wrote when, from the API server's watch. */
export class Electorate {
  /** Runs of writes by one leader. Each leader that is fenced has one, since a process that lost never leads again. */
  readonly turns: Turn[] = [];
  readonly candidates = new Map<string, Child>();
  readonly #client: Client;
  readonly #kubeconfig: string;
  readonly #timing: Timing;
  readonly #end = new AbortController();
  readonly #watching: Promise<void>;
  #started = 0;
  #problem: unknown;

  private constructor(client: Client, kubeconfig: string, timing: Timing, version: string) {
    this.#client = client;
    this.#kubeconfig = kubeconfig;
    this.#timing = timing;
    this.#watching = this.#watch(version);
  }

  /** `client` may do everything and is not limited. */
  static async create(client: Client, kubeconfig: string, timing: Timing): Promise<Electorate> {
    const namespaces = client.resource(resources.namespaces);
    await ignoreExisting(namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }));
    const configMaps = client.resource<ConfigMap>(resources.configMaps);
    await ignoreExisting(
      configMaps.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: NAMESPACE, name: CONFIG_MAP } }),
    );
    const { metadata } = await configMaps.list({ namespace: NAMESPACE });
    return new Electorate(client, kubeconfig, timing, metadata.resourceVersion);
  }

  /** A new candidate, under a name that no other has had. */
  start(): Child {
    const identity = `candidate-${++this.#started}`;
    const { leaseDuration, renewDeadline, retryPeriod, polling } = this.#timing;
    const durations = [leaseDuration, renewDeadline, retryPeriod].map(String);
    const args = [this.#kubeconfig, identity, ...durations, polling ? 'polling' : 'watching'];
    const child = new Child(identity, process.execPath, [join(import.meta.dirname, 'candidate.ts'), ...args]);
    this.candidates.set(identity, child);
    return child;
  }

  /** Who holds the Lease. */
  async holder(): Promise<string> {
    const lease = await this.#client.resource<Lease>(resources.leases).get({ namespace: NAMESPACE, name: LEASE });
    return lease.spec?.holderIdentity ?? '';
  }

  get writer(): string {
    return this.turns.at(-1)?.writer ?? '';
  }

  /** Resolves when the leader has written so often: it is past its first steps, which take longest. */
  async written(count: number, timeout: number): Promise<void> {
    const start = performance.now();
    while ((this.turns.at(-1)?.count ?? 0) < count) {
      if (this.#problem !== undefined) throw this.#problem;
      if (performance.now() - start > timeout)
        throw new Error(`${this.writer} has not written ${count} times within ${timeout} ms`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Resolves with the child whose writes arrive, once that is another than `before`; rejects after `timeout` ms. */
  async nextLeader(before: string, timeout: number): Promise<{ readonly child: Child; readonly after: number }> {
    const start = performance.now();
    while (this.writer === before || this.writer === '') {
      if (this.#problem !== undefined) throw this.#problem;
      if (performance.now() - start > timeout)
        throw new Error(`nobody leads after ${before || 'the start'} within ${timeout} ms`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const { writer, since } = this.turns.at(-1)!;
    return { child: this.candidates.get(writer)!, after: since - start };
  }

  /**
   * Writes of each leader after its successor had begun to write. A process that is stopped between the fence and the
   * system call that sends has one request on its way, which nobody can take back when it runs again: one at the most,
   * since candidates write one at a time, and of none that was not stopped.
   */
  late(): Map<string, number> {
    const late = new Map<string, number>();
    const led: string[] = [];
    for (const { writer, count } of this.turns) {
      if (!led.includes(writer)) led.push(writer);
      else if (writer !== led.at(-1)) late.set(writer, (late.get(writer) ?? 0) + count);
    }
    return late;
  }

  async close(): Promise<void> {
    for (const child of this.candidates.values()) if (child.running) child.process.kill('SIGCONT');
    const running = [...this.candidates.values()].filter((child) => child.running);
    await Promise.all(running.map((child) => child.stop('SIGKILL')));
    this.#end.abort();
    await this.#watching;
  }

  async #watch(resourceVersion: string): Promise<void> {
    const { signal } = this.#end;
    try {
      const events = this.#client.resource<ConfigMap>(resources.configMaps).watch({
        namespace: NAMESPACE,
        fieldSelector: `metadata.name=${CONFIG_MAP}`,
        resourceVersion,
        timeoutSeconds: 3600,
        signal,
      });
      for await (const event of events) if (event.type === 'MODIFIED') this.#note(event.object.data?.['writer'] ?? '');
      if (!signal.aborted) this.#problem = new Error('the watch of writes ended');
    } catch (error) {
      if (!signal.aborted)
        this.#problem = new Error(`the watch of writes broke: ${describeError(error)}`, { cause: error });
    }
  }

  #note(writer: string): void {
    const last = this.turns.at(-1);
    if (last?.writer === writer) last.count++;
    else this.turns.push({ writer, count: 1, since: performance.now() });
  }
}

async function ignoreExisting(promise: Promise<unknown>): Promise<void> {
  try {
    await promise;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
