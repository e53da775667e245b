import { describe, expect, test } from 'vitest';

import { rawHeaders } from '#pkg/testing';

import { CODE } from './frames.ts';
import { HeaderDecoder } from './header-decoder.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const DATE = 'Mon, 21 Oct 2013 20:13:21 GMT';
const COOKIE = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const REQUESTS = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
];
const RESPONSES = [
  [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', DATE],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '307'],
    ['cache-control', 'private'],
    ['date', DATE],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', DATE.replace(':21 ', ':22 ')],
    ['location', 'https://www.example.com'],
    ['content-encoding', 'gzip'],
    ['set-cookie', COOKIE],
  ],
];

/** A literal that is to be remembered. */
const remembered = (name: string, value: string): Buffer =>
  Buffer.concat([Buffer.of(0x40), rawHeaders([name, value]).subarray(1)]);

describe('blocks of headers', () => {
  test.each([
    ['a name in capitals', 'Name', 'value', 'the name of a header is none'],
    ['an empty name', '', 'value', 'the name of a header is none'],
    ['a name with a colon in it', 'a:b', 'value', 'the name of a header is none'],
    ['a value of two lines', 'name', 'a\r\nb: c', 'header name is more than a line'],
    ['a value with a zero', 'name', 'a\0b', 'header name is more than a line'],
  ])('%s is known as wrong also when it comes again', (_what, name, value, flaw) => {
    const decoder = new HeaderDecoder();
    const wrong = [name, value, flaw];
    expect(decoder.decode(remembered(name, value))).toEqual([wrong]);
    expect(decoder.decode(hex('be be'))).toEqual([wrong, wrong]);
    // Its name with another value.
    expect(decoder.decode(hex('0f 2f 01 78'))).toEqual([flaw.startsWith('the name') ? [name, 'x', flaw] : [name, 'x']]);
  });

  test.each([
    [
      'C.3',
      REQUESTS,
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4',
      REQUESTS,
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
  ])('RFC 7541, %s: requests', (_where, expected, blocks) => {
    const decoder = new HeaderDecoder();
    expect(blocks.map((block) => decoder.decode(hex(block)))).toEqual(expected);
  });

  // There the table has 256 bytes, so that entries are evicted.
  test.each([
    [
      'C.5',
      [
        '4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '4803 3330 37c1 c0bf',
        '88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31',
      ],
    ],
    [
      'C.6',
      [
        '4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3',
        '4883 640e ffc1 c0bf',
        '88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07',
      ],
    ],
  ])('RFC 7541, %s: responses', (_where, blocks) => {
    const decoder = new HeaderDecoder();
    decoder.decode(hex('3f e1 01'));
    expect(blocks.map((block) => decoder.decode(hex(block)))).toEqual(RESPONSES);
  });

  test.each([
    [
      'C.2.1, a literal to be remembered',
      '400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572',
      ['custom-key', 'custom-header'],
    ],
    ['C.2.2, a literal not to be', '040c 2f73 616d 706c 652f 7061 7468', [':path', '/sample/path']],
    ['C.2.3, a literal never to be', '1008 7061 7373 776f 7264 0673 6563 7265 74', ['password', 'secret']],
    ['C.2.4, an entry', '82', [':method', 'GET']],
  ])('RFC 7541, %s', (_where, block, header) => {
    const decoder = new HeaderDecoder();
    expect(decoder.decode(hex(block))).toEqual([header]);
  });

  test.each([
    ['a literal to be remembered', '40 01 61 01 62', true],
    ['a literal not to be', '00 01 61 01 62', false],
    ['a literal never to be', '10 01 61 01 62', false],
    ['an entry', '82', false],
  ])('%s is what it is', (_what, block, known) => {
    const decoder = new HeaderDecoder();
    decoder.decode(hex(block));
    const looked = (): boolean => {
      try {
        return decoder.decode(hex('be')).length === 1;
      } catch {
        return false;
      }
    };
    expect(looked()).toBe(known);
  });

  test('an entry larger than the table empties it, and is a header nonetheless', () => {
    const decoder = new HeaderDecoder();
    decoder.decode(remembered('a', 'b'));
    const large = 'x'.repeat(4096);
    expect(decoder.decode(remembered('large', large))).toEqual([['large', large]]);
    expect(() => decoder.decode(hex('be'))).toThrow('nothing is known');
  });

  test('a table is full with exactly its size', () => {
    const decoder = new HeaderDecoder();
    const half = 4096 / 2 - 32 - 1;
    decoder.decode(Buffer.concat([remembered('a', 'x'.repeat(half)), remembered('b', 'y'.repeat(half))]));
    expect(decoder.decode(hex('bebf')).map(([name]) => name)).toEqual(['b', 'a']);
    decoder.decode(remembered('c', ''));
    expect(decoder.decode(hex('bebf')).map(([name]) => name)).toEqual(['c', 'b']);
  });

  test('a table that shrinks forgets the oldest; grown again, it has room but no memory', () => {
    const decoder = new HeaderDecoder();
    decoder.decode(Buffer.concat([remembered('a', '1'), remembered('b', '2')]));
    // 40 bytes: one entry of 34.
    expect(decoder.decode(hex('3f 09 be'))).toEqual([['b', '2']]);
    expect(() => decoder.decode(hex('bf'))).toThrow('nothing is known');
    expect(decoder.decode(Buffer.concat([hex('20 3f e1 1f'), remembered('c', '3'), remembered('d', '4')]))).toEqual([
      ['c', '3'],
      ['d', '4'],
    ]);
    expect(decoder.decode(hex('bf be'))).toEqual([
      ['c', '3'],
      ['d', '4'],
    ]);
    expect(() => decoder.decode(hex('c0'))).toThrow('nothing is known');
  });

  test.each([
    ['entry 0', '80'],
    ['an entry that is not there', 'be'],
    ['the name of an entry that is not there', '7e 01 61'],
    ['a number that ends with its block', 'ff'],
    ['a number that goes on behind its block', 'ff 80'],
    ['a number beyond any sense', 'ff ff ff ff ff 0f'],
    ['a number of very many bytes', 'ff 80 80 80 80 80 80 00'],
    ['a name beyond its block', '40 03 61 62'],
    ['a value beyond its block', '40 01 61 05 62'],
    ['a name without a value', '40 01 61'],
    ['a larger table than allowed', '3f e2 1f'],
    ['a table resized behind a header', '82 20'],
    ['a text that is none', '40 81 00 01 61'],
  ])('%s is none', (_what, block) => {
    expect(() => new HeaderDecoder().decode(hex(block))).toThrow(
      expect.objectContaining({ code: CODE.COMPRESSION_ERROR }),
    );
  });
});
