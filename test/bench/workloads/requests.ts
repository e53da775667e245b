import { existsSync, readFileSync } from 'node:fs';

/** One request as the API server recorded it. */
export interface RecordedRequest {
  readonly user: string;
  readonly verb: string;
  /** `pods`, `deployments/status`. */
  readonly resource: string;
  readonly code: number;
}

interface AuditEvent {
  readonly user: { readonly username: string };
  readonly verb: string;
  readonly objectRef?: { readonly resource: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code: number };
}

/** Everything that an audit log holds; watches count when they end. */
export function readAuditLog(path: string): RecordedRequest[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { user, verb, objectRef, responseStatus } = JSON.parse(line) as AuditEvent;
      const { resource = 'none', subresource } = objectRef ?? {};
      return { user: user.username, verb, resource: subresource ? `${resource}/${subresource}` : resource, code: responseStatus?.code ?? 0 };
    });
}

/** A manager's requests: its own user's and those of its controllers' service accounts, without lease renewal. */
export function ofManager(requests: readonly RecordedRequest[]): RecordedRequest[] {
  return requests.filter(
    ({ user, resource }) => resource !== 'leases' && (user === 'system:kube-controller-manager' || user.startsWith('system:serviceaccount:kube-system:')),
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
