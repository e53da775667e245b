import type { JsonObject } from '../json.ts';

/**
 * One state of one stored object. The object is shared by everyone who reads it and never written to again; whoever
 * wants to change it clones it first. Its JSON is encoded once, when first asked for.
 */
export class Entry {
  /** `namespace/name`, or `name`. */
  readonly key: string;
  /** The revision that wrote this state; also in `metadata.resourceVersion`. */
  readonly revision: number;
  readonly object: Readonly<JsonObject>;
  #json: Buffer | undefined;
  #frames: Map<string, Buffer> | undefined;

  constructor(key: string, revision: number, object: JsonObject) {
    this.key = key;
    this.revision = revision;
    this.object = object;
  }

  /** The whole object as JSON, `kind` and `apiVersion` first. */
  json(): Buffer {
    this.#json ??= Buffer.from(JSON.stringify(this.object));
    return this.#json;
  }

  /** What `encode` makes of the object, made once for everyone who asks under the same name while it is being told. */
  frame(name: string, encode: () => Buffer): Buffer {
    this.#frames ??= new Map();
    let frame = this.#frames.get(name);
    if (frame === undefined) {
      frame = encode();
      this.#frames.set(name, frame);
    }
    return frame;
  }

  /** Gives the frames back, once every watcher has been told. */
  forgetFrames(): void {
    this.#frames = undefined;
  }

  /** Gives the encoded form back, once the state is history. */
  forgetJson(): void {
    this.#json = undefined;
  }
}

export type StoreEventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One change. Events of all resources together are in order of revision, one revision each. */
export interface StoreEvent {
  readonly type: StoreEventType;
  readonly revision: number;
  /** The new state; of a deletion the last state, with the deletion's revision. */
  readonly entry: Entry;
  /** The state before, unless the object is new. */
  readonly previous?: Entry;
}

/** The object as `entry` has it, with another `metadata.resourceVersion`. */
export function atRevision(entry: Entry, revision: number): Entry {
  const metadata = { ...(entry.object['metadata'] as JsonObject), resourceVersion: String(revision) };
  return new Entry(entry.key, revision, { ...entry.object, metadata });
}
