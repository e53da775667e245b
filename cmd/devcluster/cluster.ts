import { ownValue } from '#pkg/base';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { load } from 'js-yaml';
import { type ApiServer, type RunningServer, createApiServer, startSimulation, writePrivate } from '#pkg/apiserver';
import { DevclusterError } from './errors.ts';
import type { ClusterOptions } from './options.ts';

/** An API server that is being served, with nodes, and the files that lead to it. */
export interface Cluster {
  readonly server: ApiServer;
  readonly running: RunningServer;
  /** For people: may do everything. */
  readonly adminKubeconfig: string;
  /** The same person's certificate and key, for what speaks no kubeconfig. */
  readonly adminPem: string;
  /** For the manager: may do what its bootstrap roles say. */
  readonly managerKubeconfig: string;
  close(): Promise<void>;
}

const HEARTBEAT = 10_000;

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const adminKubeconfig = join(resolve(options.dataDir), 'kubeconfig');
  const adminPem = join(resolve(options.dataDir), 'admin.pem');
  const managerKubeconfig = join(options.dataDir, 'kube-controller-manager.kubeconfig');
  makeFolder(resolve(options.dataDir));
  const server = createApiServer();
  try {
    const running = await listen(server, options.port);
    const admin = await running.kubeconfig({ commonName: 'devcluster-admin', organizations: ['system:masters'] });
    writePrivate(adminKubeconfig, admin);
    writePrivate(adminPem, pemOf(admin));
    writePrivate(managerKubeconfig, await running.kubeconfig({ commonName: 'system:kube-controller-manager' }));
    const simulation = startSimulation(server, { nodes: options.nodes, heartbeat: HEARTBEAT, events: true });
    const close = async (): Promise<void> => {
      simulation.stop();
      await server.close();
    };
    return { server, running, adminKubeconfig, adminPem, managerKubeconfig, close };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** Certificate and key of a kubeconfig's one user. */
function pemOf(kubeconfig: string): string {
  const { users } = load(kubeconfig) as { users: readonly { readonly user: Readonly<Record<string, string>> }[] };
  const text = (field: string): string => Buffer.from(ownValue(users[0]!.user, field)!, 'base64').toString('utf8');
  return `${text('client-certificate-data').trimEnd()}\n${text('client-key-data').trimEnd()}\n`;
}

function makeFolder(path: string): void {
  try {
    makePath(path);
  } catch (error) {
    throw new DevclusterError('BadOption', `--data-dir: cannot make the folder ${path}`, undefined, { cause: error });
  }
}

/** Node's own recursion does not end where the file system takes no folders, as under /proc. */
function makePath(path: string): void {
  if (existsSync(path)) return;
  makePath(dirname(path));
  mkdirSync(path);
}

async function listen(server: ApiServer, port: number): Promise<RunningServer> {
  try {
    return await server.serve({ port });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EADDRINUSE')
      throw new DevclusterError('BadOption', `--port: ${port} is in use`, 'leave it out for any free port');
    if (code === 'EACCES')
      throw new DevclusterError(
        'BadOption',
        `--port: ${port} needs more rights than you have`,
        'ports from 1024 on are free to use',
      );
    throw error;
  }
}
