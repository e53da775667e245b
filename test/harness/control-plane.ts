import { readFile } from 'node:fs/promises';

import { resources } from '#pkg/api';

import { startEmbeddedControlPlane } from './embedded-control-plane.ts';
import { assetsFolder, startRealControlPlane } from './real-control-plane.ts';
import { type PodRunner, runPods } from './run-pods.ts';
import { createTestClient } from './test-client.ts';

/** An API server to run black-box suites against, and how to reach it. */
export interface ControlPlane {
  /** Paths of kubeconfig files: a member of system:masters, and the user system:kube-controller-manager. */
  readonly adminKubeconfig: string;
  readonly managerKubeconfig: string;
  stop(): Promise<void>;
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
export async function startControlPlane(): Promise<ControlPlane> {
  switch (controlPlaneKind()) {
    case 'embedded server':
      return startEmbeddedControlPlane();
    case 'kube-apiserver':
      return withPods(await startRealControlPlane(assetsFolder()!));
    case 'existing cluster': {
      const path = process.env['TEST_KUBECONFIG']!;
      await readFile(path);
      return withPods({ adminKubeconfig: path, managerKubeconfig: path, stop: async () => {} });
    }
  }
}

/** Where there is no node, nothing runs Pods; the harness then does. */
async function withPods(plane: ControlPlane): Promise<ControlPlane> {
  const access = await createTestClient(plane.adminKubeconfig);
  const nodes = await access.client.resource(resources.nodes).list({ limit: 1 });
  const runner: PodRunner | undefined = nodes.items.length === 0 ? runPods(access.client) : undefined;
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
