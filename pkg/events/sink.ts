import { type CoreEvent, isApiError, isNamespaceTerminating, isNotFound, resources } from '#pkg/api';
import { type Client, isTransportError } from '#pkg/client';
import type { Logger } from '#pkg/log';
import type { Correlated, Correlator } from './correlator.ts';
import type { NewEvent } from './new-event.ts';

/** Sends one event. `retry`: nobody answered, and the same request may succeed later. */
export async function send(
  client: Client,
  correlator: Correlator,
  { event, update }: Correlated,
  log: Logger,
  signal: AbortSignal,
): Promise<'done' | 'retry'> {
  try {
    const { metadata } = await write(client, event, update, signal);
    correlator.written({ ...event, metadata: { name: metadata.name, namespace: metadata.namespace ?? '' } });
    return 'done';
  } catch (error) {
    const fields = { event: `${event.metadata.namespace}/${event.metadata.name}`, reason: event.reason };
    if (isTransportError(error) && !signal.aborted) {
      log.error('Unable to write event (may retry after sleeping)', error, fields);
      return 'retry';
    }
    // Of no interest to anyone: it is there already, or nobody will be able to read it.
    if (isApiError(error, 'AlreadyExists') || isNamespaceTerminating(error)) {
      log.v(5)?.info('Server rejected event (will not retry!)', { ...fields, err: error });
    } else {
      log.error('Unable to write event (will not retry!)', error, fields);
    }
    return 'done';
  }
}

async function write(client: Client, event: NewEvent, update: boolean, signal: AbortSignal): Promise<CoreEvent> {
  const events = client.resource(resources.events);
  if (update) {
    try {
      return await events.patch(event.metadata, 'strategic', countPatch(event), { metadataOnly: true, signal });
    } catch (error) {
      // Events live for an hour by default: this one has expired, and starts again with its count.
      if (!isNotFound(error)) throw error;
    }
  }
  return await events.create(event, { metadataOnly: true, signal });
}

/** The fields in which a repetition differs from what was written before. */
function countPatch({ count, lastTimestamp, message }: NewEvent): Partial<NewEvent> {
  return { count, lastTimestamp, message };
}
