import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { parseJson } from '#pkg/base';

import { FakeClock } from '#pkg/testing';

import { Breather } from './breather.ts';
import { managedFieldsRange, parseBytes, parseMetadata, skipValue } from './json-bytes.ts';
import { json } from './json.fixture.ts';
import { decodeList } from './list-decoder.ts';
import { EventDecoder, LineFramer, decodeWatch } from './watch-decoder.ts';

const breather = (): Breather => new Breather(new FakeClock());

const metadata = fc
  .tuple(json.object, fc.option(json.value, { nil: undefined }), fc.array(fc.nat(9), { minLength: 8, maxLength: 8 }))
  .map(([base, fields, order]) => {
    const entries = Object.entries(base as object).filter(([key]) => key !== 'managedFields');
    if (fields !== undefined) entries.splice(order[0]! % (entries.length + 1), 0, ['managedFields', fields]);
    return Object.fromEntries(entries);
  });
const object = fc.tuple(json.object, metadata, fc.nat(9)).map(([base, meta, at]) => {
  const entries = Object.entries(base as object).filter(([key]) => key !== 'metadata');
  entries.splice(at % (entries.length + 1), 0, ['metadata', meta]);
  return Object.fromEntries(entries);
});
const indent = fc.constantFrom(undefined, 1, '\t', '\r\n ');

function withoutManagedFields(value: Record<string, unknown>): Record<string, unknown> {
  const { managedFields: _, ...rest } = value.metadata as Record<string, unknown>;
  return { ...value, metadata: rest };
}

const copy = (value: unknown): unknown => parseJson(JSON.stringify(value));

