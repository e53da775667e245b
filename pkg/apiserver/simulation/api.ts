import { admin } from '../auth/users.ts';
import type { Handler } from '../handler/handler.ts';
import type { Resource } from '../registry/registry.ts';

/** Sends one request to the handler as the cluster's own housekeeping; resolves with the HTTP status. */
export async function request(handler: Handler, method: string, path: string, body: unknown, contentType = 'application/json'): Promise<number> {
  const headers = { 'content-type': contentType, 'user-agent': 'simulation' };
  const response = await handler({ method, path, headers, body: JSON.stringify(body), user: admin });
  return response.status;
}

export function objectPath(resource: Resource, key: string): string {
  const slash = key.indexOf('/');
  const root = `${resource.group === '' ? '/api' : '/apis'}/${resource.apiVersion}`;
  if (slash < 0) return `${root}/${resource.resource}/${encodeURIComponent(key)}`;
  return `${root}/namespaces/${key.slice(0, slash)}/${resource.resource}/${encodeURIComponent(key.slice(slash + 1))}`;
}

/** One resource for each place where objects are stored, whatever versions are served. */
export function storedResources(all: readonly Resource[]): Resource[] {
  const byStorage = new Map<string, Resource>();
  for (const resource of all) {
    if (!resource.verbs.includes('watch')) continue;
    const known = byStorage.get(resource.storage);
    // Best in the version in which it is stored.
    if (known === undefined || (known.conversion !== undefined && resource.conversion === undefined)) byStorage.set(resource.storage, resource);
  }
  return [...byStorage.values()];
}
