import { formatMicroTime, formatTime, ownValue, setOwnValue, parseJson } from '#pkg/base';
import type { JsonObject } from '../json.ts';
import { badRequest } from '../refusals.ts';
import { type Message, messageOf, messageOfKind } from './messages.ts';
import { Reader } from './reader.ts';

export const PROTOBUF = 'application/vnd.kubernetes.protobuf';
/** What stands before every object: `k8s` and a zero (`runtime/serializer/protobuf`). */
const MAGIC = [0x6b, 0x38, 0x73, 0x00];

/** The object in a body of Kubernetes' protobuf encoding, in its JSON form. 400 where it is none. */
export function decodeProtobuf(body: Uint8Array): JsonObject {
  if (!MAGIC.every((byte, index) => body[index] === byte)) {
    throw badRequest('the provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]');
  }
  try {
    return decodeEnvelope(body.subarray(MAGIC.length));
  } catch (error) {
    if (error instanceof RangeError) throw badRequest(`error decoding the protobuf body: ${error.message}`);
    throw error;
  }
}

/** `runtime.Unknown`: the type, and the object's own bytes. */
function decodeEnvelope(bytes: Uint8Array): JsonObject {
  const reader = new Reader(bytes);
  let apiVersion = '';
  let kind = '';
  let raw: Uint8Array = new Uint8Array();
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1 && wire === 2) [apiVersion, kind] = decodeType(reader.bytes());
    else if (field === 2 && wire === 2) raw = reader.bytes();
    else reader.skip(wire);
  }
  const message = messageOfKind(apiVersion, kind);
  if (message === undefined) throw badRequest(`no kind "${kind}" is registered for version "${apiVersion}"`);
  return { kind, apiVersion, ...decodeMessage(message, raw) };
}

function decodeType(bytes: Uint8Array): [apiVersion: string, kind: string] {
  const reader = new Reader(bytes);
  const texts = ['', '', ''];
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (wire === 2 && field < 3) texts[field] = text(reader.bytes());
    else reader.skip(wire);
  }
  return [texts[1]!, texts[2]!];
}

function decodeMessage(message: Message, bytes: Uint8Array): JsonObject {
  const reader = new Reader(bytes);
  const object: JsonObject = {};
  while (!reader.done) {
    const { field: number, wire } = reader.tag();
    const field = message.get(number);
    if (field === undefined) {
      reader.skip(wire);
      continue;
    }
    const { name, type } = field;
    if (field.inline) Object.assign(object, decodeValue(type, reader, wire));
    else if (type.startsWith('['))
      setOwnValue(object, name, [
        ...((ownValue(object, name) as unknown[] | undefined) ?? []),
        ...decodeRepeated(type.slice(1), reader, wire),
      ]);
    else if (type.startsWith('{'))
      setOwnValue(object, name, {
        ...(ownValue(object, name) as object | undefined),
        ...decodeEntry(type.slice(1), reader.bytes()),
      });
    else setOwnValue(object, name, decodeValue(type, reader, wire));
  }
  return object;
}

/** Numbers can come packed, many in one field. */
function decodeRepeated(type: string, reader: Reader, wire: number): unknown[] {
  if (wire !== 2 || !'ibd'.includes(type)) return [decodeValue(type, reader, wire)];
  const packed = new Reader(reader.bytes());
  const values: unknown[] = [];
  while (!packed.done) values.push(decodeValue(type, packed, type === 'd' ? 1 : 0));
  return values;
}

function decodeEntry(type: string, bytes: Uint8Array): JsonObject {
  const reader = new Reader(bytes);
  let key = '';
  // An entry without a value has the value's zero.
  let value: unknown = zeroOf(type);
  while (!reader.done) {
    const { field, wire } = reader.tag();
    if (field === 1 && wire === 2) key = text(reader.bytes());
    else if (field === 2) value = decodeValue(type, reader, wire);
    else reader.skip(wire);
  }
  return { [key]: value };
}

function zeroOf(type: string): unknown {
  if (type === 's' || type === 'y') return '';
  if (type === 'b') return false;
  if (type === 'q') return '0';
  return type === 'i' || type === 'd' ? 0 : type.startsWith('w') ? [] : {};
}

function decodeValue(type: string, reader: Reader, wire: number): unknown {
  switch (type[0]) {
    case 'i':
      return reader.integer();
    case 'b':
      return reader.varint() !== 0n;
    case 'd':
      return reader.double();
    default:
  }
  if (wire !== 2) throw new RangeError(`wrong wireType ${wire}`);
  const bytes = reader.bytes();
  switch (type[0]) {
    case 's':
      return text(bytes);
    case 'y':
      return Buffer.from(bytes).toString('base64');
    case 'a':
      return decodeRaw(bytes);
    case 'q':
      return fieldsOf(bytes, ['', 's'])[1] ?? '0';
    case 'x': {
      const [, kind, number, string] = fieldsOf(bytes, ['', 'i', 'i', 's']);
      return kind === 1 ? (string ?? '') : (number ?? 0);
    }
    case 't':
    case 'u':
      return decodeTime(bytes, type === 'u');
    case 'n':
      return `${Number(fieldsOf(bytes, ['', 'i'])[1] ?? 0) / 1e9}s`;
    case 'w':
      return (
        decodeMessage(new Map([[1, { name: 'items', inline: false, type: `[${type.slice(1)}` }]]), bytes)['items'] ?? []
      );
    default:
      return decodeMessage(messageOf(type.slice(1))!, bytes);
  }
}

/** Values of a small message by field number. */
function fieldsOf(bytes: Uint8Array, types: readonly string[]): unknown[] {
  const reader = new Reader(bytes);
  const values: unknown[] = [];
  while (!reader.done) {
    const { field, wire } = reader.tag();
    const type = types[field];
    if (type === undefined || type === '') reader.skip(wire);
    else values[field] = decodeValue(type, reader, wire);
  }
  return values;
}

/** The zero time, which is written as an empty message, is no time. */
function decodeTime(bytes: Uint8Array, micro: boolean): string | null {
  const [, seconds = 0, nanos = 0] = fieldsOf(bytes, ['', 'i', 'i']) as number[];
  if (bytes.length === 0) return null;
  return micro ? formatMicroTime(seconds * 1000 + nanos / 1e6) : formatTime(seconds * 1000);
}

/** JSON in a message of its own. */
function decodeRaw(bytes: Uint8Array): unknown {
  const raw = fieldsOf(bytes, ['', 'y'])[1];
  if (typeof raw !== 'string' || raw === '') return null;
  const json = Buffer.from(raw, 'base64').toString('utf8');
  try {
    return parseJson(json);
  } catch {
    throw new RangeError('raw content is not JSON');
  }
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
