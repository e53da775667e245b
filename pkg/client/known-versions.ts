import { ApiError, type KubeObject, type ResourceType } from '#pkg/api';
import type { Clock } from '#pkg/base';

import type { Client, ResourceClient } from './client.ts';

/** How long a written version is remembered, ms: caches lag behind by less, and a server may be restored from a backup. */
const MEMORY = 10_000;

interface Known {
  readonly version: string;
  /** Monotonic, ms. */
  readonly at: number;
}

/**
 * The versions that this process has lately written, by UID. Several controllers write the same objects, each from what
 * its cache shows: a ReplicaSet's size and its status, for one. Whoever comes with an older version than another has just
 * written is refused as the server would, and one that comes while another is at it waits for that one's answer first.
 * Share one among all clients of a process.
 */
export class KnownVersions {
  readonly #clock: Clock;
  /** The oldest first. Forgetting one costs a request that the server refuses. */
  readonly #known = new Map<string, Known>();
  readonly #underWay = new Map<string, Promise<unknown>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The same client, whose updates are refused where the server is certain to refuse them. */
  guard(client: Client): Client {
    return {
      resource: (type) => this.#guarded(type, client.resource(type)),
      request: (request, options) => client.request(request, options),
    };
  }

  #guarded<T extends KubeObject>(type: ResourceType<T>, inner: ResourceClient<T>): ResourceClient<T> {
    return {
      ...inner,
      update: (object, options) => this.#write(type, object, options?.signal, () => inner.update(object, options)),
      updateStatus: (object, options) =>
        this.#write(type, object, options?.signal, () => inner.updateStatus(object, options)),
    };
  }

  async #write<T extends KubeObject>(
    type: ResourceType<T>,
    object: T,
    signal: AbortSignal | undefined,
    send: () => Promise<T>,
  ): Promise<T> {
    const { uid, resourceVersion } = object.metadata;
    if (!uid || !resourceVersion) return send();
    for (let other = this.#underWay.get(uid); other !== undefined; other = this.#underWay.get(uid)) await other;
    signal?.throwIfAborted();
    const known = this.#known.get(uid);
    if (known !== undefined && isOlder(resourceVersion, known.version) && this.#clock.monotonic() - known.at < MEMORY)
      throw conflict(type, object);
    const writing = send();
    const ended = writing.then(
      ({ metadata }) => this.#wrote(uid, metadata.resourceVersion),
      () => {},
    );
    this.#underWay.set(uid, ended);
    try {
      return await writing;
    } finally {
      await ended;
      this.#underWay.delete(uid);
    }
  }

  #wrote(uid: string, version: string): void {
    const at = this.#clock.monotonic();
    this.#known.delete(uid);
    this.#known.set(uid, { version, at });
    for (const [oldest, known] of this.#known) {
      if (at - known.at < MEMORY) break;
      this.#known.delete(oldest);
    }
  }
}

const DECIMAL = /^[1-9]\d*$/;

/** What cannot be compared is not older (KEP-5504). */
function isOlder(a: string, b: string): boolean {
  if (!DECIMAL.test(a) || !DECIMAL.test(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}

/** In the words of the server (`NewConflict` of apimachinery, with the registry's reason). */
function conflict({ group, resource }: ResourceType, { metadata: { name } }: KubeObject): ApiError {
  const what = group ? `${resource}.${group}` : resource;
  const reason = 'the object has been modified; please apply your changes to the latest version and try again';
  return new ApiError({
    status: 'Failure',
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${what} "${name}": ${reason}`,
    details: { name, group, kind: resource },
  });
}
