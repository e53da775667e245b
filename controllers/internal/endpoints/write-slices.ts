import { type EndpointSlice, type KubeObject, type NewObject, isNamespaceTerminating, keyOf } from '#pkg/api';
import { describeError } from '#pkg/base';
import { type ResourceClient, ignoreNotFound } from '#pkg/client';
import { inParallel } from '#pkg/controller';
import type { Counter } from '#pkg/metrics';

import { EndpointsError } from './errors.ts';
import type { SliceTracker } from './slice-tracker.ts';

/** What is to become of slices. */
export interface SliceChanges {
  readonly create: readonly NewObject<EndpointSlice>[];
  /** Under the resource version that was read. */
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly EndpointSlice[];
}

export interface SliceWriting {
  readonly client: Pick<ResourceClient<EndpointSlice>, 'create' | 'update' | 'delete'>;
  readonly tracker: SliceTracker;
  /** `<subsystem>_changes`. */
  readonly changes: Counter<'operation'>;
}

/** Requests for one Service in flight together. */
const CONCURRENCY = 8;

/**
 * Creates, then updates, then deletes, so that no endpoint is missing from all slices in between. Ends with the kind of
 * write at which something failed, as `failed to update web-x7k2p EndpointSlice for Service default/web: ...`
 * (`finalize` in `staging/src/k8s.io/endpointslice/reconciler.go`). Nothing is created for an owner that is being
 * deleted, while the garbage collector clears its slices away; in a namespace that goes nothing is done at all, and false
 * answered.
 */
export async function writeSlices(
  owner: KubeObject,
  kind: string,
  changes: SliceChanges,
  writing: SliceWriting,
  signal: AbortSignal,
): Promise<boolean> {
  const { client, tracker } = writing;
  const what = `EndpointSlice for ${kind} ${keyOf(owner)}`;
  const count = (operation: string): void => writing.changes.inc({ operation });
  const options = { metadataOnly: true, signal };
  if (owner.metadata.deletionTimestamp === undefined) {
    try {
      await each(changes.create, `create ${what}`, async (slice) => {
        tracker.written(await client.create(slice, options));
        count('create');
      });
    } catch (error) {
      if (error instanceof EndpointsError && isNamespaceTerminating(error.cause)) return false;
      throw error;
    }
  }
  await each(
    changes.update,
    (slice) => `update ${slice.metadata.name} ${what}`,
    async (slice) => {
      tracker.written(await client.update(slice, options));
      count('update');
    },
  );
  await each(
    changes.remove,
    (slice) => `delete ${slice.metadata.name} ${what}`,
    async (slice) => {
      const { uid } = slice.metadata;
      await ignoreNotFound(client.delete(slice.metadata, { preconditions: { uid }, signal }));
      tracker.expectDeletion(slice);
      count('delete');
    },
  );
  return true;
}

async function each<T>(
  items: readonly T[],
  what: string | ((item: T) => string),
  write: (item: T) => Promise<void>,
): Promise<void> {
  const { errors } = await inParallel(
    items,
    (item) => write(item).catch((error: unknown) => fail(what, item, error)),
    CONCURRENCY,
  );
  if (errors.length > 0) throw errors[0];
}

function fail<T>(what: string | ((item: T) => string), item: T, error: unknown): never {
  const text = typeof what === 'string' ? what : what(item);
  throw new EndpointsError('WriteFailed', `failed to ${text}: ${describeError(error)}`, {}, { cause: error });
}
