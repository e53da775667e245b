import type { KubeObject, NewObject, OwnerReference, PersistentVolumeClaim, ResourceType, StatefulSet } from '#pkg/api';
import { apiVersionOf, resources } from '#pkg/api';
import { controllerReference } from '#pkg/controller';

import { isInRange, ordinalOf } from './identity.ts';

/** A Pod, or one that is still to be created and has no UID. */
export interface ClaimingPod {
  readonly metadata: { readonly name: string; readonly uid?: string };
}

type ClaimTemplate = Omit<PersistentVolumeClaim, 'metadata'> & {
  readonly metadata: Partial<PersistentVolumeClaim['metadata']> & { readonly name: string };
};

export function claimTemplates(set: StatefulSet): readonly ClaimTemplate[] {
  return (set.spec?.volumeClaimTemplates ?? []) as readonly ClaimTemplate[];
}

/** `data-web-0`. Zone spreading of volumes goes by this form. */
export function claimName(set: StatefulSet, template: ClaimTemplate, ordinal: number): string {
  return `${template.metadata.name}-${set.metadata.name}-${ordinal}`;
}

/** Names of the claims of the set's Pod of `ordinal`. */
export function claimNames(set: StatefulSet, ordinal: number): readonly string[] {
  return claimTemplates(set).map((template) => claimName(set, template, ordinal));
}

/**
 * The claims of the set's Pod of this ordinal, to be created. One that the retention policy gives to the set has its
 * owner from the start; upstream adds it by a write of its own.
 */
export function newClaims(set: StatefulSet, ordinal: number): readonly NewObject<PersistentVolumeClaim>[] {
  const labels = set.spec?.selector?.matchLabels ?? {};
  const ownedBySet = retentionOf(set).whenDeleted === 'Delete' && isInRange(set, ordinal);
  return claimTemplates(set).map((template) => {
    const { status: _status, ...claim } = template;
    const all = { ...template.metadata.labels, ...labels };
    return {
      ...claim,
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: {
        ...template.metadata,
        name: claimName(set, template, ordinal),
        namespace: set.metadata.namespace!,
        ...(Object.keys(all).length > 0 ? { labels: all } : {}),
        ...(ownedBySet
          ? {
              ownerReferences: [
                ...(template.metadata.ownerReferences ?? []),
                controllerReference(set, resources.statefulSets),
              ],
            }
          : {}),
      },
    };
  });
}

interface Retention {
  readonly whenDeleted: 'Retain' | 'Delete';
  readonly whenScaled: 'Retain' | 'Delete';
}

/** Anything but Delete keeps claims. */
export function retentionOf(set: StatefulSet): Retention {
  const policy = set.spec?.persistentVolumeClaimRetentionPolicy;
  const of = (value: string | undefined): 'Retain' | 'Delete' => (value === 'Delete' ? 'Delete' : 'Retain');
  return { whenDeleted: of(policy?.whenDeleted), whenScaled: of(policy?.whenScaled) };
}

interface Owner {
  readonly object: ClaimingPod;
  readonly type: ResourceType;
}

/** By kind and name, whatever the UID. */
function names(reference: OwnerReference, { object, type }: Owner): boolean {
  return (
    reference.apiVersion === apiVersionOf(type) &&
    reference.kind === type.kind &&
    reference.name === object.metadata.name
  );
}

/** Only the first reference of that name counts, as upstream. */
function isStale(references: readonly OwnerReference[], owner: Owner): boolean {
  const reference = references.find((one) => names(one, owner));
  return reference !== undefined && reference.uid !== (owner.object.metadata.uid ?? '');
}

const ownersOf = (set: StatefulSet, pod: ClaimingPod): { readonly set: Owner; readonly pod: Owner } => ({
  set: { object: set, type: resources.statefulSets },
  pod: { object: pod, type: resources.pods },
});

const referencesOf = (claim: KubeObject): readonly OwnerReference[] => claim.metadata.ownerReferences ?? [];

