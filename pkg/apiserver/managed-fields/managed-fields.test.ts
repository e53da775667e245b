import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isApiError } from '#pkg/api';
import { type JsonObject, listAt } from '../json.ts';
import { schemaFor } from '../schema/index.ts';
import { FieldSet, printPath } from './field-set.ts';
import { apply, trackUpdate } from './index.ts';

const schema = schemaFor('apps', 'v1', 'Deployment')!;
const base = { apiVersion: 'apps/v1', kind: 'Deployment' };
const [T0, T1] = ['2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'];

function stored(object: JsonObject): JsonObject {
  return { ...object, metadata: { ...(object['metadata'] as JsonObject), uid: 'u' } };
}

function applied(
  live: JsonObject | undefined,
  config: JsonObject,
  manager: string,
  time = T0,
  force = false,
): JsonObject {
  return stored(
    apply({ schema, ...(live === undefined ? {} : { live }), config: { ...base, ...config }, manager, force, time })
      .object,
  );
}

const item = fc.record(
  {
    name: fc.constantFrom('a', 'b', 'c'),
    image: fc.constantFrom('x', 'y'),
    args: fc.array(fc.constantFrom('p', 'q'), { maxLength: 2 }),
  },
  { requiredKeys: ['name'] },
);
// A list without items owns nothing, so a spec of which that is all would be pruned. A valid one always holds more.
const spec = fc.record(
  {
    replicas: fc.nat(3),
    paused: fc.boolean(),
    template: fc.record({
      spec: fc.record(
        {
          containers: fc.uniqueArray(item, { minLength: 1, maxLength: 3, selector: ({ name }) => name }),
          nodeSelector: fc.dictionary(fc.constantFrom('k', 'l'), fc.constantFrom('v', 'w')),
        },
        { requiredKeys: [] },
      ),
    }),
  },
  { requiredKeys: [] },
);
const config = fc.record({
  metadata: fc.record(
    {
      labels: fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2')),
      finalizers: fc.uniqueArray(fc.constantFrom('f', 'g')),
    },
    { requiredKeys: [] },
  ),
  spec,
}) as fc.Arbitrary<JsonObject>;

/** An empty map or list, null and nothing at all are one: Go writes some and leaves out others. */
function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, child]) => [key, bare(child)] as const);
  return Object.fromEntries(
    entries.filter(([, child]) => !(typeof child === 'object' && (child === null || Object.keys(child).length === 0))),
  );
}

describe('apply', () => {
  it('twice is a no-op, and keeps the time', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const live = applied(applied(undefined, first, 'one'), second, 'two', T0, true);
        const again = applied(live, second, 'two', T1, true);
        expect(again).toEqual(live);
      }),
    );
  });

  it('makes the object what its only manager last applied', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const fresh = applied(undefined, second, 'one');
        const changed = applied(applied(undefined, first, 'one'), second, 'one');
        expect(bare({ ...changed, metadata: { ...(changed['metadata'] as JsonObject), managedFields: null } })).toEqual(
          bare({ ...fresh, metadata: { ...(fresh['metadata'] as JsonObject), managedFields: null } }),
        );
      }),
    );
  });

  it('leaves what others own, and conflicts exactly where it would change that', () => {
    fc.assert(
      fc.property(config, config, (first, second) => {
        const live = applied(undefined, first, 'one');
        let conflict = false;
        try {
          applied(live, second, 'two');
        } catch (error) {
          conflict = isApiError(error, 'Conflict');
        }
        const forced = applied(live, second, 'two', T1, true);
        // Taking by force leaves the other manager with less only where there was a conflict.
        const fieldsOf = (object: JsonObject): unknown =>
          listAt(object['metadata'], 'managedFields')
            .map((entry) => entry as JsonObject)
            .find(({ manager }) => manager === 'one')?.['fieldsV1'];
        expect(JSON.stringify(fieldsOf(forced)) !== JSON.stringify(fieldsOf(live))).toBe(conflict);
      }),
    );
  });

  it('owns what existed before anyone applied under a manager of its own', () => {
    const live = { ...base, metadata: { name: 'd', uid: 'u' }, spec: { replicas: 1 } };
    expect(() => applied(live, { spec: { replicas: 2 } }, 'one')).toThrow(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas',
    );
  });

  it('names each conflict as a cause', () => {
    const live = applied(undefined, { spec: { replicas: 1, paused: true } }, 'one');
    const error = expect.objectContaining({
      data: expect.objectContaining({
        status: 409,
        body: expect.objectContaining({
          details: {
            causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.replicas' }],
          },
        }),
      }),
    });
    expect(() => applied(live, { spec: { replicas: 2, paused: true } }, 'two')).toThrow(error);
  });
});

