import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { FakeClock } from '#pkg/testing';

import { Breather } from './breather.ts';
import type { FieldTree } from './client.ts';
import { cutFields, objectFields } from './field-cuts.ts';
import { type Cut, textWithout } from './json-bytes.ts';
import { json } from './json.fixture.ts';
import { decodeList } from './list-decoder.ts';
import { EventDecoder } from './watch-decoder.ts';

type Json = Record<string, unknown>;

/** What is to come out, the long way. */
function picked(value: unknown, tree: FieldTree): unknown {
  if (typeof value !== 'object' || value === null || Object.keys(tree).length === 0) return value;
  if (Array.isArray(value)) return value.map((element) => picked(element, tree));
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => Object.hasOwn(tree, name))
      .map(([name, below]) => [name, picked(below, tree[name]!)]),
  );
}

function kept(object: Json, tree: FieldTree): unknown {
  const { metadata, ...rest } = picked(object, { apiVersion: {}, kind: {}, metadata: {}, ...tree }) as Json;
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    return { ...rest, ...(metadata === undefined ? {} : { metadata }) };
  const { managedFields: _, ...others } = metadata as Json;
  return { ...rest, metadata: others };
}

function cutDown(text: string, tree: FieldTree): unknown {
  const bytes = Buffer.from(text);
  const cuts: Cut[] = [];
  const end = cutFields(bytes, 0, bytes.length, objectFields(tree), cuts);
  expect(end).toBe(bytes.length);
  return JSON.parse(textWithout(bytes, 0, end, cuts));
}

const tree: FieldTree = { spec: { node: {}, list: { name: {} } }, status: {} };

describe('cutting objects down to fields', () => {
  test.each([
    ['{}', {}],
    ['{"kind":"A","spec":{"x":1,"node":"n","y":2},"z":3}', { kind: 'A', spec: { node: 'n' } }],
    ['{"x":[1,{"}":"]"}],"status":{"a":1}}', { status: { a: 1 } }],
    [
      '{"spec":{"list":[{"name":1,"x":2},{"x":2,"name":3},{},4]}}',
      { spec: { list: [{ name: 1 }, { name: 3 }, {}, 4] } },
    ],
    ['{"spec":{"x":1}}', { spec: {} }],
    ['{"spec":null,"status":7}', { spec: null, status: 7 }],
    ['{"metadata":{"managedFields":[1],"name":"a"}}', { metadata: { name: 'a' } }],
    [
      '{"metadata":{"name":"a","managedFields":[1]},"spec":{"node":{"managedFields":1}}}',
      { metadata: { name: 'a' }, spec: { node: { managedFields: 1 } } },
    ],
    ['{ "a" : 1 , "kind" : "K" , "b" : 2 , "status" : [ ] , "c" : 3 }', { kind: 'K', status: [] }],
  ])('%s', (text, expected) => {
    expect(cutDown(text, tree)).toEqual(expected);
  });

  const names = fc.constantFrom('spec', 'status', 'list', 'node', 'name', 'metadata', 'managedFields', 'kind');
  const nested = fc.letrec<{ value: unknown; object: Json; tree: FieldTree }>((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, json.value, tie('object'), fc.array(tie('object'), { maxLength: 3 })),
    object: fc.dictionary(names, tie('value'), { maxKeys: 6 }),
    tree: fc.dictionary(names, fc.oneof({ depthSize: 'small' }, fc.constant({}), tie('tree')), { maxKeys: 4 }),
  }));

  test('is what parsing and picking gives, for any object and any fields', () => {
    fc.assert(
      fc.property(nested.object, nested.tree, fc.constantFrom(undefined, 1, '\t'), (object, fields, space) => {
        const { metadata: _, kind: __, ...rest } = fields;
        expect(cutDown(JSON.stringify(object, null, space), rest)).toEqual(
          JSON.parse(JSON.stringify(kept(object, rest))),
        );
      }),
      { numRuns: 1000 },
    );
  });

  test('never reads past the end of what is cut off or garbage', () => {
    fc.assert(
      fc.property(nested.object, fc.nat(), fc.uint8Array({ maxLength: 20 }), (object, at, noise) => {
        const whole = Buffer.from(JSON.stringify(object));
        const bytes = Buffer.concat([whole.subarray(0, at % whole.length), noise]);
        const cuts: Cut[] = [];
        expect(cutFields(bytes, 0, bytes.length, objectFields(tree), cuts)).toBeLessThanOrEqual(bytes.length);
        for (const { from, to } of cuts) expect(from <= to && to <= bytes.length).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test('is done to the items of a list, to events, and to no Status', async () => {
    const items = [1, 2, 3].map((i) => ({
      metadata: { name: `${i}`, managedFields: [1] },
      spec: { node: i, other: i },
    }));
    const bytes = Buffer.from(JSON.stringify({ kind: 'List', metadata: { resourceVersion: '7' }, items }));
    const list = await decodeList(bytes, { breather: new Breather(new FakeClock()), keep: tree });
    const expected = items.map(({ metadata: { name }, spec: { node } }) => ({ metadata: { name }, spec: { node } }));
    expect(list).toEqual({ kind: 'List', metadata: { resourceVersion: '7' }, items: expected });

    const decoder = new EventDecoder({ keep: tree });
    const decoded = (type: string, object: object): unknown =>
      decoder.decode(Buffer.from(JSON.stringify({ type, object })));
    expect(decoded('ADDED', items[0]!)).toEqual({ type: 'ADDED', object: expected[0] });
    const status = { kind: 'Status', code: 410, message: 'too old', reason: 'Expired' };
    expect(decoded('ERROR', status)).toEqual({ type: 'ERROR', object: status });
  });

  test.each(['{"items":[{"metadata":{}', '{"items":[{]}', '{"items":[{"kind":}]}', '{"items":[{"x":1}{"x":1}]}'])(
    'what %s says is garbled',
    async (text) => {
      await expect(
        decodeList(Buffer.from(text), { breather: new Breather(new FakeClock()), keep: tree }),
      ).rejects.toMatchObject({ code: 'garbled' });
    },
  );
});
