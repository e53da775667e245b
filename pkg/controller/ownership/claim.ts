import {
  type KubeObject,
  type ResourceType,
  type Selector,
  controllerOf,
  isApiError,
  isNotFound,
  keyOf,
} from '#pkg/api';
import { describeError } from '#pkg/base';
import type { ResourceClient } from '#pkg/client';
import type { Logger } from '#pkg/log';

import { ControllerError, aggregate } from '../errors.ts';
import { inParallel } from '../batch/fan-out.ts';
import { logName } from '../objects/log-name.ts';
import { controllerReference } from '../objects/owner-reference.ts';

export interface ClaimOptions<Owner extends KubeObject, T extends KubeObject> {
  readonly owner: Owner;
  readonly ownerType: ResourceType<Owner>;
  readonly type: ResourceType<T>;
  readonly selector: Selector;
  /** Owned by `owner`, or by nobody; others are passed over. */
  readonly candidates: readonly T[];
  /** Also required of a candidate. */
  readonly filter?: (candidate: T) => boolean;
  /** Put on what is adopted, taken off what is released. */
  readonly finalizers?: readonly string[];
  readonly ownerClient: Pick<ResourceClient<Owner>, 'get'>;
  readonly client: Pick<ResourceClient<T>, 'patch'>;
  /** Told of every object patched, as the server answered it. */
  readonly wrote?: (object: T) => void;
  readonly log: Logger;
  readonly signal?: AbortSignal;
}

/**
 * The candidates that `owner` manages, after adopting orphans that its selector matches and releasing dependents that
 * it matches no longer. An owner under deletion changes nothing. Before the first adoption the owner is read live, so
 * that an owner deleted meanwhile, or another of its name, adopts nothing. Throws when a patch failed, after all were
 * tried (`BaseControllerRefManager.ClaimObject` in `pkg/controller/controller_ref_manager.go`).
 */
export async function claim<Owner extends KubeObject, T extends KubeObject>(
  options: ClaimOptions<Owner, T>,
): Promise<readonly T[]> {
  const claimed = new Set<T>();
  const changes: { readonly candidate: T; readonly verdict: Verdict }[] = [];
  for (const candidate of options.candidates) {
    const verdict = verdictOn(candidate, options);
    if (verdict === 'keep') claimed.add(candidate);
    else if (verdict !== 'pass') changes.push({ candidate, verdict });
  }
  if (changes.length === 0) return [...claimed];

  let ownerChecked: Promise<void> | undefined;
  const { errors } = await inParallel(changes, async ({ candidate, verdict }) => {
    if (verdict === 'release') return release(candidate, options);
    ownerChecked ??= checkOwner(options);
    if (await adopt(candidate, ownerChecked, options)) claimed.add(candidate);
  });
  if (errors.length > 0) throw aggregate(errors);
  return options.candidates.filter((candidate) => claimed.has(candidate));
}

/** The candidates that `owner` manages and its selector matches; writes nothing. */
export function filterClaimed<T extends KubeObject>(
  owner: KubeObject,
  selector: Selector,
  candidates: readonly T[],
): readonly T[] {
  return candidates.filter(
    (candidate) => controllerOf(candidate)?.uid === owner.metadata.uid && selector.matches(candidate.metadata.labels),
  );
}

type Verdict = 'keep' | 'adopt' | 'release' | 'pass';

function verdictOn<Owner extends KubeObject, T extends KubeObject>(
  candidate: T,
  options: ClaimOptions<Owner, T>,
): Verdict {
  const owner = options.owner.metadata;
  const controller = controllerOf(candidate);
  const matches = options.selector.matches(candidate.metadata.labels) && (options.filter?.(candidate) ?? true);
  if (controller) {
    if (controller.uid !== owner.uid) return 'pass';
    if (matches) return 'keep';
    return owner.deletionTimestamp === undefined ? 'release' : 'pass';
  }
  if (!matches || owner.deletionTimestamp !== undefined) return 'pass';
  if (candidate.metadata.deletionTimestamp !== undefined || candidate.metadata.namespace !== owner.namespace)
    return 'pass';
  return 'adopt';
}

/** Reads the owner from the server; rejects when it may not adopt any more. */
async function checkOwner<Owner extends KubeObject, T extends KubeObject>(
  options: ClaimOptions<Owner, T>,
): Promise<void> {
  const { owner, ownerType, ownerClient, signal } = options;
  const object = keyOf(owner);
  let live: Owner;
  try {
    live = await ownerClient.get(owner.metadata, { signal });
  } catch (error) {
    throw new ControllerError('AdoptionRefused', "can't recheck DeletionTimestamp", { object }, { cause: error });
  }
  const { uid, deletionTimestamp } = live.metadata;
  if (uid !== owner.metadata.uid) {
    const found = `original ${ownerType.kind} ${object} is gone: got uid ${uid}, wanted ${owner.metadata.uid}`;
    throw new ControllerError('AdoptionRefused', `can't recheck DeletionTimestamp: ${found}`, { object });
  }
  if (deletionTimestamp !== undefined) {
    throw new ControllerError('AdoptionRefused', `${object} has just been deleted at ${deletionTimestamp}`, { object });
  }
}

/** False when the candidate is gone. */
async function adopt<Owner extends KubeObject, T extends KubeObject>(
  candidate: T,
  ownerChecked: Promise<void>,
  options: ClaimOptions<Owner, T>,
): Promise<boolean> {
  const { owner, ownerType, type, client, finalizers = [], signal } = options;
  const { uid } = candidate.metadata;
  try {
    await ownerChecked;
  } catch (error) {
    const text = `can't adopt ${type.kind} ${keyOf(candidate)} (${uid}): ${describeError(error)}`;
    throw new ControllerError('AdoptionRefused', text, { object: keyOf(candidate) }, { cause: error });
  }
  // The UID makes the server refuse the patch if another object has the name by now.
  const metadata = {
    uid,
    ownerReferences: [controllerReference(owner, ownerType)],
    ...(finalizers.length > 0 ? { finalizers } : {}),
  };
  try {
    options.wrote?.(await client.patch(candidate.metadata, 'strategic', { metadata }, { signal }));
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

async function release<Owner extends KubeObject, T extends KubeObject>(
  candidate: T,
  options: ClaimOptions<Owner, T>,
): Promise<void> {
  const { owner, ownerType, type, client, finalizers = [], log, signal } = options;
  log.v(2)?.info('Patching object to remove its controllerRef', {
    [logName(type)]: keyOf(candidate),
    [logName(ownerType)]: keyOf(owner),
  });
  const metadata = {
    uid: candidate.metadata.uid,
    ownerReferences: [{ $patch: 'delete', uid: owner.metadata.uid }],
    ...(finalizers.length > 0 ? { '$deleteFromPrimitiveList/finalizers': finalizers } : {}),
  };
  try {
    options.wrote?.(await client.patch(candidate.metadata, 'strategic', { metadata }, { signal }));
  } catch (error) {
    // Invalid: it has no owner references, or its name is another object's by now. Released either way.
    if (!isApiError(error, 'NotFound', 'Invalid')) throw error;
  }
}