/**
 * The claim belongs to an earlier Pod of this name, whose end will take the claim with it: no Pod may use it any more.
 * Only where claims go with scaled down Pods (`PodClaimIsStale` in `stateful_pod_control.go`).
 */
export function isStaleClaim(claim: PersistentVolumeClaim, set: StatefulSet, pod: ClaimingPod): boolean {
  return retentionOf(set).whenScaled === 'Delete' && isStale(referencesOf(claim), ownersOf(set, pod).pod);
}

/** Under a policy that deletes claims: someone else manages this one, and it is left to them (`hasUnexpectedController`). */
export function hasForeignController(claim: PersistentVolumeClaim, set: StatefulSet, pod: ClaimingPod): boolean {
  const { whenDeleted, whenScaled } = retentionOf(set);
  if (whenDeleted === 'Retain' && whenScaled === 'Retain') return false;
  const owners = ownersOf(set, pod);
  return referencesOf(claim).some((reference) => {
    const ours = names(reference, owners.set) ? set : names(reference, owners.pod) ? pod : undefined;
    return ours ? reference.uid !== (ours.metadata.uid ?? '') : reference.controller === true;
  });
}

/** Who should manage the claim by the retention policy: the set while its Pod is wanted, the Pod once it is not. */
function wantedOwners(set: StatefulSet, pod: ClaimingPod): { readonly set: boolean; readonly pod: boolean } {
  const { whenDeleted, whenScaled } = retentionOf(set);
  const scaledDown = !isInRange(set, ordinalOf(pod));
  return {
    set: whenDeleted === 'Delete' && !(whenScaled === 'Delete' && scaledDown),
    pod: whenScaled === 'Delete' && scaledDown,
  };
}

/**
 * Whether the claim's owner references say what the retention policy asks for. Claims that belong to an earlier set or
 * Pod of the name, or to someone else, are as they should be: not touched (`isClaimOwnerUpToDate` in
 * `stateful_set_utils.go`, KEP-1847).
 */
export function isClaimOwnerUpToDate(claim: PersistentVolumeClaim, set: StatefulSet, pod: ClaimingPod): boolean {
  const references = referencesOf(claim);
  const owners = ownersOf(set, pod);
  if (isStale(references, owners.set) || isStale(references, owners.pod)) return true;
  const isSet = ({ uid }: OwnerReference): boolean => uid === set.metadata.uid;
  const isPod = ({ uid }: OwnerReference): boolean => uid === pod.metadata.uid;
  const has = { set: references.some(isSet), pod: references.some(isPod) };
  // Ours beside a foreign controller must go; without ours all is well.
  if (hasForeignController(claim, set, pod)) return !has.set && !has.pod;
  if (references.some((reference) => (isSet(reference) || isPod(reference)) && reference.controller !== true))
    return false;
  const wanted = wantedOwners(set, pod);
  return has.set === wanted.set && has.pod === wanted.pod;
}

/** The claim with the owner references that the retention policy asks for (`updateClaimOwnerRefForSetAndPod`). */
export function withClaimOwners(
  claim: PersistentVolumeClaim,
  set: StatefulSet,
  pod: KubeObject,
): PersistentVolumeClaim {
  const owners = ownersOf(set, pod);
  const others = referencesOf(claim).filter(
    (reference) => !names(reference, owners.set) && !names(reference, owners.pod),
  );
  const wanted = hasForeignController(claim, set, pod) ? { set: false, pod: false } : wantedOwners(set, pod);
  const ours = [
    ...(wanted.pod ? [controllerReference(pod, resources.pods)] : []),
    ...(wanted.set ? [controllerReference(set, resources.statefulSets)] : []),
  ].filter(({ uid }) => !others.some((other) => other.uid === uid));
  return { ...claim, metadata: { ...claim.metadata, ownerReferences: [...others, ...ours] } };
}