describe('trackUpdate', () => {
  const live = stored({ ...base, metadata: { name: 'd', managedFields: [] }, spec: { replicas: 1 } });

  it('does not start to track an object whose owners were wiped', () => {
    expect(trackUpdate({ schema, live, object: { ...live, spec: { replicas: 2 } }, manager: 'm', time: T0 })).toEqual(
      [],
    );
  });

  it('keeps the time of an entry while its manager changes nothing', () => {
    const object = { ...base, metadata: { name: 'd' }, spec: { replicas: 1 } };
    const managedFields = trackUpdate({ schema, object, manager: 'm', time: T0 });
    const before = stored({ ...object, metadata: { name: 'd', managedFields } });
    expect(trackUpdate({ schema, live: before, object: before, manager: 'm', time: T1 })).toEqual(managedFields);
    const [entry] = trackUpdate({
      schema,
      live: before,
      object: { ...before, spec: { replicas: 2 } },
      manager: 'm',
      time: T1,
    });
    expect(entry?.time).toBe(T1);
  });

  it('takes what a scale changed into an entry of the subresource', () => {
    const object = { ...base, metadata: { name: 'd' }, spec: { replicas: 1 } };
    const before = stored({
      ...object,
      metadata: { name: 'd', managedFields: trackUpdate({ schema, object, manager: 'm', time: T0 }) },
    });
    const entries = trackUpdate({
      schema,
      live: before,
      object: { ...before, spec: { replicas: 2 } },
      manager: 'm',
      subresource: 'scale',
      time: T1,
    });
    expect(entries.map(({ subresource, fieldsV1 }) => ({ subresource, fieldsV1 }))).toEqual([
      { subresource: 'scale', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
    ]);
  });
});

describe('FieldSet', () => {
  const paths = fc.array(
    fc.array(fc.constantFrom('f:a', 'f:b', 'k:{"name":"c"}', 'v:1'), { minLength: 1, maxLength: 3 }),
    { maxLength: 6 },
  );
  const asSet = (set: FieldSet): Set<string> => new Set(Array.from(set.paths(), (path) => path.join(' ')));

  it('does what sets of paths do, and survives its JSON', () => {
    fc.assert(
      fc.property(paths, paths, (a, b) => {
        const [left, right] = [FieldSet.of(...a), FieldSet.of(...b)];
        const [leftPaths, rightPaths] = [asSet(left), asSet(right)];
        expect(asSet(left.union(right))).toEqual(leftPaths.union(rightPaths));
        expect(asSet(left.intersection(right))).toEqual(leftPaths.intersection(rightPaths));
        expect(asSet(left.difference(right))).toEqual(leftPaths.difference(rightPaths));
        expect(FieldSet.parse(left.toJson()).toJson()).toEqual(left.toJson());
        expect(left.difference(left).isEmpty).toBe(true);
      }),
    );
  });

  it('prints paths as people read them', () => {
    expect(printPath(['f:spec', 'k:{"containerPort":80,"protocol":"TCP"}', 'v:"x"'])).toBe(
      '.spec[containerPort=80,protocol="TCP"][="x"]',
    );
  });
});
