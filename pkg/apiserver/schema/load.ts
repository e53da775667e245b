import { fnv32a, ownValue } from '#pkg/base';
import {
  type FieldSchema,
  type ObjectSchema,
  type ScalarKind,
  type ServedResource,
  type ServedSubresource,
  type ValueType,
} from './types.ts';
import resourceRows from './resources.json' with { type: 'json' };
import data from './schema.json' with { type: 'json' };

/*
 * schema.json holds a line of text for each struct: fields apart by spaces, `name[!][+|?|~]:type[#fact]...`.
 *
 *   !  required      + always written   ? pointer   ~ null when missing (Go's omitempty and pointers; else omitempty)
 *   type: s i l d b y q x t u (scalars), a (anything), @package.Type, [items, {values; s/package.Name is a named string
 *   facts: #set #map=keys #atomic #merge #replace #retainKeys #key=patchMergeKey #default=json
 *
 * A line is read at the first use of its struct, so that a server which never sees an Ingress never holds its tree.
 */
const kinds: Readonly<Record<string, string>> = data.kinds;
const types: Readonly<Record<string, string>> = data.types;
const packages: Readonly<Record<string, string>> = data.packages;
const enums: Readonly<Record<string, string>> = data.enums;
const opaque: ReadonlySet<string> = new Set(data.opaque);
const LIST_SUFFIX = 'List';

const SCALARS: Readonly<Record<string, readonly [ScalarKind, string]>> = {
  s: ['string', 'string'],
  i: ['int32', 'int32'],
  l: ['int64', 'int64'],
  d: ['double', 'float64'],
  b: ['boolean', 'bool'],
  y: ['bytes', '[]uint8'],
  q: ['quantity', 'resource.Quantity'],
  x: ['int-or-string', 'intstr.IntOrString'],
  t: ['time', 'v1.Time'],
  u: ['micro-time', 'v1.MicroTime'],
};

const schemas = new Map<string, LazySchema>();

class LazySchema implements ObjectSchema {
  readonly name: string;
  readonly goType: string;
  readonly atomic: boolean;
  #text: string | undefined;
  #fields: ReadonlyMap<string, FieldSchema> | undefined;

  constructor(short: string, text: string) {
    this.name = longName(short);
    this.goType = short.split('.').slice(-2).join('.');
    this.atomic = text.startsWith('#atomic ');
    this.#text = this.atomic ? text.slice('#atomic '.length) : text;
  }

  get fields(): ReadonlyMap<string, FieldSchema> {
    if (this.#fields === undefined) {
      this.#fields = new Map(
        this.#text!.split(' ')
          .filter((field) => field !== '')
          .map(parseField)
          .map((field) => [field.name, field]),
      );
      this.#text = undefined;
    }
    return this.#fields;
  }
}

function longName(short: string): string {
  const dot = short.lastIndexOf('.');
  return `${ownValue(packages, short.slice(0, dot))}${short.slice(dot)}`;
}

function parseField(text: string): FieldSchema {
  const colon = text.indexOf(':');
  const [, name, required, presence] = /^([^!?+~]+)(!?)([?+~]?)$/.exec(text.slice(0, colon))!;
  const [typeText, ...facts] = text.slice(colon + 1).split('#');
  const field: { -readonly [Key in keyof FieldSchema]: FieldSchema[Key] } = {
    name: name!,
    value: parseType(typeText!),
    required: required === '!',
    listType: 'atomic',
    listMapKeys: [],
    atomic: false,
    patchStrategy: [],
    presence: presence === '+' ? 'always' : presence === '?' ? 'pointer' : presence === '~' ? 'null' : 'omitempty',
  };
  const named = /s\/(.*)$/.exec(typeText!)?.[1];
  const values = named === undefined ? undefined : ownValue(enums, named);
  if (values !== undefined) field.enum = values.split('|');
  for (const fact of facts) {
    const equals = fact.indexOf('=');
    const key = equals < 0 ? fact : fact.slice(0, equals);
    const value = fact.slice(equals + 1);
    if (key === 'set') field.listType = 'set';
    else if (key === 'map') {
      field.listType = 'map';
      field.listMapKeys = value.split(',');
    } else if (key === 'atomic') field.atomic = true;
    else if (key === 'key') field.patchMergeKey = value;
    else if (key === 'default') field.default = JSON.parse(value);
    else field.patchStrategy = [...field.patchStrategy, key as 'merge' | 'replace' | 'retainKeys'];
  }
  return field;
}

