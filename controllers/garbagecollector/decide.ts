/**
 * What a look at one of a dependent's owners has shown (`classifyReferences`):
 * `solid`: it is there, and not on its way out with its dependents before it;
 * `dangling`: it is proven that it is not there;
 * `waiting`: it is being deleted, and waits for its dependents to go first.
 */
export type Standing = 'solid' | 'dangling' | 'waiting';

export interface OwnerStanding {
  readonly uid: string;
  readonly standing: Standing;
}

/** A dependent and what is around it in the graph. */
export interface Situation {
  readonly owners: readonly OwnerStanding[];
  /** Finalizers of the object itself. */
  readonly orphans: boolean;
  readonly foreground: boolean;
  readonly hasDependents: boolean;
  /** One of its own dependents waits for dependents in its turn. */
  readonly hasWaitingDependent: boolean;
}

export type PropagationPolicy = 'Background' | 'Foreground' | 'Orphan';

export type Verdict =
  | { readonly kind: 'keep' }
  /** It lives on by its other owners; these it is to forget. */
  | { readonly kind: 'drop-owners'; readonly uids: readonly string[] }
  /** `unblock`: first it stops keeping its owners waiting, which may wait for each other in a circle. */
  | { readonly kind: 'delete'; readonly policy: PropagationPolicy; readonly unblock: boolean };

/** What becomes of an object, by its owners (`attemptToDeleteItem` in `pkg/controller/garbagecollector`). */
export function decide({ owners, orphans, foreground, hasDependents, hasWaitingDependent }: Situation): Verdict {
  if (owners.length === 0) return { kind: 'keep' };
  if (owners.some(({ standing }) => standing === 'solid')) {
    // References to those that wait have to go, too: they would wait for ever.
    const uids = [...new Set(owners.filter(({ standing }) => standing !== 'solid').map(({ uid }) => uid))];
    return uids.length === 0 ? { kind: 'keep' } : { kind: 'drop-owners', uids };
  }
  if (hasDependents && owners.some(({ standing }) => standing === 'waiting')) {
    return { kind: 'delete', policy: 'Foreground', unblock: hasWaitingDependent };
  }
  // What somebody else wanted of its dependents is kept to.
  const policy = orphans ? 'Orphan' : foreground ? 'Foreground' : 'Background';
  return { kind: 'delete', policy, unblock: false };
}
