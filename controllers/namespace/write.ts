import { isAbort, describeError } from '#pkg/base';
import type { DiscoveredResource } from '#pkg/client';

import type { Api } from './api.ts';
import { type Content, type Leftover, judgeLeftover } from './content.ts';

export interface Emptying {
  readonly namespace: string;
  /** Seconds since the namespace was deleted. */
  readonly elapsed: number;
  readonly api: Api;
}

export interface Emptied {
  readonly leftovers: readonly Leftover[];
  readonly errors: readonly unknown[];
  /** What failed, as a condition tells it. */
  readonly failures: readonly string[];
  /** Only Pods were asked to go: some are still there, or may be. */
  readonly onlyPods: boolean;
}

/** A failure while Pods were deleted, which says so. */
class PodsNotDeleted extends Error {}

/**
 * Deletes what is in a namespace: Pods first, and the rest once it is known that they have gone. What fails then does not keep the
 * others from being deleted.
 */
export async function emptyNamespace(
  { pods, others }: Content,
  emptying: Emptying,
  signal: AbortSignal,
): Promise<Emptied> {
  const leftovers: Leftover[] = [];
  const errors: unknown[] = [];
  const failures: string[] = [];
  const empty = async (resource: DiscoveredResource): Promise<void> => {
    const told = (error: unknown): void => {
      failures.push(describeError(error));
      const { namespace } = emptying;
      errors.push(
        resource === pods
          ? new PodsNotDeleted(`failed to delete pods for namespace: ${namespace}, err: ${describeError(error)}`, {
              cause: error,
            })
          : error,
      );
    };
    try {
      const leftover = await emptyOf(resource, emptying, signal);
      if (leftover === undefined) return;
      leftovers.push(leftover);
      if (leftover.problem !== undefined) told(new Error(leftover.problem));
    } catch (error) {
      if (isAbort(error, signal)) throw error;
      told(error);
    }
  };
  if (pods !== undefined) await empty(pods);
  const onlyPods = leftovers.length > 0 || errors.length > 0;
  if (!onlyPods) for (const resource of others) await empty(resource);
  return { leftovers, errors, failures, onlyPods };
}

/** Deletes all of one resource, at once where the server does that, else one by one; what is left then. */
async function emptyOf(
  resource: DiscoveredResource,
  { namespace, elapsed, api }: Emptying,
  signal: AbortSignal,
): Promise<Leftover | undefined> {
  const asked = resource.verbs.includes('deletecollection')
    ? await api.deleteAll(resource, namespace, signal)
    : 'unsupported';
  // Nothing was there, and nothing more can come.
  if (asked === 'empty' || !resource.verbs.includes('list')) return undefined;
  if (asked === 'unsupported') {
    const items = (await api.list(resource, namespace, signal)) ?? [];
    if (items.length === 0) return undefined;
    for (const item of items) await api.delete(resource, item, signal);
  }
  const left = await api.list(resource, namespace, signal);
  return left && judgeLeftover(resource, namespace, left, elapsed);
}
