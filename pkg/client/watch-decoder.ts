import { parseJson } from '#pkg/base';
import { ApiError, type KubeObject, type Status, type WatchEvent } from '#pkg/api';

import type { Breather } from './breather.ts';
import type { WatchOptions } from './client.ts';
import { TransportError } from './errors.ts';
import { type Fields, cutFields, objectFields } from './field-cuts.ts';
import { type Cut, asBuffer, asciiBytes, findMember, parseBytes, skipSpace, textWithout } from './json-bytes.ts';
import { RepetitionParser } from './repeated-parts.ts';

const NEWLINE = 0x0a;
/** Far above what etcd holds in one object; beyond it the peer is not speaking our language. */
const LONGEST_LINE = 128 * 1024 * 1024;

/**
 * Cuts a byte stream into lines. A line within one chunk is a view of it; one that spans chunks is joined once, when
 * its end has come, so that a line of n bytes costs n however it is cut up.
 */
export class LineFramer {
  #parts: Buffer[] = [];
  #length = 0;

  /** The lines that end in `chunk`, without their newline and without blank ones. */
  push(chunk: Uint8Array): Buffer[] {
    const bytes = asBuffer(chunk);
    const lines: Buffer[] = [];
    let start = 0;
    for (;;) {
      const newline = bytes.indexOf(NEWLINE, start);
      if (newline < 0) break;
      const line = this.#join(bytes.subarray(start, newline));
      if (!isBlank(line)) lines.push(line);
      start = newline + 1;
    }
    if (start < bytes.length) this.#keep(bytes.subarray(start));
    return lines;
  }

  /** What came after the last newline. */
  rest(): Buffer {
    return this.#join(Buffer.alloc(0));
  }

  #keep(part: Buffer): void {
    this.#parts.push(part);
    this.#length += part.length;
    if (this.#length > LONGEST_LINE) throw garbled('an event of more than 128 MiB');
  }

  #join(last: Buffer): Buffer {
    if (this.#parts.length === 0) return last;
    const line = Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#length = 0;
    return line;
  }
}

const isBlank = (line: Buffer): boolean => skipSpace(line, 0, line.length) === line.length;

const TYPES = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);
const OBJECT = asciiBytes('object');

export type DecodeOptions = Pick<WatchOptions, 'dropManagedFields' | 'known' | 'keep'>;

/** Makes events of lines, one after the other. */
export class EventDecoder<T extends KubeObject> {
  readonly #dropManagedFields: boolean;
  readonly #fields: Fields;
  readonly #repetitions: RepetitionParser | undefined;

  constructor({ dropManagedFields = false, known, keep }: DecodeOptions) {
    this.#dropManagedFields = dropManagedFields;
    this.#fields = keep && objectFields(keep);
    // Of what is cut down, too little is left for looking whether it repeats anything.
    this.#repetitions =
      known === undefined || keep !== undefined ? undefined : new RepetitionParser(known, dropManagedFields);
  }

  /** Throws a `garbled` TransportError for a line that is no event. */
  decode(line: Buffer): WatchEvent<T> {
    let event: unknown;
    try {
      event = this.#repetitions?.parse(line) ?? this.#parse(line);
    } catch (cause) {
      throw garbled('an event that is not JSON', cause);
    }
    if (!isEvent<T>(event)) throw garbled('an event without type or object');
    return event;
  }

  #parse(line: Buffer): unknown {
    const start = skipSpace(line, 0, line.length);
    const { length } = line;
    const object = this.#dropManagedFields || this.#fields ? findMember(line, start, length, OBJECT)?.value : undefined;
    const cuts: Cut[] = [];
    if (object !== undefined && this.#fields && cutFields(line, object, length, this.#fields, cuts) >= 0) {
      const event = parseJson(textWithout(line, start, length, cuts)) as { readonly type?: unknown };
      // A Status is none of the objects that the fields are of.
      if (event.type !== 'ERROR') return event;
    }
    return parseBytes(line, start, length, object);
  }
}

function isEvent<T extends KubeObject>(value: unknown): value is WatchEvent<T> {
  if (typeof value !== 'object' || value === null) return false;
  const { type, object } = value as { type?: unknown; object?: unknown };
  return typeof type === 'string' && TYPES.has(type) && typeof object === 'object' && object !== null;
}

function garbled(what: string, cause?: unknown): TransportError {
  return new TransportError('garbled', `the watch sent ${what}`, {}, { cause });
}

/**
 * The events of a watch's body, which is opened when the first is asked for. Ends with it; an ERROR event is thrown as the
 * ApiError it carries, and a last line that is cut off as `garbled`.
 */
export async function* decodeWatch<T extends KubeObject>(
  open: () => Promise<AsyncIterable<Uint8Array>>,
  options: DecodeOptions,
  breather: Breather,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const framer = new LineFramer();
  const decoder = new EventDecoder<T>(options);
  for await (const chunk of await open()) {
    for (const line of framer.push(chunk)) {
      yield throwingErrors(decoder.decode(line));
      if (breather.due) await breather.pause();
    }
  }
  const rest = framer.rest();
  if (!isBlank(rest)) yield throwingErrors(decoder.decode(rest));
}

function throwingErrors<T extends KubeObject>(event: WatchEvent<T>): WatchEvent<T> {
  if (event.type === 'ERROR') throw new ApiError(event.object satisfies Status);
  return event;
}
