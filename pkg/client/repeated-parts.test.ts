import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { KubeObject } from '#pkg/api';

import { json } from './json.fixture.ts';
import { RepetitionParser } from './repeated-parts.ts';
import { EventDecoder } from './watch-decoder.ts';

const lineOf = (object: unknown, type = 'MODIFIED'): Buffer => Buffer.from(JSON.stringify({ type, object }));
const held = {
  kind: 'Pod',
  apiVersion: 'v1',
  metadata: { name: 'a', namespace: 'b', resourceVersion: '1', managedFields: [{ manager: 'x' }] },
  spec: { nodeName: 'n', containers: [{ name: 'app' }] },
  status: { phase: 'Pending' },
};
const newer = { ...held, metadata: { ...held.metadata, resourceVersion: '2' } };
const parserOf = (known: object | undefined): RepetitionParser =>
  new RepetitionParser(() => known as KubeObject | undefined, true);
const parsed = (known: object, line: Buffer): { object: typeof held } | undefined =>
  parserOf(known).parse(line) as { object: typeof held } | undefined;

describe('parsing along a held object', () => {
  test('takes what is repeated from it, and the rest from the event', () => {
    const { object } = parsed(held, lineOf({ ...newer, status: { phase: 'Running' } }))!;
    expect(object.spec).toBe(held.spec);
    expect(object).toEqual({
      ...held,
      metadata: { name: 'a', namespace: 'b', resourceVersion: '2' },
      status: { phase: 'Running' },
    });
    expect(Object.keys(object)).toEqual(Object.keys(held));
  });

  test('asks for the object of the event, by name and namespace', () => {
    const asked: unknown[] = [];
    const parser = new RepetitionParser((...key) => void asked.push(key), true);
    for (const metadata of [{ name: 'a', namespace: 'b' }, { name: 'c' }]) parser.parse(lineOf({ metadata }));
    expect(asked).toEqual([
      ['a', 'b'],
      ['c', undefined],
    ]);
  });

  test.each<[string, Buffer]>([
    ['an addition', lineOf(newer, 'ADDED')],
    ['another spec', lineOf({ ...newer, spec: { nodeName: 'm', containers: [{ name: 'app' }] } })],
    ['a spec that goes on', lineOf({ ...newer, spec: { ...held.spec, more: 1 } })],
    ['no metadata', lineOf({ spec: held.spec })],
    ['no name', lineOf({ ...newer, metadata: { namespace: 'b' } })],
    ['spaces', Buffer.from(JSON.stringify({ type: 'MODIFIED', object: newer }, null, 1))],
    ['the object first', Buffer.from(JSON.stringify({ object: newer, type: 'MODIFIED' }))],
  ])('leaves %s to the ordinary parser', (_, line) => {
    expect(parsed(held, line)).toBeUndefined();
  });

  test('is not taken in by a member that stands there twice', () => {
    const spec = JSON.stringify(held.spec);
    const line = Buffer.from(`{"type":"MODIFIED","object":{"metadata":{"name":"a"},"spec":${spec},"spec":{"last":1}}}`);
    expect(parsed(held, line)!.object.spec).toEqual({ last: 1 });
  });

  test.each(['}x', '', ']', '},{}', ',"spec":'])('does not let %j pass behind what is repeated', (rest) => {
    const whole = lineOf({ ...newer, status: undefined }).toString();
    const line = Buffer.from(whole.slice(0, -1) + rest);
    expect(() => new EventDecoder({ known: () => held as object as KubeObject }).decode(line)).toThrow(
      expect.objectContaining({ code: 'garbled' }),
    );
  });

  test('does not go on looking for what never repeats, nor gives it up for good', () => {
    let looked = 0;
    const never = { toJSON: () => `${++looked}` };
    let known: object = { ...held, spec: never };
    const parser = new RepetitionParser(() => known as KubeObject, true);
    for (let i = 0; i < 1000; i++) expect(parser.parse(lineOf(newer))).toBeUndefined();
    expect(looked).toBeLessThan(50);
    known = held;
    let until = 0;
    while (parser.parse(lineOf(newer)) === undefined) until++;
    expect(until).toBeLessThanOrEqual(32);
    for (let i = 0; i < 300; i++) parser.parse(lineOf(newer));
    expect(parser.parse(lineOf(newer))).toBeDefined();
  });

  test('equals what parsing alone gives, for any object held and any sent', () => {
    const member = fc.constantFrom('spec', 'status', 'data', '__proto__', 'ü');
    const object = fc.array(fc.tuple(member, json.value), { maxLength: 4 });
    const build = (entries: readonly (readonly [string, unknown])[], version: number): object =>
      JSON.parse(
        JSON.stringify({
          kind: 'X',
          metadata: { name: 'a', resourceVersion: `${version}`, managedFields: [version] },
          ...Object.fromEntries(entries),
        }),
      ) as object;
    fc.assert(
      fc.property(object, object, fc.boolean(), fc.boolean(), (before, changes, drop, deleted) => {
        const known = build(before, 1) as KubeObject;
        const line = lineOf(build([...before, ...changes], 2), deleted ? 'DELETED' : 'MODIFIED');
        const along = new EventDecoder({ dropManagedFields: drop, known: () => known }).decode(line);
        expect(along).toEqual(new EventDecoder({ dropManagedFields: drop }).decode(line));
      }),
      { numRuns: 1000 },
    );
  });
});
