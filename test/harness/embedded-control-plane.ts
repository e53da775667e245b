import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createApiServer, startSimulation } from '#pkg/apiserver';

import type { ControlPlane, ControlPlaneOptions } from './control-plane.ts';

/** The embedded API server in this process, over HTTPS, with simulated nodes. */
export async function startEmbeddedControlPlane({ requestLog }: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-'));
  const server = createApiServer(requestLog ? { requestLog } : {});
  const simulation = startSimulation(server, { delays: { start: 100, termination: 200 } });
  const running = await server.serve();
  const file = async (commonName: string, organizations: readonly string[]): Promise<string> => {
    const path = join(folder, `${commonName}.kubeconfig`);
    await writeFile(path, await running.kubeconfig({ commonName, organizations }), { mode: 0o600 });
    return path;
  };
  return {
    adminKubeconfig: await file('admin', ['system:masters']),
    managerKubeconfig: await file('system:kube-controller-manager', []),
    strangerKubeconfig: await file('stranger', []),
    async stop() {
      simulation.stop();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
