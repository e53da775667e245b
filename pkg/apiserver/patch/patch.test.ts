import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonObject, isJsonObject } from '../json.ts';
import { type FieldSchema, type ObjectSchema, schemaFor } from '../schema/index.ts';
import { jsonPatch, mergePatch, strategicMergePatch } from './index.ts';

const deployment = schemaFor('apps', 'v1', 'Deployment')!;
const stored: JsonObject = {
  metadata: { name: 'd', finalizers: ['a', 'b'], labels: { app: 'web' } },
  spec: {
    replicas: 1,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } },
    template: {
      spec: {
        containers: [
          {
            name: 'c',
            image: 'i',
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
            args: ['x'],
          },
          { name: 'd', image: 'j' },
        ],
        tolerations: [{ key: 'x' }],
      },
    },
  },
};

function podSpec(patch: JsonObject): JsonObject {
  const spec = strategicMergePatch(deployment, stored, { spec: { template: { spec: patch } } })['spec'] as JsonObject;
  return (spec['template'] as JsonObject)['spec'] as JsonObject;
}

function names(list: unknown): unknown[] {
  return (list as JsonObject[]).map((item) => item['name']);
}

describe('strategicMergePatch', () => {
  it('merges items of keyed lists and adds new ones', () => {
    const { containers } = podSpec({
      containers: [
        { name: 'c', image: 'new' },
        { name: 'e', image: 'k' },
      ],
    });
    expect(containers).toEqual([
      {
        name: 'c',
        image: 'new',
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
        ],
        args: ['x'],
      },
      { name: 'e', image: 'k' },
      { name: 'd', image: 'j' },
    ]);
  });

  it('replaces lists without a merge strategy', () => {
    expect(podSpec({ tolerations: [{ key: 'y' }] })['tolerations']).toEqual([{ key: 'y' }]);
    expect((podSpec({ containers: [{ name: 'c', args: ['z'] }] })['containers'] as JsonObject[])[0]!['args']).toEqual([
      'z',
    ]);
  });

  it('obeys $patch in items and maps', () => {
    expect(names(podSpec({ containers: [{ name: 'c', $patch: 'delete' }] })['containers'])).toEqual(['d']);
    expect(podSpec({ containers: [{ $patch: 'replace' }, { name: 'q', image: 'z' }] })['containers']).toEqual([
      { name: 'q', image: 'z' },
    ]);
    expect(podSpec({ $patch: 'replace', nodeName: 'n' })).toEqual({ nodeName: 'n' });
    expect(podSpec({ $patch: 'delete' })).toEqual({});
    const env = (
      podSpec({ containers: [{ name: 'c', env: [{ name: 'A', $patch: 'delete' }] }] })['containers'] as JsonObject[]
    )[0]!['env'];
    expect(env).toEqual([{ name: 'B', value: '2' }]);
  });

  it('obeys $setElementOrder, with and without items', () => {
    const order = { '$setElementOrder/containers': [{ name: 'd' }, { name: 'c' }] };
    expect(names(podSpec(order)['containers'])).toEqual(['d', 'c']);
    expect(
      names(
        podSpec({
          '$setElementOrder/containers': [{ name: 'e' }, { name: 'd' }, { name: 'c' }],
          containers: [{ name: 'e' }],
        })['containers'],
      ),
    ).toEqual(['e', 'd', 'c']);
    expect(() => podSpec({ ...order, containers: [{ name: 'zz' }] })).toThrow("doesn't match $setElementOrder list");
    expect(() => podSpec({ '$setElementOrder/containers': 'x' })).toThrow(
      'expected a []interface {}, but received a string',
    );
  });

  it('keeps items that only the server has in their place among the ordered', () => {
    const live: JsonObject = {
      spec: { template: { spec: { containers: ['a', 'injected', 'b'].map((name) => ({ name })) } } },
    };
    const patch = {
      spec: {
        template: {
          spec: {
            '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }, { name: 'new' }],
            containers: [{ name: 'new' }],
          },
        },
      },
    };
    const spec = (strategicMergePatch(deployment, live, patch)['spec'] as JsonObject)['template'] as JsonObject;
    expect(names((spec['spec'] as JsonObject)['containers'])).toEqual(['a', 'injected', 'b', 'new']);
  });

  it('obeys $retainKeys and $deleteFromPrimitiveList', () => {
    const strategy = (patch: JsonObject): unknown =>
      (strategicMergePatch(deployment, stored, { spec: { strategy: patch } })['spec'] as JsonObject)['strategy'];
    expect(strategy({ $retainKeys: ['type'], type: 'Recreate' })).toEqual({ type: 'Recreate' });
    expect(() => strategy({ $retainKeys: ['type'], type: 'Recreate', rollingUpdate: {} })).toThrow(
      'invalid patch format of retainKeys',
    );
    const metadata = strategicMergePatch(deployment, stored, {
      metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] },
    })['metadata'];
    expect((metadata as JsonObject)['finalizers']).toEqual(['b']);
    const merged = strategicMergePatch(deployment, stored, { metadata: { finalizers: ['c', 'a'] } })['metadata'];
    expect((merged as JsonObject)['finalizers']).toEqual(['c', 'a', 'b']);
  });

  it.each([
    [{ containers: [{ image: 'x' }] }, 'does not contain declared merge key: name'],
    [{ containers: [{ name: 'c', $patch: 'zzz' }] }, 'unknown patch type: zzz'],
    [{ $patch: 'zzz' }, 'unknown patch type: zzz'],
    [{ containers: ['a'] }, 'list element types are not identical'],
  ])('refuses %j', (patch, message) => {
    expect(() => podSpec(patch)).toThrow(message);
  });

  it('patch(create(a, b)) on a gives b', () => {
    fc.assert(
      fc.property(podSpecs, podSpecs, (a, b) => {
        const schema = schemaFor('', 'v1', 'Pod')!;
        const before = structuredClone(a);
        const patched = strategicMergePatch(schema, { spec: a }, { spec: createPatch(a, b, specSchema(schema)) });
        expect(patched).toEqual({ spec: b });
        expect(a).toEqual(before);
      }),
    );
  });
});

