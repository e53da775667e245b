import type { OwnerReference } from '#pkg/api';

import { AbsentOwners } from './absent-owners.ts';
import {
  Claim,
  type Kind,
  type Observation,
  type Ownership,
  Vertex,
  all,
  awaitsDependents,
  awaitsOrphans,
  flagsOf,
  withOne,
  without,
} from './vertex.ts';

/** Deletions remembered, so that an older event that comes late does not bring an object back. */
const DELETIONS_KEPT = 4096;
/** Namespaces and kinds of which there is one copy; beyond that most have gone. */
const TEXTS_KEPT = 10_000;

/** What follows from a change of the graph; each is told by UID, and to be looked at soon. */
export interface GraphListener {
  /** Its owners may have gone or it may have waited for dependents that have; or nobody knows whether it is there. */
  suspect(uid: string): void;
  /** It is being deleted, and its dependents are to be let go before. */
  orphans(uid: string): void;
  /** The owner that the claim is about is in another namespace than this dependent. */
  misplaced(dependent: Vertex, claim: Claim): void;
}

/**
 * Who owns whom, as far as it has been seen: what `GraphBuilder` is upstream. Changes are taken in at once, in the order
 * of each resource's own events; between resources there is no order, so a dependent may be seen long before its owner or
 * after its end. It makes no request and decides nothing.
 */
export class Graph {
  readonly #vertices = new Map<string, Vertex>();
  readonly #listener: GraphListener;
  readonly #texts = new Map<string, string>();
  readonly #gone = new Set<string>();
  readonly #absent = new AbsentOwners();

  constructor(listener: GraphListener) {
    this.#listener = listener;
  }

  get size(): number {
    return this.#vertices.size;
  }

  get(uid: string): Vertex | undefined {
    return this.#vertices.get(uid);
  }

  vertices(): IterableIterator<Vertex> {
    return this.#vertices.values();
  }

  /** Its end has been seen, and nothing that is older may bring it back. */
  hasGone(uid: string): boolean {
    return this.#gone.has(uid);
  }

  /** An object is there in this state. */
  observe(kind: Kind, observation: Observation): void {
    const { uid, ownerReferences = [] } = observation;
    let vertex = this.#vertices.get(uid);
    if (vertex === undefined) {
      vertex = new Vertex(uid);
      this.#vertices.set(uid, vertex);
    }
    this.#gone.delete(uid);
    const isNew = !vertex.observed;
    const moved =
      isNew ||
      vertex.name !== observation.name ||
      vertex.namespace !== (observation.namespace ?? '') ||
      vertex.kind !== kind;
    if (vertex.kind !== kind) {
      if (vertex.kind !== undefined) vertex.kind.objects--;
      kind.objects++;
      vertex.kind = kind;
    }
    vertex.version = versionOf(observation.resourceVersion);
    if (moved) {
      vertex.name = observation.name;
      vertex.namespace = this.#shared(observation.namespace ?? '');
      this.#met(vertex);
    }
    const before = vertex.flags;
    vertex.flags = flagsOf(observation);
    if (isNew || !saysTheSame(vertex, ownerReferences)) this.#own(vertex, ownerReferences);
    if (vertex.flags !== before) this.#transition(vertex, before);
  }

  /** The object of this UID that was of this kind has gone for good. */
  remove(kind: Kind, uid: string): void {
    this.#remember(uid);
    const vertex = this.#vertices.get(uid);
    // One UID may be seen under two resources; only the one that is known counts.
    if (vertex?.kind !== kind) return;
    for (const claim of all(vertex.claims)) if (claim.metExactly) claim.absent = true;
    this.#leave(vertex);
    for (const claim of all(vertex.claims))
      for (const dependent of claim.eachDependent()) this.#listener.suspect(dependent.uid);
  }

  /** The object cannot be seen any more, which says nothing of whether it is there. */
  forget(vertex: Vertex): void {
    this.#leave(vertex);
  }

  /** There is no owner as claimed, as the server has said. */
  refute(claim: Claim): void {
    if (claim.absent || claim.metExactly) return;
    claim.absent = true;
    for (const dependent of claim.eachDependent()) this.#listener.suspect(dependent.uid);
  }

  /** Has everything looked at of which nobody knows whether it is there. */
  suspectUnobserved(): void {
    for (const vertex of this.#vertices.values()) {
      if (!vertex.observed && all(vertex.claims).some(({ absent }) => !absent)) this.#listener.suspect(vertex.uid);
    }
  }

