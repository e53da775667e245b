import type { Core } from './handler/call.ts';
import { deleteNamed } from './handler/delete.ts';

/**
 * Endpoints go with the Service of their name, so that a new Service of that name does not begin with old ones
 * (`afterDelete` of `pkg/registry/core/service/storage`). Returns what ends it.
 */
export function removeEndpointsOfServices(core: Core): () => void {
  const endpoints = core.registry.find('', 'v1', 'endpoints');
  if (endpoints === undefined) return () => {};
  return core.store.watch('services', {}, core.store.revision, ({ type, entry }) => {
    if (type === 'DELETED' && core.store.get('endpoints', entry.key) !== undefined) deleteNamed(core, endpoints, entry);
  });
}
