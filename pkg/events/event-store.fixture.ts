import { ApiError, type CoreEvent, type KubeObject, type NewObject, type ResourceType } from '#pkg/api';
import type { Client, ResourceClient } from '#pkg/client';

export interface Write {
  readonly verb: 'create' | 'patch';
  readonly name: string;
  readonly body: Partial<NewObject<CoreEvent>>;
}

/** The part of an API server that events meet: it stores, merges, and refuses what `refuse` says. */
export class EventStore {
  readonly writes: Write[] = [];
  readonly events = new Map<string, CoreEvent>();
  /** Asked before each write: what it returns is thrown. */
  refuse: (write: Write) => unknown = () => undefined;
  /** Awaited before each write. */
  gate: Promise<void> = Promise.resolve();
  #revision = 0;

  readonly client: Client = {
    resource: <T extends KubeObject>(type: ResourceType<T>) => {
      if (type.resource !== 'events') throw new Error('only events are stored here');
      return this.#resource as unknown as ResourceClient<T>;
    },
    request: () => Promise.reject(new Error('unexpected')),
  };

  readonly #resource: Pick<ResourceClient<CoreEvent>, 'create' | 'patch'> = {
    create: async (object, options) => {
      const name = `${object.metadata.namespace}/${object.metadata.name}`;
      await this.#admit({ verb: 'create', name, body: object }, options?.signal);
      if (this.events.has(name)) throw status(409, 'AlreadyExists');
      return this.#put(name, { ...object, metadata: { ...stored, ...object.metadata } } as CoreEvent);
    },
    patch: async (target, type, body, options) => {
      const name = `${target.namespace}/${target.name}`;
      const change = body as Partial<CoreEvent>;
      if (type !== 'strategic') throw status(415, 'UnsupportedMediaType');
      await this.#admit({ verb: 'patch', name, body: change }, options?.signal);
      const event = this.events.get(name);
      if (event === undefined) throw status(404, 'NotFound');
      return this.#put(name, { ...event, ...change });
    },
  };

  async #admit(write: Write, signal: AbortSignal | undefined): Promise<void> {
    this.writes.push(write);
    await Promise.race([this.gate, aborted(signal)]);
    const error = this.refuse(write);
    if (error !== undefined) throw error;
  }

  #put(name: string, event: CoreEvent): CoreEvent {
    const kept = { ...event, metadata: { ...event.metadata, resourceVersion: String(++this.#revision) } };
    this.events.set(name, kept);
    return kept;
  }
}

const stored = { uid: 'u', resourceVersion: '0', creationTimestamp: '2026-01-01T00:00:00Z' };

export function status(code: number, reason: string, cause?: string): ApiError {
  const causes = cause === undefined ? {} : { details: { causes: [{ reason: cause }] } };
  return new ApiError({ status: 'Failure', code, reason, message: reason, ...causes });
}

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
