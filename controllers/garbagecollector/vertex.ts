import type { OwnerReference, ResourceType } from '#pkg/api';

/** A resource in the version in which its objects are looked at, as all of its vertices share it. */
export interface Kind {
  readonly resource: ResourceType;
  readonly apiVersion: string;
  /** How many there are in the graph. */
  objects: number;
}

const DELETING = 1;
const FOREGROUND = 2;
const ORPHAN = 4;

export const FOREGROUND_FINALIZER = 'foregroundDeletion';
export const ORPHAN_FINALIZER = 'orphan';

/** What of an object's metadata the graph is made of. */
export interface Observation {
  readonly uid: string;
  readonly name: string;
  readonly namespace?: string;
  readonly resourceVersion: string;
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
}

/**
 * One UID of the graph: an object that has been seen, or one that others only speak of (a virtual node upstream). There
 * are as many as objects in the cluster, so that every field is weighed: strings are shared, what is mostly single has no
 * list, and what is rarely there has no field.
 */
export class Vertex {
  readonly uid: string;
  /** Undefined while no object of this UID has been seen, and after it has gone. */
  kind: Kind | undefined = undefined;
  name = '';
  /** Empty of cluster-scoped objects. */
  namespace = '';
  /** Of the last state that was seen; a number where it can be one, which is smaller. */
  version: number | string = 0;
  flags = 0;
  owners: Ownership | readonly Ownership[] | undefined = undefined;
  /** What dependents say of this UID. */
  claims: Claim | readonly Claim[] | undefined = undefined;

  constructor(uid: string) {
    this.uid = uid;
  }

  get observed(): boolean {
    return this.kind !== undefined;
  }

  /** It has a deletion timestamp. */
  get deleting(): boolean {
    return (this.flags & DELETING) !== 0;
  }

  /** It has the finalizer that lets dependents go first. */
  get foreground(): boolean {
    return (this.flags & FOREGROUND) !== 0;
  }

  get orphans(): boolean {
    return (this.flags & ORPHAN) !== 0;
  }

  /** Its dependents are to be deleted before it. */
  get awaitsDependents(): boolean {
    return awaitsDependents(this.flags);
  }

  /** Its dependents are to be let go before it. */
  get awaitsOrphans(): boolean {
    return awaitsOrphans(this.flags);
  }
}

export const awaitsDependents = (flags: number): boolean =>
  (flags & (DELETING | FOREGROUND)) === (DELETING | FOREGROUND);
export const awaitsOrphans = (flags: number): boolean => (flags & (DELETING | ORPHAN)) === (DELETING | ORPHAN);

/** What a dependent says of an owner. Dependents that say the same share one. */
export class Ownership {
  readonly claim: Claim;
  readonly controller: boolean | undefined;
  readonly blockOwnerDeletion: boolean | undefined;

  constructor(claim: Claim, reference: OwnerReference) {
    this.claim = claim;
    this.controller = reference.controller;
    this.blockOwnerDeletion = reference.blockOwnerDeletion;
  }

  says(reference: OwnerReference): boolean {
    return (
      this.controller === reference.controller &&
      this.blockOwnerDeletion === reference.blockOwnerDeletion &&
      this.claim.names(reference)
    );
  }

  toReference(): OwnerReference {
    const { claim, controller, blockOwnerDeletion } = this;
    return {
      apiVersion: claim.apiVersion,
      kind: claim.kind,
      name: claim.name,
      uid: claim.owner.uid,
      ...(controller === undefined ? {} : { controller }),
      ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
    };
  }
}

/**
 * That there is an owner of these coordinates, as dependents in one namespace claim it. The coordinates may be wrong: then
 * the owner is another object than the one of that UID, or none (KEP-2336).
 */
