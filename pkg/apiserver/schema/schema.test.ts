import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type FieldSchema, type ValueType, allSchemas, schemaFor, servedResources } from './index.ts';

interface TypeFact {
  readonly ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly items?: TypeFact;
  readonly values?: TypeFact;
}
interface FieldFact extends TypeFact {
  readonly 'list-type'?: string;
  readonly 'list-map-keys'?: readonly string[];
  readonly 'map-type'?: string;
  readonly 'patch-merge-key'?: string;
  readonly 'patch-strategy'?: string;
}
interface StructFact {
  readonly fields?: Readonly<Record<string, FieldFact>>;
  readonly required?: readonly string[];
  readonly 'map-type'?: string;
  readonly gvk?: readonly { group: string; version: string; kind: string }[];
}

const golden = (name: string): string => readFileSync(new URL(`../../../test/golden/${name}`, import.meta.url), 'utf8');
const facts = JSON.parse(golden('schema-facts.json')) as Readonly<Record<string, StructFact>>;

const NAMED: Readonly<Record<string, string>> = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'time',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'micro-time',
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'quantity',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'int-or-string',
};

/** Both sides in one notation: `[core.v1.Container`, `{string`, `int32`. */
function ofFact(fact: TypeFact): string {
  if (fact.ref !== undefined) return NAMED[fact.ref] ?? (facts[fact.ref]?.fields === undefined ? 'any' : fact.ref);
  if (fact.type === 'array') return `[${ofFact(fact.items!)}`;
  if (fact.type === 'object') return fact.values === undefined ? 'any' : `{${ofFact(fact.values)}`;
  if (fact.type === 'integer') return fact.format ?? 'int64';
  if (fact.type === 'number') return 'double';
  return fact.format === 'byte' ? 'bytes' : fact.type!;
}

function ofType(type: ValueType): string {
  switch (type.type) {
    case 'any':
      return 'any';
    case 'list':
      return `[${ofType(type.items)}`;
    case 'map':
      return `{${ofType(type.values)}`;
    case 'object':
      return type.schema.name;
    case 'scalar':
      return type.scalar;
  }
}

function printFact(fact: FieldFact, required: boolean): unknown {
  return {
    type: ofFact(fact),
    required,
    list: fact['list-type'] ?? 'atomic',
    keys: fact['list-map-keys'] ?? [],
    atomic: fact['map-type'] === 'atomic',
    mergeKey: fact['patch-merge-key'],
    strategy: fact['patch-strategy'] ?? '',
  };
}

function printField(field: FieldSchema): unknown {
  return {
    type: ofType(field.value),
    required: field.required,
    list: field.listType,
    keys: field.listMapKeys,
    atomic: field.atomic,
    mergeKey: field.patchMergeKey,
    strategy: field.patchStrategy.join(','),
  };
}

describe('schemas, against the reference table', () => {
  const schemas = new Map(allSchemas().structs.map((schema) => [schema.name, schema]));
  const structs = Object.entries(facts).filter(([, fact]) => fact.fields !== undefined);

  it('knows every struct, and no other', () => {
    expect(Array.from(schemas.keys()).toSorted()).toEqual(structs.map(([name]) => name).toSorted());
  });

  it('has every field as it is', () => {
    const wrong: string[] = [];
    for (const [name, fact] of structs) {
      const schema = schemas.get(name)!;
      const wanted = Object.entries(fact.fields!).map(([field, one]) => [
        field,
        printFact(one, fact.required?.includes(field) ?? false),
      ]);
      const got = Array.from(schema.fields.values(), (field) => [field.name, printField(field)]);
      const text = (fields: unknown[][]): string =>
        JSON.stringify(fields.toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)));
      if (text(wanted) !== text(got) || schema.atomic !== (fact['map-type'] === 'atomic')) wrong.push(name);
    }
    expect(wrong).toEqual([]);
  });

  it('finds each by its kind', () => {
    for (const [name, { gvk = [] }] of structs) {
      for (const { group, version, kind } of gvk) expect(schemaFor(group, version, kind)?.name).toBe(name);
    }
    expect(schemaFor('apps', 'v1', 'Nothing')).toBeUndefined();
  });

  it('writes fields as Go does', () => {
    const presence = (kind: string, field: string): string | undefined => {
      const spec = schemaFor('apps', 'v1', kind)!.fields.get('spec')!.value;
      return spec.type === 'object' ? spec.schema.fields.get(field)?.presence : undefined;
    };
    expect(presence('Deployment', 'replicas')).toBe('pointer');
    expect(presence('Deployment', 'minReadySeconds')).toBe('omitempty');
    expect(presence('Deployment', 'strategy')).toBe('always');
    expect(presence('Deployment', 'selector')).toBe('null');
  });
});

describe('served resources, against the reference table', () => {
  it('serves what the table says', () => {
    const [, ...rows] = golden('api-resources.tsv').trimEnd().split('\n');
    const got = servedResources().flatMap((one) => {
      const place = [one.group, one.version, one.preferred ? 'yes' : ''];
      const kindOf = (group: string | undefined, version: string | undefined, kind: string): string =>
        group === undefined ? kind : `${group}/${version}/${kind}`;
      return [
        [
          ...place,
          one.resource,
          one.kind,
          one.singular,
          String(one.namespaced),
          one.shortNames.join(','),
          one.categories.join(','),
          one.verbs.join(','),
        ],
        ...one.subresources.map((sub) => [
          ...place,
          `${one.resource}/${sub.name}`,
          kindOf(sub.group, sub.version, sub.kind),
          '',
          String(one.namespaced),
          '',
          '',
          sub.verbs.join(','),
        ]),
      ].map((row) => row.join('\t'));
    });
    expect(got.toSorted()).toEqual(rows.toSorted());
  });
});
