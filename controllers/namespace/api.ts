import { type KubeObject, type Namespace, isApiError, resourcePath, resources } from '#pkg/api';
import { type Client, type DiscoveredResource, ignoreNotFound } from '#pkg/client';

const METADATA = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json';
/** Nobody's dependents are to be orphaned: they are in the same namespace, and go, too. */
const IN_THE_BACKGROUND = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' };

/** The requests that emptying a namespace takes. Objects come as their metadata alone. */
export class Api {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Undefined where it is gone. */
  namespace(name: string, signal: AbortSignal): Promise<Namespace | undefined> {
    return ignoreNotFound(this.#client.resource(resources.namespaces).get({ name }, { signal }));
  }

  updateStatus(namespace: Namespace, signal: AbortSignal): Promise<Namespace> {
    return this.#client.resource(resources.namespaces).updateStatus(namespace, { signal });
  }

  async finalize(namespace: Namespace, signal: AbortSignal): Promise<void> {
    const path = resourcePath(resources.namespaces, undefined, namespace.metadata.name, 'finalize');
    await this.#client.request(
      { method: 'PUT', path, body: { apiVersion: 'v1', kind: 'Namespace', ...namespace } },
      { signal },
    );
  }

  /** Undefined where the server lists no such thing, whatever discovery says. */
  async list(
    resource: DiscoveredResource,
    namespace: string,
    signal: AbortSignal,
  ): Promise<readonly KubeObject[] | undefined> {
    try {
      return (
        await this.#client.resource(resource).list({ namespace, metadataOnly: true, dropManagedFields: true, signal })
      ).items;
    } catch (error) {
      if (isUnsupported(error)) return undefined;
      throw error;
    }
  }

  /**
   * Deletes all of a resource in a namespace. `empty`: the server says that there was nothing. `unsupported`: it does not delete whole
   * collections, whatever discovery says.
   */
  async deleteAll(
    resource: DiscoveredResource,
    namespace: string,
    signal: AbortSignal,
  ): Promise<'asked' | 'empty' | 'unsupported'> {
    try {
      const request = {
        method: 'DELETE',
        path: resourcePath(resource, namespace),
        body: IN_THE_BACKGROUND,
        accept: METADATA,
      } as const;
      return isEmptyList(await this.#client.request(request, { signal })) ? 'empty' : 'asked';
    } catch (error) {
      if (isUnsupported(error)) return 'unsupported';
      throw error;
    }
  }

  /** One that is gone, or of a kind that is not deleted, is no failure. */
  async delete(
    resource: DiscoveredResource,
    { metadata: { name, namespace, uid } }: KubeObject,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      const place = namespace === undefined ? { name } : { name, namespace };
      await this.#client
        .resource(resource)
        .delete(place, { propagationPolicy: 'Background', preconditions: { uid }, signal });
    } catch (error) {
      if (!isUnsupported(error)) throw error;
    }
  }
}

/** Some answer with "not found" for verbs that they do not have (kubernetes/kubernetes#22413). */
function isUnsupported(error: unknown): boolean {
  return isApiError(error, 'MethodNotAllowed', 'NotFound');
}

/** A server of its own making may answer with a Status, which says nothing of what there was. */
function isEmptyList(answer: unknown): boolean {
  if (typeof answer !== 'object' || answer === null) return false;
  const { kind, items, metadata } = answer as { kind?: unknown; items?: unknown; metadata?: { continue?: string } };
  if (typeof kind !== 'string' || !kind.endsWith('List') || (metadata?.continue ?? '') !== '') return false;
  return items === null || (Array.isArray(items) && items.length === 0);
}
