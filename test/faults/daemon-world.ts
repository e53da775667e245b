/** A controller manager behind a proxy that can be broken, a fleet of Deployments that rolls, and a count of everything. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { type Deployment, isPodActive, resources } from '#pkg/api';
import type { Client } from '#pkg/client';
import { TcpProxy } from '#pkg/testing';
import { loadClientConfig } from '#pkg/transport';

import { AuditLog, type RecordedRequest } from '../harness/audit-log.ts';
import { type ControlPlane, startControlPlane } from '../harness/control-plane.ts';
import { type Holdings, Inspector } from '../harness/inspector.ts';
import { Child } from '../harness/processes.ts';
import { type TestClient, createTestClient } from '../harness/test-client.ts';
import { template } from '../harness/workspace.ts';
import { AnsweringProxy } from './answering-proxy.ts';

const MAIN = join(import.meta.dirname, '../../cmd/kube-controller-manager/main.ts');
const FLAGS = [
  '--secure-port=0',
  '--controllers=deployment-controller,replicaset-controller',
  '--use-service-account-credentials',
  '--kube-api-qps=200',
  '--kube-api-burst=400',
  // Longer than any fault: who loses the lease has to end, and that is another test.
  '--leader-elect-lease-duration=100s',
  '--leader-elect-renew-deadline=90s',
];
const REPLICAS = 2;
const HISTORY = 2;

/** What the daemon holds at rest. */
export interface Footprint extends Holdings {
  /** Sockets among its file descriptors; all of them. */
  readonly sockets: number;
  readonly descriptors: number;
}

/** The daemon's requests in a stretch of time, as the API server recorded them. */
export interface Traffic {
  readonly reads: number;
  readonly writes: number;
  /** In the background, and again after 10 s where they could not be sent. */
  readonly events: number;
  readonly leases: number;
  readonly conflicts: number;
  /** Refused with anything else. */
  readonly refused: number;
}

export class DaemonWorld {
  readonly plane: ControlPlane;
  readonly proxy: TcpProxy;
  /** Behind that proxy, where the world was started with one. */
  readonly answers: AnsweringProxy | undefined;
  readonly daemon: Child;
  readonly client: Client;
  readonly namespace: string;
  readonly #access: TestClient;
  readonly #inspector: Inspector;
  readonly #records: () => readonly RecordedRequest[];
  readonly #folder: string;
  #rolls = 0;
  #names: readonly string[] = [];

  static async start({ answers: answering = false } = {}): Promise<DaemonWorld> {
    const folder = await mkdtemp(join(tmpdir(), 'under-fire-'));
    const seen: RecordedRequest[] = [];
    const audit = new AuditLog(join(folder, 'audit.log'));
    // Bounds how long a server that ends waits for watches; by default a minute.
    const apiServerFlags = ['--request-timeout=20s'];
    const plane = await startControlPlane({
      auditLog: audit.path,
      apiServerFlags,
      requestLog: (record) => seen.push({ resource: 'none', ...record }),
    });
    const { server } = await loadClientConfig({ kubeconfig: plane.adminKubeconfig });
    const answers = answering ? await AnsweringProxy.start(plane.managerKubeconfig) : undefined;
    const proxy = await TcpProxy.start(answers?.port ?? Number(new URL(server).port));
    const kubeconfig = (await answers?.kubeconfig(folder)) ?? plane.managerKubeconfig;
    const flags = [`--kubeconfig=${kubeconfig}`, `--master=https://127.0.0.1:${proxy.port}`, ...FLAGS];
    const daemon = new Child('daemon', process.execPath, ['--inspect=127.0.0.1:0', MAIN, ...flags]);
    await daemon.prints(/Debugger listening on ws:\S+/);
    const inspector = await Inspector.attach(/listening on (ws:\S+)/.exec(daemon.output)![1]!);
    const access = await createTestClient(plane.adminKubeconfig);
    const records = plane.restart ? () => audit.records() : () => seen;
    return new DaemonWorld({ plane, proxy, answers, daemon, access, inspector, records, folder });
  }

  private constructor(parts: {
    readonly plane: ControlPlane;
    readonly proxy: TcpProxy;
    readonly answers: AnsweringProxy | undefined;
    readonly daemon: Child;
    readonly access: TestClient;
    readonly inspector: Inspector;
    readonly records: () => readonly RecordedRequest[];
    readonly folder: string;
  }) {
    this.plane = parts.plane;
    this.proxy = parts.proxy;
    this.answers = parts.answers;
    this.daemon = parts.daemon;
    this.client = parts.access.client;
    this.#access = parts.access;
    this.#inspector = parts.inspector;
    this.#records = parts.records;
    this.#folder = parts.folder;
    this.namespace = `under-fire-${Date.now().toString(36)}`;
  }

