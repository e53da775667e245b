import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { resources } from '#pkg/api';
import type { RequestLog } from '#pkg/apiserver';

import { MAIN } from './daemon.ts';
import { startEmbeddedControlPlane } from './embedded-control-plane.ts';
import { Child } from './processes.ts';
import { assetsFolder, startRealControlPlane } from './real-control-plane.ts';
import { type PodRunner, runPods } from './run-pods.ts';
import { createTestClient } from './test-client.ts';

/** An API server to run black-box suites against, and how to reach it. */
export interface ControlPlane {
  /** Paths of kubeconfig files: a member of system:masters, the user system:kube-controller-manager, and one without rights. */
  readonly adminKubeconfig: string;
  readonly managerKubeconfig: string;
  readonly strangerKubeconfig: string;
  /** As the first, with a client certificate of yesterday; of a real kube-apiserver only. */
  readonly expiredKubeconfig?: string;
  /** Ends the API server with a signal and starts it again on the same port and data, where it is a process of ours. */
  readonly restart?: (signal: NodeJS.Signals) => Promise<void>;
  /** Path of a kubeconfig file of another member of system:masters, of that user name; where we hold the cluster's authority. */
  readonly member?: (name: string) => Promise<string>;
  stop(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** A garbage collector of ours runs beside what is tested. */
  readonly collect?: boolean;
  /** Hears of every request, where the server is the embedded one. */
  readonly requestLog?: RequestLog;
  /** Path of a file for every request, where it is a kube-apiserver of ours: see {@link RealControlPlaneOptions}. */
  readonly auditLog?: string;
  /** More flags for that kube-apiserver. */
  readonly apiServerFlags?: readonly string[];
}

export type ControlPlaneKind = 'kube-apiserver' | 'existing cluster' | 'embedded server';

/**
 * Which API server the suites run against, said in their titles: a cluster of the caller's without controller manager
 * (`TEST_KUBECONFIG`), a real kube-apiserver with etcd (`KUBEBUILDER_ASSETS`), else the embedded one.
 */
export function controlPlaneKind(): ControlPlaneKind {
  if (process.env['TEST_KUBECONFIG']) return 'existing cluster';
  return assetsFolder() ? 'kube-apiserver' : 'embedded server';
}

/** Starts, or finds, the API server of {@link controlPlaneKind}, with something that makes Pods run. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const plane = await startPlane(options);
  return options.collect ? withCollector(plane) : plane;
}

async function startPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  switch (controlPlaneKind()) {
    case 'embedded server':
      return startEmbeddedControlPlane(options);
    case 'kube-apiserver':
      return withPods(await startRealControlPlane(assetsFolder()!, options));
    case 'existing cluster': {
      const path = process.env['TEST_KUBECONFIG']!;
      await readFile(path);
      return withPods({
        adminKubeconfig: path,
        managerKubeconfig: path,
        strangerKubeconfig: path,
        stop: async () => {},
      });
    }
  }
}

/** The original manager, where it lies beside the API server. */
export function originalManager(): string | undefined {
  const folder = assetsFolder();
  const path = folder && join(folder, 'kube-controller-manager');
  return path && existsSync(path) ? path : undefined;
}

function withCollector(plane: ControlPlane): ControlPlane {
  const flags = [
    `--kubeconfig=${plane.adminKubeconfig}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--controllers=garbage-collector-controller',
  ];
  const collector = new Child('collector', process.execPath, [MAIN, ...flags]);
  return {
    ...plane,
    async stop() {
      await collector.stop();
      await plane.stop();
    },
  };
}

/** Where there is no node, nothing runs Pods; the harness then does. */
async function withPods(plane: ControlPlane): Promise<ControlPlane> {
  const access = await createTestClient(plane.adminKubeconfig);
  const nodes = await access.client.resource(resources.nodes).list({ limit: 1 });
  const runner: PodRunner | undefined =
    nodes.items.length === 0 ? runPods(access.client, { persistent: plane.restart !== undefined }) : undefined;
  return {
    ...plane,
    async stop() {
      try {
        await runner?.stop();
      } finally {
        await access.close();
        await plane.stop();
      }
    },
  };
}
