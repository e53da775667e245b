import { type NamespacedName, type ResourceType, apiVersionOf, isApiError, isNotFound } from '#pkg/api';
import type { Clock } from '#pkg/base';
import type { Client } from '#pkg/client';

import type { OwnerStanding, Standing } from './decide.ts';
import { CollectorError } from './errors.ts';
import type { Graph } from './graph.ts';
import type { Kinds } from './kinds.ts';
import { type Claim, FOREGROUND_FINALIZER, type Ownership, type Vertex } from './vertex.ts';

export interface OwnersOptions {
  readonly client: Client;
  readonly graph: Graph;
  readonly kinds: Kinds;
  readonly clock: Clock;
}

/** For so long it is believed of an owner that it still waits for its dependents, ms: they are many, and come together. */
const WAITING_BELIEVED = 1000;
/** Owners that are believed at a time; beyond that most are of the past. */
const BELIEVED_KEPT = 1000;

/**
 * How a dependent's owners stand. What the graph has seen for itself needs no request: that an owner is there, which at
 * worst is seen too late to be otherwise, and that it has gone, which is for good. What it only knows from hearsay, and that
 * an owner wants its dependents deleted, the server is asked about, once for all dependents that come together.
 */
export class Owners {
  readonly #options: OwnersOptions;
  readonly #asking = new Map<Claim, Promise<Standing>>();
  readonly #waiting = new Map<Vertex, number>();

  constructor(options: OwnersOptions) {
    this.#options = options;
  }

  /** Rejects with what keeps one of them from being known. */
  async standings(ownerships: readonly Ownership[], signal: AbortSignal): Promise<OwnerStanding[]> {
    const standings: OwnerStanding[] = [];
    for (const { claim } of ownerships)
      standings.push({ uid: claim.owner.uid, standing: this.#known(claim) ?? (await this.ask(claim, signal)) });
    return standings;
  }

  /** Asks the server, and tells the graph of an owner that is not there. */
  ask(claim: Claim, signal: AbortSignal): Promise<Standing> {
    const under = this.#asking.get(claim);
    if (under) return under;
    const asking = this.#ask(claim, signal).finally(() => this.#asking.delete(claim));
    this.#asking.set(claim, asking);
    return asking;
  }

  #known(claim: Claim): Standing | undefined {
    if (claim.absent) return 'dangling';
    if (!claim.met) return undefined;
    if (!claim.owner.awaitsDependents) return 'solid';
    // Who deletes in the foreground may change their mind, and then its dependents are to stay.
    const until = this.#waiting.get(claim.owner) ?? 0;
    return this.#options.clock.monotonic() < until ? 'waiting' : undefined;
  }

  async #ask(claim: Claim, signal: AbortSignal): Promise<Standing> {
    const { client, graph, kinds } = this.#options;
    const { apiVersion, kind, name, owner } = claim;
    const resource = kinds.resourceOf(claim);
    if (resource.namespaced && claim.namespace === '') {
      throw new CollectorError('OwnerInNamespace', 'cluster-scoped objects cannot refer to namespaced owners', {
        apiVersion,
        kind,
      });
    }
    const place = { name, ...(resource.namespaced ? { namespace: claim.namespace } : {}) };
    const live = await look(client, resource, place, signal);
    if (live?.uid !== owner.uid) {
      graph.refute(claim);
      return 'dangling';
    }
    if (live.deletionTimestamp === undefined || !live.finalizers?.includes(FOREGROUND_FINALIZER)) return 'solid';
    this.#believe(owner);
    return 'waiting';
  }

  #believe(owner: Vertex): void {
    if (this.#waiting.size >= BELIEVED_KEPT) this.#waiting.clear();
    this.#waiting.set(owner, this.#options.clock.monotonic() + WAITING_BELIEVED);
  }
}

/** The metadata of what is there now; undefined where there is nothing of that name. */
export async function look(client: Client, resource: ResourceType, place: NamespacedName, signal: AbortSignal) {
  try {
    return (await client.resource(resource).get(place, { metadataOnly: true, dropManagedFields: true, signal }))
      .metadata;
  } catch (error) {
    if (saysThereIsNone(error, place.name)) return undefined;
    if (!isNotFound(error)) throw error;
    throw new CollectorError(
      'Undecided',
      'the resource is not served at the moment',
      { apiVersion: apiVersionOf(resource), kind: resource.kind },
      { cause: error },
    );
  }
}

/**
 * The server knows the resource, and that it has no such object. A 404 that does not name the object comes from one that
 * does not serve the resource, for now or for ever, and says nothing of what is stored.
 */
export function saysThereIsNone(error: unknown, name: string): boolean {
  if (!isApiError(error, 'NotFound')) return false;
  const { details } = error.data.body;
  return details?.name === name && !(details.causes ?? []).some(({ reason }) => reason === 'UnexpectedServerResponse');
}
