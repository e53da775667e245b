import { ownValue } from '#pkg/base';
import { type JsonObject, isJsonObject, listAt, objectAt, objectsAt } from '../json.ts';
import { EXTENSIONS, type FieldRule, MESSAGES, type MessageName } from './proto-messages.ts';

/** Media type of what {@link encodeOpenApiV2} makes. */
export const OPENAPI_V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
/** The name that clients ask for it by. */
const ASKED_AS = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';

/** Whether media types of an Accept header, in the client's order, ask for protobuf before JSON. */
export function asksForProtobuf(types: readonly string[]): boolean {
  const first = types.find((type) => [OPENAPI_V2_PROTOBUF, ASKED_AS, 'application/json', '*/*'].includes(type));
  return first === OPENAPI_V2_PROTOBUF || first === ASKED_AS;
}

/** A field's number and its bytes, tag included. */
type Part = readonly [number: number, bytes: Buffer];

/** The document of `/openapi/v2` as the message `openapi.v2.Document` of gnostic, which is how Go clients read it. */
export function encodeOpenApiV2(document: Readonly<JsonObject>): Buffer {
  const paths = Object.entries(objectAt(document, 'paths') ?? {}).map(([path, item]) =>
    bytes(2, named(path, pathItem(item as JsonObject))),
  );
  return inOrder([
    ...fieldsOf('Document', document),
    [8, bytes(8, Buffer.concat(paths))],
    [9, bytes(9, namedSchemas(objectAt(document, 'definitions') ?? {}))],
  ]);
}

function pathItem(item: Readonly<JsonObject>): Buffer {
  const parameters = objectsAt(item, 'parameters').map((one): Part => [9, bytes(9, parameter(one))]);
  return inOrder([...fieldsOf('PathItem', item), ...parameters]);
}

function operation(object: Readonly<JsonObject>): Buffer {
  const responses = Object.entries(objectAt(object, 'responses') ?? {}).map(([code, answer]) =>
    bytes(1, named(code, bytes(1, response(answer as JsonObject)))),
  );
  const parameters = objectsAt(object, 'parameters').map((one): Part => [8, bytes(8, parameter(one))]);
  return inOrder([...fieldsOf('Operation', object), ...parameters, [9, bytes(9, Buffer.concat(responses))]]);
}

function response(object: Readonly<JsonObject>): Buffer {
  const answer = objectAt(object, 'schema');
  const parts = fieldsOf('Response', object);
  return inOrder(answer === undefined ? parts : [...parts, [2, bytes(2, bytes(1, schema(answer)))]]);
}

/** `ParametersItem`: a choice within a choice within a choice. */
function parameter(object: Readonly<JsonObject>): Buffer {
  switch (object['in']) {
    case 'body':
      return bytes(1, bytes(1, inOrder(fieldsOf('BodyParameter', object))));
    case 'path':
      return bytes(1, bytes(2, bytes(4, inOrder(fieldsOf('PathParameter', object)))));
    default:
      return bytes(1, bytes(2, bytes(3, inOrder(fieldsOf('QueryParameter', object)))));
  }
}

function schema(object: Readonly<JsonObject>): Buffer {
  const { type, items, additionalProperties } = object;
  const types = typeof type === 'string' ? [type] : listAt(object, 'type').map(String);
  const parts = fieldsOf('Schema', object);
  if (typeof additionalProperties === 'boolean') parts.push([21, bytes(21, bool(2, additionalProperties))]);
  else if (isJsonObject(additionalProperties)) parts.push([21, bytes(21, bytes(1, schema(additionalProperties)))]);
  if (types.length > 0) parts.push([22, bytes(22, Buffer.concat(types.map((one) => text(1, one))))]);
  if (isJsonObject(items)) parts.push([23, bytes(23, bytes(1, schema(items)))]);
  return inOrder(parts);
}

function messageOf(name: MessageName, object: Readonly<JsonObject>): Buffer {
  switch (name) {
    case 'Schema':
      return schema(object);
    case 'Operation':
      return operation(object);
    default:
      return inOrder(fieldsOf(name, object));
  }
}

/** Fields stand in the order of their numbers, as every encoder writes them. */
function inOrder(parts: readonly Part[]): Buffer {
  return Buffer.concat(parts.toSorted(([a], [b]) => a - b).map(([, part]) => part));
}

/** The fields that have the same form in both encodings, and the extensions. */
function fieldsOf(name: MessageName, object: Readonly<JsonObject>): Part[] {
  const extension = EXTENSIONS[name];
  return Object.entries(object).flatMap(([key, value]): Part[] => {
    const rule = MESSAGES[name].get(key);
    if (rule !== undefined) return [[rule.number, field(rule, value)]];
    return key.startsWith('x-') ? [[extension, bytes(extension, named(key, any(value)))]] : [];
  });
}

function field(rule: FieldRule, value: unknown): Buffer {
  if (rule.repeated) return Buffer.concat((Array.isArray(value) ? value : []).map((item) => single(rule, item)));
  if (rule.named) return bytes(rule.number, namedSchemas(isJsonObject(value) ? value : {}));
  return single(rule, value);
}

function single({ number, type }: FieldRule, value: unknown): Buffer {
  switch (type) {
    case 'string':
      return text(number, String(value));
    case 'bool':
      return value === true ? bool(number, true) : EMPTY;
    case 'int64':
      return integer(number, BigInt(Math.trunc(Number(value))));
    case 'double':
      return double(number, Number(value));
    case 'any':
      return bytes(number, any(value));
    default:
      return bytes(number, messageOf(type, isJsonObject(value) ? value : {}));
  }
}

const EMPTY = Buffer.alloc(0);

function namedSchemas(object: Readonly<JsonObject>): Buffer {
  return Buffer.concat(
    Object.keys(object).map((name) => bytes(1, named(name, schema(ownValue(object, name) as JsonObject)))),
  );
}

/** `NamedSchema`, `NamedAny` and the like. */
const named = (name: string, value: Buffer): Buffer => Buffer.concat([text(1, name), bytes(2, value)]);
/** JSON is YAML. */
const any = (value: unknown): Buffer => text(2, JSON.stringify(value));

const text = (number: number, value: string): Buffer => bytes(number, Buffer.from(value));

function bytes(number: number, content: Buffer): Buffer {
  return Buffer.concat([tag(number, 2), size(content.length), content]);
}

function bool(number: number, value: boolean): Buffer {
  return Buffer.concat([tag(number, 0), size(value ? 1 : 0)]);
}

function integer(number: number, value: bigint): Buffer {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.concat([tag(number, 0), Buffer.from([...out, Number(rest)])]);
}

function double(number: number, value: number): Buffer {
  const content = Buffer.alloc(8);
  content.writeDoubleLE(value);
  return Buffer.concat([tag(number, 1), content]);
}

const tag = (number: number, wireType: number): Buffer => size(number * 8 + wireType);

/** A varint of at most 32 bits. */
function size(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  return Buffer.from([...out, rest]);
}