describe('leaving out metadata.managedFields', () => {
  test('is exactly what parsing and removing it gives, wherever the words stand', () => {
    fc.assert(
      fc.property(object, indent, (value, space) => {
        const bytes = Buffer.from(JSON.stringify(value, null, space));
        expect(parseBytes(bytes, 0, bytes.length, 0)).toEqual(copy(withoutManagedFields(value)));
        expect(skipValue(bytes, 0, bytes.length)).toBe(bytes.length);
        expect(parseMetadata(bytes)).toEqual(copy(withoutManagedFields(value).metadata));
      }),
      { numRuns: 1000 },
    );
  });

  test.each(['', '{', '[]', '{"spec":{"metadata":{}}}', '{"metadata":{"a":1', '{"metadata":{"managedFields":['])(
    'finds no metadata in %s',
    (text) => {
      expect(parseMetadata(Buffer.from(text))).toBeUndefined();
    },
  );

  test.each([
    ['first', '{"metadata":{"managedFields":[1],"name":"a"}}', '{"metadata":{"name":"a"}}'],
    ['last', '{"metadata":{"name":"a","managedFields":[{"x":"]}"}]},"spec":1}', '{"metadata":{"name":"a"},"spec":1}'],
    ['between', '{"metadata":{"a":1,"managedFields":{},"b":2}}', '{"metadata":{"a":1,"b":2}}'],
    ['alone', '{"metadata":{"managedFields":null}}', '{"metadata":{}}'],
    [
      'spaced',
      '{ "metadata" : { "a" : 1 , "managedFields" : [ ] , "b" : 2 } }',
      '{ "metadata" : { "a" : 1 , "b" : 2 } }',
    ],
    ['of a template', '{"spec":{"metadata":{"managedFields":[1]}}}', '{"spec":{"metadata":{"managedFields":[1]}}}'],
    ['in a text', '{"metadata":{"a":"\\"managedFields\\":[1],"}}', '{"metadata":{"a":"\\"managedFields\\":[1],"}}'],
  ])('%s', (_, text, expected) => {
    const bytes = Buffer.from(text);
    expect(parseBytes(bytes, 0, bytes.length, 0)).toEqual(parseJson(expected));
  });

  test('never reads past the end of what is cut off or garbage', () => {
    fc.assert(
      fc.property(object, fc.nat(), fc.uint8Array({ maxLength: 20 }), (value, at, noise) => {
        const whole = Buffer.from(JSON.stringify(value));
        const bytes = Buffer.concat([whole.subarray(0, at % whole.length), noise]);
        const range = managedFieldsRange(bytes, 0, bytes.length);
        expect(range?.to ?? 0).toBeLessThanOrEqual(bytes.length);
        expect(skipValue(bytes, 0, bytes.length)).toBeLessThanOrEqual(bytes.length);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('lists', () => {
  test('come out as JSON.parse gives them, item by item', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(object, { maxLength: 6 }),
        json.object,
        indent,
        fc.boolean(),
        async (items, envelope, space, drop) => {
          const list = { kind: 'List', ...(envelope as object), items, metadata: { resourceVersion: '1' } };
          const bytes = Buffer.from(JSON.stringify(list, null, space));
          const expected = copy({ ...list, items: drop ? items.map(withoutManagedFields) : items });
          expect(await decodeList(bytes, { breather: breather(), dropManagedFields: drop })).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('nested lists that look like the outer one are not mistaken for it', async () => {
    const inner = { metadata: { name: 'in', managedFields: [1] } };
    const items = [1, 2, 3].map((i) => ({
      metadata: { name: `${i}`, managedFields: [1] },
      spec: { manifests: [inner, inner] },
    }));
    const bytes = Buffer.from(JSON.stringify({ metadata: {}, items }));
    const list = await decodeList(bytes, { breather: breather(), dropManagedFields: true });
    expect(list.items).toEqual(items.map((item) => ({ ...item, metadata: { name: item.metadata.name } })));
  });

  test.each([
    ['{"items":null}', []],
    ['{"kind":"PodList"}', []],
    ['{"items":[]}', []],
    [' {"items":[{}, {} ,{}]} ', [{}, {}, {}]],
  ])('%s', async (text, items) => {
    expect((await decodeList(Buffer.from(text), { breather: breather() })).items).toEqual(items);
  });

  test('cut off anywhere they are garbled, never short', async () => {
    const text = JSON.stringify({
      metadata: { resourceVersion: '7' },
      items: [{ metadata: { name: 'a' } }, { metadata: { name: 'b' } }],
    });
    for (let end = 0; end < text.length; end++) {
      await expect(decodeList(Buffer.from(text.slice(0, end)), { breather: breather() })).rejects.toMatchObject({
        code: 'garbled',
      });
    }
  });
});

describe('watch streams', () => {
  async function collect(chunks: readonly Uint8Array[], drop = false): Promise<unknown[]> {
    async function* body(): AsyncGenerator<Uint8Array> {
      yield* chunks;
    }
    const events: unknown[] = [];
    for await (const event of decodeWatch(async () => body(), { dropManagedFields: drop }, breather()))
      events.push(event);
    return events;
  }

  function chop(bytes: Buffer, sizes: readonly number[]): Buffer[] {
    const chunks: Buffer[] = [];
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = sizes[i % sizes.length]!;
      chunks.push(bytes.subarray(at, at + size));
      at += size;
    }
    return chunks;
  }

  test('give the same events however the bytes are cut up, with and without the last newline', async () => {
    const type = fc.constantFrom('ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK');
    const event = fc
      .tuple(type, object, fc.boolean())
      .map(([kind, value, swapped]) => (swapped ? { object: value, type: kind } : { type: kind, object: value }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom('\n', '\r\n', '\n\n'),
        fc.boolean(),
        fc.boolean(),
        async (events, sizes, newline, last, drop) => {
          const text = events.map((one) => JSON.stringify(one)).join(newline) + (last ? newline : '');
          const expected = copy(
            drop ? events.map((one) => ({ ...one, object: withoutManagedFields(one.object) })) : events,
          );
          expect(await collect(chop(Buffer.from(text), sizes), drop)).toEqual(expected);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('that end in the middle of an event are garbled, after the whole ones', async () => {
    const line = '{"type":"ADDED","object":{"metadata":{"name":"a"}}}\n';
    const seen: unknown[] = [];
    const read = async (): Promise<void> => {
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.from(line + line.slice(0, 20));
      }
      for await (const event of decodeWatch(async () => body(), {}, breather())) seen.push(event);
    };
    await expect(read()).rejects.toMatchObject({ code: 'garbled' });
    expect(seen).toHaveLength(1);
  });

  test('throw the Status of an ERROR event', async () => {
    const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' };
    await expect(collect([Buffer.from(JSON.stringify({ type: 'ERROR', object: status }))])).rejects.toMatchObject({
      code: 'Expired',
      message: 'too old resource version',
    });
  });

  test.each([
    'nonsense',
    '{"type":"ADDED"}',
    '{"type":"NEWS","object":{}}',
    '[]',
    '"x"',
    '{"object":{}}',
    '<html>',
    '{"type":"ADDED","object":{}}x',
  ])('that say %s are garbled', (line) => {
    expect(() => new EventDecoder({ dropManagedFields: true }).decode(Buffer.from(line))).toThrow(
      expect.objectContaining({ code: 'garbled' }),
    );
  });

  test('cost in proportion to their length, however small the pieces', () => {
    const cost = (pieces: number): number => {
      const framer = new LineFramer();
      const piece = Buffer.alloc(100, 'x');
      const start = performance.now();
      for (let i = 0; i < pieces; i++) framer.push(piece);
      framer.push(Buffer.from('\n'));
      return performance.now() - start;
    };
    cost(20_000);
    const small = Math.min(...[1, 2, 3].map(() => cost(20_000)));
    const large = Math.min(...[1, 2, 3].map(() => cost(200_000)));
    // Ten times the pieces: a quadratic framer takes a hundred times as long.
    expect(large / small).toBeLessThan(45);
  });
});
