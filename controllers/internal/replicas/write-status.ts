import { type KubeObject, isNotFound, keyOf } from '#pkg/api';
import type { ResourceClient } from '#pkg/client';
import { logName } from '#pkg/controller';
import type { Logger } from '#pkg/log';

import type { ReplicaKind, ReplicaStatus } from './kind.ts';

export interface WriteStatusOptions<Owner extends KubeObject> {
  readonly kind: ReplicaKind<Owner>;
  readonly client: Pick<ResourceClient<Owner>, 'get' | 'updateStatus'>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Writes the status; when that is refused, once more on the object as it stands on the server, with the generation that
 * was acted on. Answers the object written, its metadata at least; undefined when it is gone (`updateReplicaSetStatus` in
 * `pkg/controller/replicaset/replica_set_utils.go`).
 */
export async function writeStatus<Owner extends KubeObject>(
  owner: Owner,
  status: ReplicaStatus,
  { kind, client, log, signal }: WriteStatusOptions<Owner>,
): Promise<Owner | undefined> {
  const attempt = (target: Owner): Promise<Owner> => {
    log.v(4)?.info('Updating status', {
      [logName(kind.type)]: keyOf(target),
      need: kind.spec(target).replicas,
      from: kind.status(target),
      to: status,
    });
    return client.updateStatus(kind.withStatus(target, status), { metadataOnly: true, signal });
  };
  try {
    return await attempt(owner);
  } catch (error) {
    if (signal.aborted) throw error;
    let live: Owner;
    try {
      live = await client.get(owner.metadata, { signal });
    } catch (readError) {
      if (isNotFound(readError)) return undefined;
      throw readError;
    }
    if (live.metadata.uid !== owner.metadata.uid) return undefined;
    return attempt(live);
  }
}
