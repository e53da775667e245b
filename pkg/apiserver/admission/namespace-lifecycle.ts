import { type JsonObject, objectAt, stringAt } from '../json.ts';
import { forbidden, notFound } from '../refusals.ts';
import type { Resource } from '../registry/registry.ts';
import type { Store } from '../store/index.ts';

const NAMESPACES = { group: '', resource: 'namespaces' };
/** These always stay, so that a cluster has them. */
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);
/** Asking what one may do is allowed also where nothing can be created any more. */
const EXEMPT = new Set(['localsubjectaccessreviews']);

/**
 * Nothing is created in a namespace that is not there or on its way out
 * (`k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle`).
 */
export function admitCreateInNamespace(store: Store, resource: Resource, namespace: string, name: string): void {
  if (EXEMPT.has(resource.resource)) return;
  const entry = store.get('namespaces', namespace);
  if (entry === undefined) throw notFound(NAMESPACES, namespace);
  if (stringAt(objectAt(entry.object, 'status'), 'phase') !== 'Terminating') return;
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`;
  const message = `namespace ${namespace} is being terminated`;
  throw forbidden(resource, name, why, [{ reason: 'NamespaceTerminating', message, field: 'metadata.namespace' }]);
}

export function admitDelete(resource: Resource, name: string): void {
  if (resource.storage === 'namespaces' && IMMORTAL.has(name))
    throw forbidden(resource, name, 'this namespace may not be deleted');
}

export function namespacePhase(object: Readonly<JsonObject>): string | undefined {
  return stringAt(objectAt(object, 'status'), 'phase');
}
