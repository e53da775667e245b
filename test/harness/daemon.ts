import { join } from 'node:path';

import { Child } from './processes.ts';

export const MAIN = join(import.meta.dirname, '../../cmd/kube-controller-manager/main.ts');

export interface DaemonOptions {
  readonly kubeconfig: string;
  readonly flags?: readonly string[];
}

/**
 * Our controller manager as a process. `KCM_COMMAND` runs another program with the same flags in its place: the
 * original, or a bundle.
 */
export function startDaemon({ kubeconfig, flags = [] }: DaemonOptions): Child {
  const [command = process.execPath, ...rest] = process.env['KCM_COMMAND']?.split(' ') ?? [process.execPath, MAIN];
  return new Child('kube-controller-manager', command, [
    ...rest,
    `--kubeconfig=${kubeconfig}`,
    '--secure-port=0',
    ...flags,
  ]);
}
