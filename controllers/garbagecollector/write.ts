import { type KubeObject, type OwnerReference, isApiError, isConflict } from '#pkg/api';
import type { Client, ResourceClient } from '#pkg/client';

import type { PropagationPolicy } from './decide.ts';
import { look, saysThereIsNone } from './owners.ts';
import { type Kind, type Ownership, type Vertex, all } from './vertex.ts';

/** `gone`: it is not there any more; `changed`: it is not as it was when it was judged. */
export type Outcome = 'done' | 'gone' | 'changed';

/** An object as the graph knew it at one moment; the vertex itself moves on. */
export interface Judged {
  readonly uid: string;
  readonly kind: Kind;
  readonly name: string;
  readonly namespace: string;
  readonly version: string;
  readonly ownerships: readonly Ownership[];
}

export function judged({ uid, kind, name, namespace, version, owners }: Vertex): Judged | undefined {
  return kind && { uid, kind, name, namespace, version: String(version), ownerships: all(owners) };
}

const FINALIZER_TRIES = 5;

/** The writes of the collector, one request each where the server takes strategic merge patches. */
export class Writer {
  readonly #client: Client;
  /** Kinds that take merge patches only: custom resources. */
  readonly #plain = new WeakSet<Kind>();

  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Deletes the object if it is still in the state in which it was judged: with other owners by now it might have to stay.
   * So it need not be read before, as upstream does.
   */
  async delete(object: Judged, propagationPolicy: PropagationPolicy, signal: AbortSignal): Promise<Outcome> {
    const { uid, version: resourceVersion, name } = object;
    try {
      await this.#of(object).delete(placeOf(object), {
        propagationPolicy,
        preconditions: { uid, resourceVersion },
        signal,
      });
      return 'done';
    } catch (error) {
      if (saysThereIsNone(error, name)) return 'gone';
      if (isConflict(error)) return 'changed';
      throw error;
    }
  }

  /**
   * The object as it is now, where its owners are those by which it was judged: other changes do not matter
   * (`deleteObject` in `operations.go`).
   */
  async renewed(object: Judged, signal: AbortSignal): Promise<Judged | Exclude<Outcome, 'done'>> {
    const live = await look(this.#client, object.kind.resource, placeOf(object), signal);
    if (live?.uid !== object.uid) return 'gone';
    const { ownerReferences = [] } = live;
    const same =
      ownerReferences.length === object.ownerships.length &&
      object.ownerships.every((ownership, i) => ownership.says(ownerReferences[i]!));
    return same ? { ...object, version: live.resourceVersion } : 'changed';
  }

  /** Takes the references to these owners off. */
  async dropOwners(object: Judged, uids: readonly string[], signal: AbortSignal): Promise<Outcome> {
    const rest = (): OwnerReference[] =>
      object.ownerships.map((each) => each.toReference()).filter(({ uid }) => !uids.includes(uid));
    return this.#patchOwners(
      object,
      uids.map((uid) => ({ $patch: 'delete', uid })),
      rest,
      signal,
    );
  }

  /** Lets the owners go before it. */
  async unblockOwners(object: Judged, signal: AbortSignal): Promise<Outcome> {
    const references = object.ownerships.map((each) => each.toReference());
    const unblocked = (each: OwnerReference): OwnerReference =>
      each.blockOwnerDeletion ? { ...each, blockOwnerDeletion: false } : each;
    return this.#patchOwners(
      object,
      references.filter(({ blockOwnerDeletion }) => blockOwnerDeletion).map(unblocked),
      () => references.map(unblocked),
      signal,
    );
  }

  /** Takes a finalizer off, whatever else has changed about the object. */
  async removeFinalizer(object: Judged, finalizer: string, signal: AbortSignal): Promise<Outcome> {
    const body = { metadata: { uid: object.uid, '$deleteFromPrimitiveList/finalizers': [finalizer] } };
    return (await this.#strategic(object, body, signal)) ?? this.#rewriteFinalizers(object, finalizer, signal);
  }

  async #patchOwners(
    object: Judged,
    changes: readonly object[],
    result: () => readonly OwnerReference[],
    signal: AbortSignal,
  ): Promise<Outcome> {
    const { uid, version: resourceVersion } = object;
    const patched = await this.#strategic(object, { metadata: { uid, ownerReferences: changes } }, signal);
    if (patched) return patched;
    const ownerReferences = result();
    return this.#merge(
      object,
      { uid, resourceVersion, ownerReferences: ownerReferences.length > 0 ? ownerReferences : null },
      signal,
    );
  }

  async #rewriteFinalizers(object: Judged, finalizer: string, signal: AbortSignal): Promise<Outcome> {
    for (let attempt = 1; ; attempt++) {
      const live = await look(this.#client, object.kind.resource, placeOf(object), signal);
      if (live?.uid !== object.uid) return 'gone';
      const { finalizers = [], resourceVersion, uid } = live;
      if (!finalizers.includes(finalizer)) return 'done';
      const outcome = await this.#merge(
        object,
        { uid, resourceVersion, finalizers: finalizers.filter((each) => each !== finalizer) },
        signal,
      );
      if (outcome !== 'changed' || attempt === FINALIZER_TRIES) return outcome;
    }
  }

  /** Undefined where the server takes none for this kind. */
  async #strategic(object: Judged, body: object, signal: AbortSignal): Promise<Outcome | undefined> {
    if (this.#plain.has(object.kind)) return undefined;
    try {
      await this.#of(object).patch(placeOf(object), 'strategic', body, { metadataOnly: true, signal });
      return 'done';
    } catch (error) {
      if (isApiError(error, 'UnsupportedMediaType')) {
        this.#plain.add(object.kind);
        return undefined;
      }
      return outcomeOf(error, object);
    }
  }

  async #merge(object: Judged, metadata: object, signal: AbortSignal): Promise<Outcome> {
    try {
      await this.#of(object).patch(placeOf(object), 'merge', { metadata }, { metadataOnly: true, signal });
      return 'done';
    } catch (error) {
      return outcomeOf(error, object);
    }
  }

  #of({ kind }: Judged): ResourceClient<KubeObject> {
    return this.#client.resource(kind.resource);
  }
}

function outcomeOf(error: unknown, { name }: Judged): Outcome {
  if (saysThereIsNone(error, name)) return 'gone';
  if (isConflict(error)) return 'changed';
  throw error;
}

function placeOf({ name, namespace }: Judged): { readonly name: string; readonly namespace?: string } {
  return namespace === '' ? { name } : { name, namespace };
}
