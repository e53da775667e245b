import type { JsonObject } from '../json.ts';
import type { Resource } from '../registry/registry.ts';
import { type Entry, type StoreEventType, atRevision } from '../store/index.ts';
import type { As } from './negotiate.ts';

export type TableContent = 'Metadata' | 'None' | 'Object';

export interface ViewOptions {
  readonly as?: As;
  readonly includeObject?: TableContent;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * How one client sees the objects of a resource: in the version it asked for, whole, as metadata alone, or as a table.
 * Views of the same name give the same bytes, so that watchers can share them.
 */
export class View {
  readonly name: string;
  readonly #resource: Resource;
  readonly #options: ViewOptions;
  /** What stands in front of every stored object's JSON: `{"kind":"Pod","apiVersion":"v1"`. */
  readonly #head: number;

  constructor(resource: Resource, options: ViewOptions) {
    this.#resource = resource;
    this.#options = options;
    this.name = `${resource.apiVersion}/${options.as ?? ''}/${options.includeObject ?? ''}`;
    this.#head = Buffer.byteLength(typeHead(resource.kind, resource.apiVersion));
  }

  /** The object in the served version. */
  object(entry: Entry): Readonly<JsonObject> {
    return this.#resource.conversion?.fromStored(entry.object) ?? entry.object;
  }

  /** Encodes a single object of an answer or an event. */
  encode(entry: Entry): Buffer {
    switch (this.#options.as) {
      case 'PartialObjectMetadata':
      case 'PartialObjectMetadataList':
        return Buffer.from(JSON.stringify(partialMetadata(entry.object)));
      case 'Table':
        return Buffer.from(JSON.stringify(this.table([entry], { resourceVersion: String(entry.revision) }, true)));
      default:
        return this.#resource.conversion === undefined ? entry.json() : Buffer.from(JSON.stringify(this.object(entry)));
    }
  }

  /** Encodes an item of a list, where kind and version are said once, by the list; of custom resources they are said by each, too. */
  encodeItem(entry: Entry): Buffer {
    if (this.#options.as !== undefined || this.#resource.custom !== undefined) return this.encode(entry);
    const whole = this.encode(entry);
    // The comma after the head becomes the brace.
    const item = Buffer.from(whole.subarray(this.#head));
    item[0] = 0x7b;
    return item;
  }

  /** A line of a watch. */
  frame(type: StoreEventType, entry: Entry): Buffer {
    return Buffer.concat([EVENT_HEADS[type], this.encode(entry), EVENT_END]);
  }

  /** The result of `frame`, made once for all watchers that get the entry now. */
  sharedFrame(type: StoreEventType, entry: Entry): Buffer {
    return entry.frame(`${this.name}/${type}`, () => this.frame(type, entry));
  }

  /** A deletion as the watcher sees it that has lost sight of an object: its last matching state at the new revision. */
  sharedFarewell(previous: Entry, entry: Entry): Buffer {
    return entry.frame(`${this.name}/farewell`, () => this.frame('DELETED', atRevision(previous, entry.revision)));
  }

  bookmark(revision: number, initialEventsEnd: boolean): Buffer {
    const metadata = {
      resourceVersion: String(revision),
      ...(initialEventsEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {}),
    };
    const { kind, apiVersion } = this.#resource;
    const object =
      this.#options.as === 'Table'
        ? {
            kind: 'Table',
            apiVersion: 'meta.k8s.io/v1',
            metadata: { resourceVersion: String(revision) },
            columnDefinitions: null,
            rows: [{ cells: [], object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata } }],
          }
        : this.#options.as === undefined
          ? { kind, apiVersion, metadata }
          : { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata };
    return Buffer.from(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  }

  /** `single`: an event or a get, whose rows carry the object's own revision. */
  table(entries: readonly Entry[], metadata: JsonObject, single = false): JsonObject {
    const includeObject = this.#options.includeObject ?? 'Metadata';
    const table = this.#resource.semantics.toTable(
      entries.map((entry) => this.object(entry)),
      { includeObject, now: this.#options.now() },
    );
    if (includeObject === 'None') for (const row of table.rows as { object?: unknown }[]) row.object = null;
    return { ...table, metadata: single ? { resourceVersion: metadata['resourceVersion'] } : metadata };
  }

  /** What the metadata of a list has even if it is empty. */
  listMetadata(): JsonObject {
    return this.#resource.custom === undefined || this.#options.as !== undefined ? {} : { continue: '' };
  }

  /** Kind and version of lists in this view. */
  listType(): { kind: string; apiVersion: string } {
    if (this.#options.as === undefined)
      return { kind: `${this.#resource.kind}List`, apiVersion: this.#resource.apiVersion };
    return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' };
  }
}

const EVENT_HEADS: Readonly<Record<StoreEventType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
};
const EVENT_END = Buffer.from('}\n');

function typeHead(kind: string, apiVersion: string): string {
  return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)}`;
}

export function partialMetadata(object: Readonly<JsonObject>): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object['metadata'] };
}

/** The object with kind and version first, as every stored object has them: {@link View} relies on it. */
export function withType(object: JsonObject, kind: string, apiVersion: string): JsonObject {
  const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = object;
  return { kind, apiVersion, metadata, ...rest };
}