function parseType(text: string): ValueType {
  switch (text[0]) {
    case '[':
      return { type: 'list', items: parseType(text.slice(1)) };
    case '{':
      return { type: 'map', values: parseType(text.slice(1)) };
    case '@':
      return { type: 'object', schema: schemaOf(text.slice(1)) };
    case 'a':
      return { type: 'any' };
    default: {
      const [scalar, goType] = ownValue(SCALARS, text[0]!)!;
      return {
        type: 'scalar',
        scalar,
        goType: text[1] === '/' ? text.split('.').slice(-2).join('.').replace(/^s\//, '') : goType,
      };
    }
  }
}

/** By short name, `apps.v1.Deployment`. A list kind's schema is made from its item's. */
function schemaOf(short: string): LazySchema {
  let schema = schemas.get(short);
  if (schema === undefined) {
    schema = new LazySchema(short, ownValue(types, short) ?? listText(short));
    schemas.set(short, schema);
  }
  return schema;
}

function listText(short: string): string {
  return `kind:s apiVersion:s metadata+:@meta.v1.ListMeta items!+:[@${short.slice(0, -LIST_SUFFIX.length)}`;
}

/** The schema of a kind; undefined where it is not served. `List` kinds have one too. */
export function schemaFor(group: string, version: string, kind: string): ObjectSchema | undefined {
  const short = ownValue(kinds, `${group === '' ? '' : `${group}/`}${version}/${kind}`);
  return short === undefined ? undefined : schemaOf(short);
}

/** Every named type, for documents that describe the API: structs by their long name, and those that take anything. */
export function allSchemas(): {
  readonly structs: ObjectSchema[];
  readonly opaque: string[];
  readonly kinds: ReadonlyMap<string, string>;
} {
  const lists = Object.values(kinds).filter((short) => ownValue(types, short) === undefined);
  return {
    structs: [...new Set([...Object.keys(types), ...lists])].filter((short) => !opaque.has(short)).map(schemaOf),
    opaque: [...opaque].map(longName),
    kinds: new Map(Object.entries(kinds).map(([kind, short]) => [kind, longName(short)])),
  };
}

/** Changes whenever the data does. */
export function schemaDigest(): string {
  return fnv32a(JSON.stringify([data, resourceRows]))
    .toString(16)
    .toUpperCase()
    .padStart(8, '0');
}

interface ResourceRow {
  group: string;
  version: string;
  resource: string;
  kind: string;
  singular: string;
  namespaced: boolean;
  preferred?: boolean;
  shortNames?: string;
  categories?: string;
  verbs: string;
  subresources?: { name: string; kind: string; group?: string; version?: string; verbs: string }[];
}

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
let served: readonly ServedResource[] | undefined;

/** What the server serves, in the order of discovery. */
export function servedResources(): readonly ServedResource[] {
  served ??= (resourceRows as ResourceRow[]).map(resourceOf);
  return served;
}

function resourceOf(row: ResourceRow): ServedResource {
  return {
    group: row.group,
    version: row.version,
    resource: row.resource,
    kind: row.kind,
    singular: row.singular,
    namespaced: row.namespaced,
    preferred: row.preferred ?? true,
    shortNames: split(row.shortNames),
    categories: split(row.categories),
    verbs: row.verbs === '*' ? ALL_VERBS : split(row.verbs),
    subresources: (row.subresources ?? []).map((sub): ServedSubresource => ({ ...sub, verbs: split(sub.verbs) })),
  };
}

function split(text = ''): string[] {
  return text === '' ? [] : text.split(',');
}