export class Claim {
  readonly owner: Vertex;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Of the dependents. */
  readonly namespace: string;
  /** It is proven that there is no such owner: its deletion was seen, or the server was asked. */
  absent = false;
  dependents: Vertex | Set<Vertex> | undefined = undefined;
  /** How many dependents do not let the owner go before them. */
  blocking = 0;
  /** Most dependents of an owner say the same of it. */
  ownerships: Ownership | readonly Ownership[] | undefined = undefined;

  constructor(owner: Vertex, reference: OwnerReference, namespace: string) {
    this.owner = owner;
    this.apiVersion = reference.apiVersion;
    this.kind = reference.kind;
    this.name = reference.name;
    this.namespace = namespace;
  }

  names(reference: OwnerReference): boolean {
    return (
      this.owner.uid === reference.uid &&
      this.name === reference.name &&
      this.kind === reference.kind &&
      this.apiVersion === reference.apiVersion
    );
  }

  /** The object that has been seen under the owner's UID is the one that is meant, in whatever version. */
  get met(): boolean {
    const { kind, name } = this.owner;
    return (
      kind !== undefined &&
      this.kind === kind.resource.kind &&
      this.name === name &&
      this.group === kind.resource.group &&
      !this.crossesNamespaces
    );
  }

  /** And it is meant in the version in which it has been seen. */
  get metExactly(): boolean {
    return this.met && this.apiVersion === this.owner.kind?.apiVersion;
  }

  get group(): string {
    const slash = this.apiVersion.indexOf('/');
    return slash < 0 ? '' : this.apiVersion.slice(0, slash);
  }

  /** The owner that has been seen is in another namespace than those who claim it. */
  get crossesNamespaces(): boolean {
    const { kind, namespace } = this.owner;
    return kind !== undefined && kind.resource.namespaced && namespace !== this.namespace;
  }

  ownership(reference: OwnerReference): Ownership {
    const known = all(this.ownerships).find((ownership) => ownership.says(reference));
    if (known) return known;
    const ownership = new Ownership(this, reference);
    this.ownerships = withOne(this.ownerships, ownership);
    return ownership;
  }

  addDependent(dependent: Vertex): void {
    const { dependents } = this;
    if (dependents === undefined) this.dependents = dependent;
    else if (dependents instanceof Set) dependents.add(dependent);
    else if (dependents !== dependent) this.dependents = new Set([dependents, dependent]);
  }

  removeDependent(dependent: Vertex): void {
    if (this.dependents === dependent) this.dependents = undefined;
    else if (this.dependents instanceof Set && this.dependents.delete(dependent) && this.dependents.size === 0)
      this.dependents = undefined;
  }

  *eachDependent(): Generator<Vertex, void, undefined> {
    if (this.dependents instanceof Set) yield* this.dependents;
    else if (this.dependents !== undefined) yield this.dependents;
  }
}

/** The flags that stand for what the metadata says. */
export function flagsOf({ deletionTimestamp, finalizers }: Observation): number {
  if (deletionTimestamp === undefined && finalizers === undefined) return 0;
  return (
    (deletionTimestamp ? DELETING : 0) |
    (finalizers?.includes(FOREGROUND_FINALIZER) ? FOREGROUND : 0) |
    (finalizers?.includes(ORPHAN_FINALIZER) ? ORPHAN : 0)
  );
}

/** A list that is mostly of one or none, as all of it. */
export function all<T extends object>(held: T | readonly T[] | undefined): readonly T[] {
  if (held === undefined) return [];
  return Array.isArray(held) ? (held as readonly T[]) : [held as T];
}

/** The same with one more. */
export function withOne<T extends object>(held: T | readonly T[] | undefined, one: T): T | readonly T[] {
  return held === undefined ? one : [...all(held), one];
}

/** The same without one. */
export function without<T extends object>(held: T | readonly T[] | undefined, one: T): T | readonly T[] | undefined {
  if (held === one) return undefined;
  if (!Array.isArray(held)) return held;
  const rest = (held as readonly T[]).filter((each) => each !== one);
  return rest.length === 1 ? rest[0] : rest.length === 0 ? undefined : rest;
}