  /** The owner's first sight: who else was meant by its UID? */
  #met(owner: Vertex): void {
    for (const claim of all(owner.claims)) {
      if (claim.met) {
        claim.absent = false;
        continue;
      }
      for (const dependent of claim.eachDependent()) {
        if (claim.crossesNamespaces) this.#listener.misplaced(dependent, claim);
        this.#listener.suspect(dependent.uid);
      }
    }
  }

  #transition(vertex: Vertex, before: number): void {
    // Who asks for both gets orphans (`processTransitions`).
    if (vertex.awaitsOrphans) {
      if (!awaitsOrphans(before)) this.#listener.orphans(vertex.uid);
      return;
    }
    if (!vertex.awaitsDependents || (awaitsDependents(before) && !awaitsOrphans(before))) return;
    for (const claim of all(vertex.claims))
      for (const dependent of claim.eachDependent()) this.#listener.suspect(dependent.uid);
    this.#listener.suspect(vertex.uid);
  }

  #own(vertex: Vertex, references: readonly OwnerReference[]): void {
    const before = all(vertex.owners);
    const kept = new Set<Ownership>();
    let owners: Vertex['owners'];
    let isSuspect = false;
    let isReported = false;
    for (const reference of references) {
      const claim = this.#claim(vertex, reference);
      const ownership = claim.ownership(reference);
      // The same twice says no more than once.
      if (kept.has(ownership)) continue;
      kept.add(ownership);
      owners = withOne(owners, ownership);
      // What was to be kept for the sake of an owner that it has no more is looked at by those that are left.
      isSuspect ||= isDoubtful(claim);
      if (before.includes(ownership)) continue;
      claim.addDependent(vertex);
      if (ownership.blockOwnerDeletion) claim.blocking++;
      if (!claim.owner.observed && !claim.absent) this.#listener.suspect(claim.owner.uid);
      if (claim.crossesNamespaces && !isReported) {
        isReported = true;
        this.#listener.misplaced(vertex, claim);
      }
    }
    vertex.owners = owners;
    for (const ownership of before) if (!kept.has(ownership)) this.#disown(vertex, ownership);
    if (isSuspect) this.#listener.suspect(vertex.uid);
  }

  #claim(dependent: Vertex, reference: OwnerReference): Claim {
    let owner = this.#vertices.get(reference.uid);
    if (owner === undefined) {
      owner = new Vertex(reference.uid);
      this.#vertices.set(reference.uid, owner);
    }
    const known = all(owner.claims).find((claim) => claim.namespace === dependent.namespace && claim.names(reference));
    if (known) return known;
    const shared = { ...reference, apiVersion: this.#shared(reference.apiVersion), kind: this.#shared(reference.kind) };
    const claim = new Claim(owner, shared, dependent.namespace);
    claim.absent = !claim.met && this.#absent.has(claim);
    owner.claims = withOne(owner.claims, claim);
    return claim;
  }

  #disown(vertex: Vertex, ownership: Ownership): void {
    const { claim } = ownership;
    const { owner } = claim;
    if (ownership.blockOwnerDeletion) claim.blocking--;
    // With two references to one owner it stays a dependent by the other.
    if (!all(vertex.owners).some((other) => other.claim === claim)) claim.removeDependent(vertex);
    if (claim.dependents === undefined) {
      if (claim.absent) this.#absent.add(claim);
      owner.claims = without(owner.claims, claim);
      if (owner.claims === undefined && !owner.observed) this.#vertices.delete(owner.uid);
    }
    if (owner.awaitsDependents && !isBlocked(owner)) this.#listener.suspect(owner.uid);
  }

  /** The object is none any more; its UID stays for as long as others speak of it. */
  #leave(vertex: Vertex): void {
    const owners = all(vertex.owners);
    if (vertex.kind !== undefined) vertex.kind.objects--;
    vertex.owners = undefined;
    vertex.kind = undefined;
    vertex.name = '';
    vertex.namespace = '';
    vertex.flags = 0;
    for (const ownership of owners) this.#disown(vertex, ownership);
    if (vertex.claims === undefined) this.#vertices.delete(vertex.uid);
  }

  #remember(uid: string): void {
    this.#gone.add(uid);
    if (this.#gone.size <= DELETIONS_KEPT) return;
    for (const oldest of this.#gone) {
      this.#gone.delete(oldest);
      return;
    }
  }

  /** One copy of a text that many objects have. */
  #shared(text: string): string {
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= TEXTS_KEPT) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }
}

/** A dependent that makes such a claim is to be looked at. */
function isDoubtful(claim: Claim): boolean {
  const { owner } = claim;
  return claim.absent || (owner.observed && (!claim.met || owner.awaitsDependents));
}

/** Some dependent does not let it go first. Who means another object by its UID has no say. */
export function isBlocked(owner: Vertex): boolean {
  return all(owner.claims).some((claim) => claim.blocking > 0 && claim.met);
}

export function* dependentsOf(owner: Vertex): Generator<Vertex, void, undefined> {
  for (const claim of all(owner.claims)) yield* claim.eachDependent();
}

function saysTheSame(vertex: Vertex, references: readonly OwnerReference[]): boolean {
  const owners = all(vertex.owners);
  return owners.length === references.length && owners.every((ownership, index) => ownership.says(references[index]!));
}

/** A version as small as it can be kept. */
export function versionOf(resourceVersion: string): number | string {
  const number = Number(resourceVersion);
  return Number.isSafeInteger(number) && String(number) === resourceVersion ? number : resourceVersion;
}
