import { parseJson } from '#pkg/base';
/**
 * Just enough JSON over bytes to find a member and leave it out, without building anything. Input is what a server sent
 * and may be anything: every function stops at `end` and says so with -1 or `undefined`; judging is left to `JSON.parse`.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACE = 0x7d;
const CLOSE_BRACKET = 0x5d;

export const asciiBytes = (text: string): Buffer => Buffer.from(text, 'latin1');

export const METADATA = asciiBytes('metadata');
const MANAGED_FIELDS = asciiBytes('managedFields');

export function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  for (; at < end; at++) {
    const byte = bytes[at];
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
  }
  return at;
}

/** The index after the string that opens at `at`; -1 when it does not end. */
function skipString(bytes: Uint8Array, at: number, end: number): number {
  for (at++; at < end; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
  }
  return -1;
}

/** The index after the value that starts at `at`; -1 when it does not end before `end`. */
export function skipValue(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at];
  if (first === QUOTE) return skipString(bytes, at, end);
  if (first !== OPEN_BRACE && first !== OPEN_BRACKET) return skipScalar(bytes, at, end);
  let depth = 0;
  while (at < end) {
    const byte = bytes[at++];
    if (byte === QUOTE) {
      // As skipString, inlined: this loop is where the time goes.
      for (;;) {
        if (at >= end) return -1;
        const inner = bytes[at++];
        if (inner === QUOTE) break;
        if (inner === BACKSLASH) at++;
      }
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      depth++;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      if (--depth === 0) return at;
    }
  }
  return -1;
}

function skipScalar(bytes: Uint8Array, at: number, end: number): number {
  const start = at;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || byte <= 0x20) break;
  }
  return at === start ? -1 : at;
}

export interface Member {
  /** Index of the quote that opens the name. */
  readonly name: number;
  /** Index of the value's first byte. */
  readonly value: number;
  /** Index of the comma before the name; -1 for the first member. */
  readonly comma: number;
}

/** The first member called `key` (ASCII, written without escapes) of the object that opens at `at`. */
export function findMember(bytes: Uint8Array, at: number, end: number, key: Uint8Array): Member | undefined {
  if (bytes[at] !== OPEN_BRACE) return undefined;
  let comma = -1;
  let name = skipSpace(bytes, at + 1, end);
  while (name < end && bytes[name] === QUOTE) {
    const afterName = skipString(bytes, name, end);
    if (afterName < 0) return undefined;
    const colon = skipSpace(bytes, afterName, end);
    if (bytes[colon] !== COLON) return undefined;
    const value = skipSpace(bytes, colon + 1, end);
    if (sameBytes(bytes, name + 1, afterName - 1, key)) return { name, value, comma };
    const afterValue = skipValue(bytes, value, end);
    if (afterValue < 0) return undefined;
    comma = skipSpace(bytes, afterValue, end);
    if (bytes[comma] !== COMMA) return undefined;
    name = skipSpace(bytes, comma + 1, end);
  }
  return undefined;
}

function sameBytes(bytes: Uint8Array, from: number, to: number, key: Uint8Array): boolean {
  if (to - from !== key.length) return false;
  for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key[i]) return false;
  return true;
}

/** A stretch of bytes to be left out, `to` excluded. */
export interface Cut {
  readonly from: number;
  readonly to: number;
  /** What stands there instead; nothing where missing. */
  readonly filler?: 'null';
}

/**
 * What to leave out of `bytes` so that the object that opens at `at` loses its `metadata.managedFields`: a range with
 * one of the commas beside it. Only that path is looked at, and nothing behind the object's metadata is read.
 */
export function managedFieldsRange(bytes: Uint8Array, at: number, end: number): Cut | undefined {
  const metadata = findMember(bytes, at, end, METADATA);
  return metadata && managedFieldsOf(bytes, metadata.value, end);
}

/** The same, of the metadata that opens at `at`. */
export function managedFieldsOf(bytes: Uint8Array, at: number, end: number): Cut | undefined {
  const fields = findMember(bytes, at, end, MANAGED_FIELDS);
  if (fields === undefined) return undefined;
  const afterValue = skipValue(bytes, fields.value, end);
  if (afterValue < 0) return undefined;
  if (fields.comma >= 0) return { from: fields.comma, to: afterValue };
  const next = skipSpace(bytes, afterValue, end);
  return { from: fields.name, to: bytes[next] === COMMA ? next + 1 : next };
}

/**
 * Parses the JSON between `start` and `end`. With `objectAt`, the managed fields of the object that opens there are left
 * out. Throws a SyntaxError.
 */
export function parseBytes(bytes: Buffer, start: number, end: number, objectAt = -1): unknown {
  return parseWithout(bytes, start, end, objectAt < 0 ? undefined : managedFieldsRange(bytes, objectAt, end));
}

function parseWithout(bytes: Buffer, start: number, end: number, cut: Cut | undefined): unknown {
  if (cut === undefined) return parseJson(bytes.toString('utf8', start, end));
  return parseJson(bytes.toString('utf8', start, cut.from) + bytes.toString('utf8', cut.to, end));
}

/** The text between `start` and `end` without the `cuts`, which are in order. */
export function textWithout(bytes: Buffer, start: number, end: number, cuts: readonly Cut[]): string {
  let text = '';
  let at = start;
  for (const { from, to, filler = '' } of cuts) {
    text += bytes.toString('utf8', at, from) + filler;
    at = to;
  }
  return text + bytes.toString('utf8', at, end);
}

/** The metadata of the object in `bytes`, without its managed fields; undefined where none is found. Throws a SyntaxError. */
export function parseMetadata(bytes: Buffer): unknown {
  const metadata = findMember(bytes, skipSpace(bytes, 0, bytes.length), bytes.length, METADATA);
  const end = metadata === undefined ? -1 : skipValue(bytes, metadata.value, bytes.length);
  return metadata === undefined || end < 0
    ? undefined
    : parseWithout(bytes, metadata.value, end, managedFieldsOf(bytes, metadata.value, end));
}

/** The same bytes as a Buffer; nothing is copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
