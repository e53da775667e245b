import { parseJson } from '#pkg/base';
import type { KubeList, KubeObject } from '#pkg/api';

import type { Breather } from './breather.ts';
import type { FieldTree } from './client.ts';
import { TransportError } from './errors.ts';
import { type Fields, cutFields, objectFields } from './field-cuts.ts';
import { type Cut, asciiBytes, findMember, parseBytes, skipSpace, skipValue, textWithout } from './json-bytes.ts';

const ITEMS = asciiBytes('items');
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

interface DecodeOptions<T> {
  readonly dropManagedFields?: boolean;
  readonly keep?: FieldTree | undefined;
  /** Adds to each item what a list leaves out. */
  readonly complete?: (item: T) => T;
  readonly breather: Breather;
}

/**
 * A list from its bytes, parsed item by item so that a large one never holds the event loop for long.
 *
 * Where an item ends is guessed with a native search for `},` and the first item's beginning, and proven by parsing: a
 * guess inside an item leaves brackets open. Only then, and for the last item, are the bytes walked.
 */
export async function decodeList<T extends KubeObject>(bytes: Buffer, options: DecodeOptions<T>): Promise<KubeList<T>> {
  const end = bytes.length;
  const start = skipSpace(bytes, 0, end);
  const { complete = (item) => item } = options;
  const member = findMember(bytes, start, end, ITEMS);
  if (member === undefined || bytes[member.value] !== OPEN_BRACKET) {
    const list = parse(() => parseBytes(bytes, 0, end)) as KubeList<T>;
    return { ...list, items: (list.items ?? []).map(complete) };
  }

  const items: T[] = [];
  let at = skipSpace(bytes, member.value + 1, end);
  const fields = options.keep && objectFields(options.keep);
  const separator = separatorAfter(bytes, at, end);
  while (bytes[at] !== CLOSE_BRACKET) {
    const item = fields
      ? decodeFields(bytes, at, fields)
      : decodeItem(bytes, at, separator, options.dropManagedFields === true);
    items.push(complete(item.value as T));
    at = skipSpace(bytes, item.end, end);
    if (bytes[at] === COMMA) at = skipSpace(bytes, at + 1, end);
    else if (bytes[at] !== CLOSE_BRACKET) throw garbled();
    if (options.breather.due) await options.breather.pause();
  }
  const envelope = parse(() =>
    parseJson(bytes.toString('utf8', 0, member.value) + '[]' + bytes.toString('utf8', at + 1)),
  );
  return { ...(envelope as KubeList<T>), items };
}

/** `},{"metadata":` where the first item begins with `{"metadata":`; empty when it has no member. */
function separatorAfter(bytes: Buffer, at: number, end: number): Buffer {
  if (bytes[at] !== OPEN_BRACE) return Buffer.alloc(0);
  const colon = bytes.indexOf(COLON, at);
  const brace = bytes.indexOf('}', at);
  if (colon < 0 || colon > end || (brace >= 0 && brace < colon)) return Buffer.alloc(0);
  return Buffer.concat([asciiBytes('},'), bytes.subarray(at, colon + 1)]);
}

function decodeItem(bytes: Buffer, at: number, separator: Buffer, drop: boolean): { value: unknown; end: number } {
  const guess = separator.length === 0 ? -1 : bytes.indexOf(separator, at) + 1;
  if (guess > 0) {
    try {
      return { value: parseBytes(bytes, at, guess, drop ? at : -1), end: guess };
    } catch {
      // The separator stands inside the item too, or the item is broken: look closely.
    }
  }
  const exact = skipValue(bytes, at, bytes.length);
  if (exact < 0) throw garbled();
  return { value: parse(() => parseBytes(bytes, at, exact, drop ? at : -1)), end: exact };
}

/** The bytes are walked anyway, so nothing has to be guessed. */
function decodeFields(bytes: Buffer, at: number, fields: Fields): { value: unknown; end: number } {
  const cuts: Cut[] = [];
  const end = cutFields(bytes, at, bytes.length, fields, cuts);
  if (end < 0) throw garbled();
  return { value: parse(() => parseJson(textWithout(bytes, at, end, cuts))), end };
}

function parse<R>(parsing: () => R): R {
  try {
    return parsing();
  } catch (cause) {
    throw garbled(cause);
  }
}

function garbled(cause?: unknown): TransportError {
  return new TransportError('garbled', 'the answer is not a list in JSON, or ends in the middle', {}, { cause });
}