/** As a client makes a patch of two versions: the other half of the contract. */
function createPatch(a: JsonObject, b: JsonObject, schema: ObjectSchema | undefined): JsonObject {
  const patch: JsonObject = {};
  for (const key of Object.keys(a)) if (!(key in b)) patch[key] = null;
  for (const key of Object.keys(b)) {
    const [left, right] = [a[key], b[key]];
    const field = schema?.fields.get(key);
    if (isJsonObject(left) && isJsonObject(right))
      patch[key] = createPatch(left, right, field?.value.type === 'object' ? field.value.schema : undefined);
    else if (field?.patchMergeKey !== undefined && Array.isArray(left) && Array.isArray(right)) {
      Object.assign(patch, createListPatch(field, left as JsonObject[], right as JsonObject[]));
    } else patch[key] = right;
  }
  return patch;
}

function createListPatch(field: FieldSchema, left: JsonObject[], right: JsonObject[]): JsonObject {
  const mergeKey = field.patchMergeKey!;
  const items =
    field.value.type === 'list' && field.value.items.type === 'object' ? field.value.items.schema : undefined;
  const changed = right.map((item) => {
    const old = left.find((other) => other[mergeKey] === item[mergeKey]);
    return old === undefined ? item : { ...createPatch(old, item, items), [mergeKey]: item[mergeKey] };
  });
  const deleted = left
    .filter((old) => !right.some((item) => item[mergeKey] === old[mergeKey]))
    .map((old) => ({ [mergeKey]: old[mergeKey], $patch: 'delete' }));
  return {
    [`$setElementOrder/${field.name}`]: right.map((item) => ({ [mergeKey]: item[mergeKey] })),
    [field.name]: [...changed, ...deleted],
  };
}

function specSchema(schema: ObjectSchema): ObjectSchema {
  const spec = schema.fields.get('spec')!.value;
  if (spec.type !== 'object') throw new TypeError('a spec is an object');
  return spec.schema;
}

const name = fc.constantFrom('a', 'b', 'c', 'd');
function namedList(rest: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<JsonObject[]> {
  const item = fc.record({ name, ...rest }, { requiredKeys: ['name'] }) as fc.Arbitrary<JsonObject>;
  return fc.uniqueArray(item, { maxLength: 4, selector: (one) => one['name'] });
}
const env = namedList({ value: fc.string({ maxLength: 3 }) });
const containers = namedList({
  image: fc.constantFrom('x', 'y'),
  args: fc.array(fc.constantFrom('p', 'q'), { minLength: 1, maxLength: 3 }),
  env,
  securityContext: fc.record({ runAsUser: fc.nat(3), privileged: fc.boolean() }, { requiredKeys: [] }),
});
const podSpecs = fc.record(
  {
    containers,
    initContainers: containers,
    nodeName: name,
    nodeSelector: fc.dictionary(name, name),
    activeDeadlineSeconds: fc.nat(3),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>;

describe('mergePatch', () => {
  it.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: { c: 1 } }, { a: { c: 1 } }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j gives %j', (document, patch, expected) => {
    expect(mergePatch(document, patch)).toEqual(expected);
  });

  it('refuses what is no object', () => {
    expect(() => mergePatch({}, [])).toThrow(
      'error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}',
    );
  });
});

describe('jsonPatch', () => {
  const configMap = { data: { a: '1' }, metadata: { finalizers: ['x/y'] } };
  it.each([
    [
      { op: 'replace', path: '/data/zz', value: 'x' },
      { a: '1', zz: 'x' },
    ],
    [
      { op: 'copy', from: '/data/zz', path: '/data/y' },
      { a: '1', y: null },
    ],
    [{ op: 'move', from: '/data/a', path: '/data/y' }, { y: '1' }],
    [{ op: 'remove', path: '/data/a' }, {}],
    [{ op: 'test', path: '/data/a', value: '1' }, { a: '1' }],
  ])('%j', (operation, data) => {
    expect(jsonPatch(configMap, [operation])['data']).toEqual(data);
  });

  it.each([
    { op: 'test', path: '/data/a', value: '2' },
    { op: 'remove', path: '/data/zz' },
    { op: 'add', path: '/foo/bar', value: 'x' },
    { op: 'zzz', path: '/data/a' },
    { path: '/data/a' },
    { op: 'add', path: '/metadata/finalizers/5', value: 'x' },
    { op: 'remove', path: 'data' },
    { op: 'add', path: '', value: {} },
  ])('refuses %j', (operation) => {
    expect(() => jsonPatch(configMap, [operation])).toThrow(
      'the server rejected our request due to an error in our request',
    );
  });

  it('leaves the document alone and refuses what is no patch', () => {
    jsonPatch(configMap, [{ op: 'remove', path: '/data/a' }]);
    expect(configMap.data).toEqual({ a: '1' });
    expect(() => jsonPatch(configMap, { op: 'add' })).toThrow(
      'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
    );
    expect(() => jsonPatch(configMap, [1])).toThrow(
      'cannot unmarshal number into Go value of type handlers.jsonPatchOp',
    );
  });
});
