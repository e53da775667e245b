import { PROGRAM } from '../options/options.ts';

const COMMIT_LENGTH = 7;

/** `kube-controller-manager/v1.36.2 (linux/amd64) kubernetes/0000000/<who>`, as client-go names itself. */
export function userAgent(version: string, who: string): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  return `${PROGRAM}/${version} (${process.platform}/${architecture}) kubernetes/${'0'.repeat(COMMIT_LENGTH)}/${who}`;
}
