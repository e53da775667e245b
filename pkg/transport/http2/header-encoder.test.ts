import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { HeaderDecoder } from './header-decoder.ts';
import { HeaderEncoder } from './header-encoder.ts';

const GET = [':method', 'GET'] as const;

function encoded(encoder: HeaderEncoder, ...headers: readonly string[]): string {
  return encoder.encode(headers).toString('hex');
}

const hex = (text: string): string => text.replaceAll(' ', '');

describe('blocks of headers', () => {
  test('RFC 7541, C.3, but for the path, which is not to be remembered', () => {
    const encoder = new HeaderEncoder();
    const authority = [':authority', 'www.example.com'] as const;
    expect([
      encoded(encoder, ...GET, ':scheme', 'http', ...authority),
      encoded(encoder, ...GET, ':scheme', 'http', ...authority, 'cache-control', 'no-cache'),
      encoded(encoder, ...GET, ':scheme', 'https', ...authority, 'custom-key', 'custom-value'),
    ]).toEqual(
      [
        '82 86 41 0f 7777772e6578616d706c652e636f6d',
        '82 86 be 58 08 6e6f2d6361636865',
        '82 87 bf 40 0a 637573746f6d2d6b6579 0c 637573746f6d2d76616c7565',
      ].map(hex),
    );
  });

  test('what differs each time, and what would fill the table, is not remembered', () => {
    const encoder = new HeaderEncoder();
    encoded(encoder, 'x', '1');
    for (let i = 0; i < 100; i++)
      expect(encoded(encoder, ':path', `/${i}`, 'content-length', `${i}`, 'x', '1')).toMatch(/be$/);
    expect(encoded(encoder, 'authorization', 'x'.repeat(3000)).slice(0, 4)).toBe('0f08');
    expect(encoded(encoder, 'x', '1')).toBe('be');
  });

  test('the oldest makes room', () => {
    const encoder = new HeaderEncoder();
    const value = 'v'.repeat(1000);
    for (const name of ['a', 'b', 'c']) encoded(encoder, name, value);
    expect(encoded(encoder, 'a', value)).toBe('c0');
    encoded(encoder, 'd', value);
    expect(encoded(encoder, 'b', value)).toBe('c0');
    expect(encoded(encoder, 'a', value)).toMatch(/^4001/);
  });

  test.each([
    ['a smaller table', [80], '3f31 4001780131'],
    ['one that is small, but large enough', [100], '3f45 bf'],
    ['none', [0], '20 0001780131'],
    ['a larger one, which is not used', [65_536], 'bf'],
    ['a smaller one, and as before', [4096, 100, 50, 200, 4096], '3f13 3fe11f 4001780131'],
    ['none, and a small one', [0, 100], '20 3f45 4001780131'],
    ['a smaller one that is larger than ours', [8192, 5000], 'bf'],
  ])('the peer allows %s', (_what, capacities, expected) => {
    const encoder = new HeaderEncoder();
    encoded(encoder, 'x', '1', 'y', '2'.repeat(30));
    for (const capacity of capacities) encoder.allow(capacity);
    expect(encoded(encoder, 'x', '1')).toBe(hex(expected));
    // Said once.
    expect(encoded(encoder, ...GET)).toBe('82');
  });

  test.each([
    ['x', 'a\nb'],
    ['x', 'a\rb'],
    ['x', 'a\0'],
    ['x', '\x7f'],
    ['x', '€'],
    ['x y', ''],
    ['', 'x'],
    ['x:', 'x'],
    ['X', 'x'],
    ['€', 'x'],
  ])('%j: %j cannot be sent, and nothing of the block is', (name, value) => {
    const encoder = new HeaderEncoder();
    expect(() => encoder.encode(['x', 'new', name, value])).toThrow(RangeError);
    expect(encoded(encoder, 'x', 'new')).toMatch(/^4001/);
  });

  test('a block larger than all before it', () => {
    const encoder = new HeaderEncoder();
    const headers = ['x', 'y'.repeat(100_000), ':path', '/'.repeat(20_000)];
    expect(new HeaderDecoder().decode(encoder.encode(headers)).flat()).toEqual(headers);
  });

  test('are read as they were written, whatever the peer allows in between', () => {
    const text = fc.string({
      unit: fc
        .integer({ min: 0x20, max: 0xff })
        .filter((code) => code !== 0x7f)
        .map((code) => String.fromCharCode(code)),
      maxLength: 200,
    });
    const header = fc.tuple(
      fc.constantFrom(':path', 'accept', 'x', 'content-length', 'authorization', 'x-other', ':method'),
      fc.oneof(text, fc.constantFrom('GET', 'v', 'w'.repeat(1500))),
    );
    const step = fc.oneof(
      fc.record({
        allow: fc.array(fc.constantFrom(0, 33, 60, 100, 500, 2000, 4096, 10_000), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ headers: fc.array(header, { maxLength: 12 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const encoder = new HeaderEncoder();
        const decoder = new HeaderDecoder();
        for (const one of steps) {
          for (const capacity of 'allow' in one ? one.allow : []) encoder.allow(capacity);
          const headers = 'headers' in one ? one.headers : [];
          expect(decoder.decode(encoder.encode(headers.flat()))).toEqual(headers);
        }
      }),
    );
  });
});
