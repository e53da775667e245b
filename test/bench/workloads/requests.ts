import type { RecordedRequest } from '../../harness/audit-log.ts';

/** A manager's requests: its own user's and those of its controllers' service accounts, without lease renewal. */
export function ofManager(requests: readonly RecordedRequest[]): RecordedRequest[] {
  return requests.filter(
    ({ user, resource }) =>
      resource !== 'leases' &&
      (user === 'system:kube-controller-manager' || user.startsWith('system:serviceaccount:kube-system:')),
  );
}

/** `create pods: 2000`, most frequent first. */
export function byKind(requests: readonly RecordedRequest[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const { verb, resource } of requests) {
    const kind = `${verb} ${resource}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].toSorted((a, b) => b[1] - a[1]);
}

export function conflictsOf(requests: readonly RecordedRequest[]): number {
  return requests.filter(({ code }) => code === 409).length;
}
