import type { FieldTree } from './client.ts';
import { type Cut, asciiBytes, skipSpace, skipValue } from './json-bytes.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Which members of an object to keep, with what to keep below them; `undefined` stands for all. */
export type Fields = readonly Field[] | 'metadata' | undefined;
interface Field {
  readonly name: Buffer;
  readonly below: Fields;
}

const MANAGED_FIELDS = asciiBytes('managedFields');

/** What a cache keeps of objects: their kind, their metadata without managed fields, and what is in `tree`. */
export function objectFields(tree: FieldTree): Fields {
  const { apiVersion: _, kind: __, metadata: ___, ...rest } = tree;
  const always = [
    { name: asciiBytes('apiVersion'), below: undefined },
    { name: asciiBytes('kind'), below: undefined },
    { name: asciiBytes('metadata'), below: 'metadata' as const },
  ];
  return [...always, ...members(rest)];
}

function members(tree: FieldTree): readonly Field[] {
  return Object.entries(tree).map(([name, below]) => ({
    name: asciiBytes(name),
    below: Object.keys(below).length === 0 ? undefined : members(below),
  }));
}

/**
 * Adds to `cuts` what has to be left out of the value at `at` so that only `fields` are left, and answers the index after
 * the value, or -1 where it is not understood. A list is gone through element by element. What is cut out is not looked
 * at more closely than to find its end.
 */
export function cutFields(bytes: Uint8Array, at: number, end: number, fields: Fields, cuts: Cut[]): number {
  if (fields === undefined) return skipValue(bytes, at, end);
  if (bytes[at] === OPEN_BRACE) return cutMembers(bytes, at, end, fields, cuts);
  if (bytes[at] === OPEN_BRACKET && fields !== 'metadata') return cutInElements(bytes, at, end, fields, cuts);
  return skipValue(bytes, at, end);
}

function cutMembers(
  bytes: Uint8Array,
  open: number,
  end: number,
  fields: Exclude<Fields, undefined>,
  cuts: Cut[],
): number {
  /** Behind the last member that stays; behind the brace while there is none. */
  let kept = open + 1;
  let comma = -1;
  let at = skipSpace(bytes, open + 1, end);
  for (let separator = 0; bytes[at] !== CLOSE_BRACE; separator = COMMA) {
    if (separator === COMMA) {
      if (bytes[at] !== COMMA) return -1;
      comma = at;
      at = skipSpace(bytes, at + 1, end);
    }
    const name = at;
    const afterName = bytes[name] === QUOTE ? skipValue(bytes, name, end) : -1;
    if (afterName < 0) return -1;
    const colon = skipSpace(bytes, afterName, end);
    if (bytes[colon] !== COLON) return -1;
    const value = skipSpace(bytes, colon + 1, end);
    const field = fieldOf(bytes, name + 1, afterName - 1, fields);
    if (field === 'cut') {
      at = skipValue(bytes, value, end);
    } else {
      const from = kept === open + 1 ? name : comma;
      if (from > kept) cuts.push({ from: kept, to: from });
      at = cutFields(bytes, value, end, field, cuts);
      kept = at;
    }
    if (at < 0) return -1;
    at = skipSpace(bytes, at, end);
  }
  if (at > kept) cuts.push({ from: kept, to: at });
  return at + 1;
}

function cutInElements(bytes: Uint8Array, open: number, end: number, fields: Fields, cuts: Cut[]): number {
  let at = skipSpace(bytes, open + 1, end);
  for (let separator = 0; bytes[at] !== CLOSE_BRACKET; separator = COMMA) {
    if (separator === COMMA) {
      if (bytes[at] !== COMMA) return -1;
      at = skipSpace(bytes, at + 1, end);
    }
    at = cutFields(bytes, at, end, fields, cuts);
    if (at < 0) return -1;
    at = skipSpace(bytes, at, end);
  }
  return at + 1;
}

/** What to keep below the member of this name. Names are compared as they are written: Kubernetes escapes none of its own. */
function fieldOf(bytes: Uint8Array, from: number, to: number, fields: Exclude<Fields, undefined>): Fields | 'cut' {
  if (fields === 'metadata') return isName(bytes, from, to, MANAGED_FIELDS) ? 'cut' : undefined;
  for (const { name, below } of fields) if (isName(bytes, from, to, name)) return below;
  return 'cut';
}

function isName(bytes: Uint8Array, from: number, to: number, name: Uint8Array): boolean {
  if (to - from !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[from + i] !== name[i]) return false;
  return true;
}