  /** Creates so many Deployments, and waits until they are complete. */
  async populate(deployments: number): Promise<void> {
    await persist(() => this.client.resource(resources.namespaces).create({ metadata: { name: this.namespace } }));
    this.#names = Array.from({ length: deployments }, (_, i) => `web-${i}`);
    for (const name of this.#names) await this.create(name);
    await this.settled();
  }

  create(name: string): Promise<Deployment> {
    return this.client.resource(resources.deployments).create({
      metadata: { name, namespace: this.namespace },
      spec: {
        replicas: REPLICAS,
        revisionHistoryLimit: HISTORY,
        selector: { matchLabels: { app: name } },
        template: template(`app:v${this.#rolls}`, undefined, { app: name }),
      },
    });
  }

  /** Gives every Deployment a new image, past the proxy, whatever the API server is going through. */
  async roll(): Promise<void> {
    const image = `app:v${++this.#rolls}`;
    const body = { spec: { template: { spec: { containers: [{ name: 'app', image }] } } } };
    for (const name of this.#names) {
      await persist(() =>
        this.client.resource(resources.deployments).patch({ namespace: this.namespace, name }, 'merge', body),
      );
    }
  }

  /** Waits until everything is as it should be and no write of the daemon's has come for a second. */
  async settled(timeout = 120_000): Promise<void> {
    const deadline = performance.now() + timeout;
    for (let quiet = 0; quiet < 4;) {
      const before = this.mark();
      await pause(250);
      const wrong = await persist(() => this.#differences());
      quiet = wrong.length === 0 && this.traffic(before).writes === 0 ? quiet + 1 : 0;
      if (!this.daemon.running) throw new Error(`the daemon has ended: ${this.daemon.output.slice(-3000)}`);
      if (performance.now() > deadline)
        throw new Error(
          `not settled after ${timeout} ms: ${wrong.slice(0, 5).join('; ')}\n${this.daemon.output.slice(-3000)}`,
        );
    }
  }

  /** What is not as it should be, in words. */
  async #differences(): Promise<string[]> {
    const at = { namespace: this.namespace };
    const [deployments, replicaSets, pods] = await Promise.all([
      this.client.resource(resources.deployments).list(at),
      this.client.resource(resources.replicaSets).list(at),
      this.client.resource(resources.pods).list(at),
    ]);
    const image = `app:v${this.#rolls}`;
    const wrong: string[] = [];
    for (const { metadata, spec, status } of deployments.items) {
      const counts = [
        status?.replicas,
        status?.updatedReplicas,
        status?.availableReplicas,
        status?.observedGeneration,
      ].join(' ');
      if (counts !== [REPLICAS, REPLICAS, REPLICAS, metadata.generation].join(' '))
        wrong.push(`${metadata.name}: ${counts}`);
      const own = replicaSets.items.filter((one) => one.metadata.labels?.['app'] === metadata.name);
      const old = own.filter((one) => (one.spec?.replicas ?? 0) === 0).length;
      if (old > HISTORY || own.length - old !== 1)
        wrong.push(`${metadata.name}: ${old} old ReplicaSets of ${own.length}`);
      const shown = pods.items
        .filter((pod) => isPodActive(pod) && pod.metadata.labels?.['app'] === metadata.name)
        .map((pod) => pod.spec?.containers[0]?.image);
      if (shown.join(' ') !== Array.from({ length: spec?.replicas ?? 0 }, () => image).join(' '))
        wrong.push(`${metadata.name}: pods of ${shown.join(' ')}, not ${image}`);
    }
    return wrong;
  }

  /** A place in the record of requests, to count from. */
  mark(): number {
    return this.#records().length;
  }

  traffic(from: number): Traffic {
    const traffic = { reads: 0, writes: 0, events: 0, leases: 0, conflicts: 0, refused: 0 };
    for (const { user, verb, resource, code } of this.#records().slice(from)) {
      if (user !== 'system:kube-controller-manager' && !user.startsWith('system:serviceaccount:kube-system:')) continue;
      if (resource === 'leases') traffic.leases++;
      else if (resource === 'events') traffic.events++;
      else if (['get', 'list', 'watch'].includes(verb)) traffic.reads++;
      else traffic.writes++;
      if (code === 409) traffic.conflicts++;
      else if (code >= 400) traffic.refused++;
    }
    return traffic;
  }

  async footprint(): Promise<Footprint> {
    const folder = `/proc/${this.daemon.process.pid}/fd`;
    const links = readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(join(folder, name))];
      } catch {
        return [];
      }
    });
    const sockets = links.filter((link) => link.startsWith('socket:')).length;
    return { ...(await this.#inspector.holdings()), sockets, descriptors: links.length };
  }

  /** Resident set, bytes, as it stands. */
  resident(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.daemon.process.pid}/status`, 'utf8'))?.[1]) * 1024;
  }

  /** Ends everything; resolves with the daemon's exit code, given up to its connections being whole. */
  async stop(): Promise<number | NodeJS.Signals> {
    this.proxy.heal();
    this.#inspector.close();
    const ended = await this.daemon.stop();
    await this.proxy.close();
    await this.answers?.close();
    await this.#access.close();
    await this.plane.stop();
    await rm(this.#folder, { recursive: true, force: true });
    return ended;
  }
}

/** Tries until the API server has answered; for requests that may be repeated. */
async function persist<T>(ask: () => Promise<T>): Promise<T> {
  for (const deadline = performance.now() + 180_000; ;) {
    try {
      return await ask();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(200);
    }
  }
}
