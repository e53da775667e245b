import { ownValue } from '#pkg/base';
import { dumpQuantity } from './go-quantity.ts';
import { GO_STRUCTS } from './go-structs.ts';

interface Field {
  readonly name: string;
  /** In JSON; missing for a struct whose fields stand among those of the one it is embedded in. */
  readonly key: string | undefined;
  readonly type: string;
}

const MAPS: Readonly<Record<string, string>> = {
  'map[string]string': 'string',
  'v1.ResourceList': 'resource.Quantity',
};
const NUMBERS = new Set(['int32', 'int64']);

const parsed = new Map<string, readonly Field[]>();

function fieldsOf(struct: string): readonly Field[] | undefined {
  const known = parsed.get(struct);
  if (known || !Object.hasOwn(GO_STRUCTS, struct)) return known;
  const fields = ownValue(GO_STRUCTS, struct)!.trim().split(/\s+/).map(parseField);
  parsed.set(struct, fields);
  return fields;
}

function parseField(text: string): Field {
  const [, name = '', equals, key = '', type = ''] = /^(\w+)(=?)(\w*):(.+)$/.exec(text) ?? [];
  if (equals === undefined || equals === '') return { name, key: name.charAt(0).toLowerCase() + name.slice(1), type };
  return { name, key: key === '' ? undefined : key, type };
}

/**
 * The text that Go makes of an object of this type before it hashes it (`dump.ForHash` of `k8s.io/utils`): fields in
 * order, each with its type, absent ones included. Of nothing, an empty list and an empty map all are nil, as in
 * everything that Go reads from the API server. Times are taken for absent: templates have none.
 */
export function dumpForHash(type: string, value: unknown): string {
  return `(${type})${dumpValue(type, value)}`;
}

/** Without the type: it is printed with the field, and not with items of lists and maps. */
function dumpValue(type: string, value: unknown): string {
  const absent = value === undefined || value === null;
  if (type.startsWith('*')) return absent || type === '*v1.Time' ? '<nil>' : dumpValue(type.slice(1), value);
  if (type.startsWith('[]')) {
    const items = (value ?? []) as readonly unknown[];
    return items.length === 0 ? '<nil>' : `[${items.map((item) => dumpValue(type.slice(2), item)).join(' ')}]`;
  }
  const item = ownValue(MAPS, type);
  if (item !== undefined) return dumpMap(item, (value ?? {}) as Readonly<Record<string, unknown>>);
  if (type === 'v1.Time') return '{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}';
  if (type === 'resource.Quantity') return dumpQuantity(`${(value ?? '0') as string | number}`);
  if (type === 'intstr.IntOrString') return dumpIntOrString((value ?? 0) as string | number);
  const fields = fieldsOf(type);
  if (fields !== undefined)
    return `{${fields.map((field) => dumpField(field, (value ?? {}) as Readonly<Record<string, unknown>>)).join(' ')}}`;
  if (NUMBERS.has(type)) return String((value as number | undefined) ?? 0);
  return type === 'bool' ? String(value === true) : ((value as string | undefined) ?? '');
}

function dumpField({ name, key, type }: Field, struct: Readonly<Record<string, unknown>>): string {
  return `${name}:${dumpForHash(type, key === undefined ? struct : ownValue(struct, key))}`;
}

function dumpMap(type: string, map: Readonly<Record<string, unknown>>): string {
  const keys = Object.keys(map);
  if (keys.length === 0) return '<nil>';
  keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return `map[${keys.map((key) => `${key}:${dumpValue(type, ownValue(map, key))}`).join(' ')}]`;
}

function dumpIntOrString(value: string | number): string {
  const number = typeof value === 'number';
  return `{Type:(intstr.Type)${number ? 0 : 1} IntVal:(int32)${number ? value : 0} StrVal:(string)${number ? '' : value}}`;
}
