import { type KubeObject, isNotFound, keyOf } from '#pkg/api';
import { ignoreNotFound } from '#pkg/client';
import { type ControllerContext, logName } from '#pkg/controller';

import type { Readers } from './read.ts';
import type { ReplicaStatus } from './kind.ts';

export interface StatusWriting<Owner extends KubeObject> extends Pick<Readers<Owner>, 'kind' | 'owners'> {
  readonly context: Pick<ControllerContext, 'log'>;
}

/**
 * Writes the status; when that is refused, once more on the object as it stands on the server, with the generation that
 * was acted on. Does nothing for an owner that is gone (`updateReplicaSetStatus` in
 * `pkg/controller/replicaset/replica_set_utils.go`).
 */
export async function writeStatus<Owner extends KubeObject>(
  owner: Owner,
  status: ReplicaStatus,
  { context, kind, owners }: StatusWriting<Owner>,
  signal: AbortSignal,
): Promise<void> {
  const attempt = (target: Owner): Promise<Owner> => {
    context.log.v(4)?.info('Updating status', {
      [logName(kind.type)]: keyOf(target),
      need: kind.spec(target).replicas,
      from: kind.status(target),
      to: status,
    });
    return owners.updateStatus(kind.withStatus(target, status), { metadataOnly: true, signal });
  };
  try {
    await attempt(owner);
  } catch (error) {
    if (signal.aborted) throw error;
    // Gone already: there is nothing to read, either.
    if (isNotFound(error)) return;
    const live = await ignoreNotFound(owners.getLive(owner, { signal }));
    if (live?.metadata.uid === owner.metadata.uid) await attempt(live);
  }
}
