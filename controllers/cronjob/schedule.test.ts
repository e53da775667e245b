import { Cron } from 'croner';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { parseSchedule } from './schedule.ts';

function following(schedule: string, from: string, count: number): string {
  const parsed = parseSchedule(schedule);
  const times: string[] = [];
  let time: number | undefined = Date.parse(from);
  while (times.length < count && time !== undefined) {
    time = parsed.next(time);
    times.push(time === undefined ? 'never' : new Date(time).toISOString().slice(0, 16));
  }
  return times.join(' ');
}

describe('clocks that are put forward and back', () => {
  // As robfig/cron v3 answers.
  test.each([
    [
      '2026-03-28T00:00:00Z',
      'TZ=Europe/Berlin 30 2 * * *',
      '2026-03-28T01:30 2026-03-30T00:30 2026-03-31T00:30 2026-04-01T00:30',
    ],
    [
      '2026-10-24T12:00:00Z',
      'TZ=Europe/Berlin 30 2 * * *',
      '2026-10-25T00:30 2026-10-25T01:30 2026-10-26T01:30 2026-10-27T01:30',
    ],
    [
      '2026-03-29T00:00:00Z',
      'TZ=Europe/Berlin 0 * * * *',
      '2026-03-29T01:00 2026-03-29T02:00 2026-03-29T03:00 2026-03-29T04:00',
    ],
    [
      '2026-10-24T23:00:00Z',
      'TZ=Europe/Berlin 30 * * * *',
      '2026-10-24T23:30 2026-10-25T00:30 2026-10-25T01:30 2026-10-25T02:30',
    ],
    [
      '2026-10-24T22:00:00Z',
      'TZ=Europe/Berlin 15 2,3 * * *',
      '2026-10-25T00:15 2026-10-25T01:15 2026-10-25T02:15 2026-10-26T01:15',
    ],
    [
      '2018-11-02T12:00:00Z',
      'TZ=America/Sao_Paulo @daily',
      '2018-11-03T03:00 2018-11-05T02:00 2018-11-06T02:00 2018-11-07T02:00',
    ],
    [
      '2018-11-02T12:00:00Z',
      'TZ=America/Sao_Paulo 30 0 * * *',
      '2018-11-03T03:30 2018-11-05T02:30 2018-11-06T02:30 2018-11-07T02:30',
    ],
    [
      '2018-02-16T12:00:00Z',
      'TZ=America/Sao_Paulo 30 23 * * *',
      '2018-02-17T01:30 2018-02-18T01:30 2018-02-18T02:30 2018-02-19T02:30',
    ],
    [
      '2026-10-03T00:00:00Z',
      'TZ=Australia/Lord_Howe 15 2 * * *',
      '2026-10-04T15:15 2026-10-05T15:15 2026-10-06T15:15 2026-10-07T15:15',
    ],
    [
      '2026-04-04T00:00:00Z',
      'TZ=Australia/Lord_Howe 45 1 * * *',
      '2026-04-04T14:45 2026-04-04T15:15 2026-04-05T15:15 2026-04-06T15:15',
    ],
    [
      '2011-12-28T12:00:00Z',
      'TZ=Pacific/Apia 0 12 * * *',
      '2011-12-28T22:00 2011-12-29T22:00 2011-12-30T22:00 2011-12-31T22:00',
    ],
    [
      '2026-03-28T00:00:00Z',
      'TZ=Europe/Berlin @every 6h',
      '2026-03-28T06:00 2026-03-28T12:00 2026-03-28T18:00 2026-03-29T00:00',
    ],
    [
      '2026-03-07T12:00:00Z',
      'CRON_TZ=America/New_York 0 2 * * 0',
      '2026-03-15T06:00 2026-03-22T06:00 2026-03-29T06:00 2026-04-05T06:00',
    ],
  ])('from %s, %s', (from, schedule, expected) => {
    expect(following(schedule, from, 4)).toBe(expected);
  });
});

describe('schedules', () => {
  test.each([
    ['*/15 9-17 * * mon-FRI', '2026-01-02T16:45 2026-01-02T17:00', '2026-01-02T16:40:00Z'],
    ['0 0 13 * 5', '2026-01-02T00:00 2026-01-09T00:00 2026-01-13T00:00', '2026-01-01T00:00:00Z'],
    ['0 0 13 * ?', '2026-01-13T00:00 2026-02-13T00:00', '2026-01-01T00:00:00Z'],
    ['0 0 */10 * 1', '2026-01-05T00:00 2026-01-11T00:00', '2026-01-01T00:00:00Z'],
    ['0 0 */1 * 1', '2026-01-05T00:00 2026-01-12T00:00', '2026-01-01T00:00:00Z'],
    ['50/5 * * * *', '2026-01-01T00:50 2026-01-01T00:55 2026-01-01T01:50', '2026-01-01T00:00:00Z'],
    ['0 0 29 2 *', '2028-02-29T00:00 2032-02-29T00:00', '2026-01-01T00:00:00Z'],
    ['59 23 31 2 *', 'never', '2026-01-01T00:00:00Z'],
    [', * * * *', 'never', '2026-01-01T00:00:00Z'],
    ['@weekly', '2026-01-04T00:00', '2026-01-01T00:00:00Z'],
    ['@yearly', '2027-01-01T00:00', '2026-01-01T00:00:00Z'],
    ['@every 1h30m', '2026-01-01T01:30 2026-01-01T03:00', '2026-01-01T00:00:00Z'],
  ])('%s', (schedule, expected, from) => {
    expect(following(`TZ=UTC ${schedule}`, from, expected.split(' ').length)).toBe(expected);
  });

  test('@every keeps whole seconds, one at least', () => {
    const from = Date.parse('2026-01-01T00:00:00.700Z');
    expect(parseSchedule('@every 2.9s').next(from)).toBe(from - 700 + 2000);
    expect(parseSchedule('@every 5ms').next(from)).toBe(from - 700 + 1000);
  });

  test('a zone of the machine is used where none is named', () => {
    expect(parseSchedule('0 6 * * *', { local: 'Asia/Tokyo' }).next(Date.parse('2026-01-01T00:00:00Z'))).toBe(
      Date.parse('2026-01-01T21:00:00Z'),
    );
  });
});

test.each([
  ['', 'empty spec string'],
  ['* * * *', 'expected exactly 5 fields, found 4: [* * * *]'],
  ['60 * * * *', 'end of range (60) above maximum (59): 60'],
  ['* * 0 * *', 'beginning of range (0) below minimum (1): 0'],
  ['* * * * 7', 'end of range (7) above maximum (6): 7'],
  ['* * * foo *', 'failed to parse int from foo: strconv.Atoi: parsing "foo": invalid syntax'],
  ['5-2 * * * *', 'beginning of range (5) beyond end of range (2): 5-2'],
  ['1-2-3 * * * *', 'too many hyphens: 1-2-3'],
  ['1/2/3 * * * *', 'too many slashes: 1/2/3'],
  ['*/0 * * * *', 'step of range should be a positive number: */0'],
  ['*/-1 * * * *', 'negative number (-1) not allowed: -1'],
  [
    '99999999999999999999 * * * *',
    'failed to parse int from 99999999999999999999: strconv.Atoi: parsing "99999999999999999999": value out of range',
  ],
  ['@foo', 'unrecognized descriptor: @foo'],
  ['@every 5', 'failed to parse duration @every 5: time: missing unit in duration "5"'],
  ['TZ=0', 'invalid schedule format: runtime error: slice bounds out of range [:-1]'],
  ['TZ=Foo/Bar * * * * *', 'provided bad location Foo/Bar: unknown time zone Foo/Bar'],
  ['TZ=+01:00 * * * * *', 'provided bad location +01:00: unknown time zone +01:00'],
  ['TZ=../etc * * * * *', 'provided bad location ../etc: time: invalid location name'],
])('%j is refused: %s', (schedule, message) => {
  expect(() => parseSchedule(schedule)).toThrow(message);
});

describe('against croner', () => {
  const field = (min: number, max: number): fc.Arbitrary<string> => {
    const number = fc.integer({ min, max });
    const part = fc.oneof(
      number.map(String),
      fc.tuple(number, number).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
      fc.tuple(number, fc.integer({ min: 2, max: 5 })).map(([a, step]) => `${a}-${max}/${step}`),
    );
    return fc.oneof(
      fc.constant('*'),
      fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join()),
    );
  };
  // Never all of the days by number: croner takes that for a star.
  const schedule = fc
    .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 5))
    .map((fields) => fields.join(' '));
  const zones = ['UTC', 'Asia/Kolkata', 'Asia/Tokyo', 'America/Phoenix'];

  test('the same times where clocks are let alone', () => {
    fc.assert(
      fc.property(
        schedule,
        fc.constantFrom(...zones),
        fc.integer({ min: 1.2e9, max: 2e9 }),
        (text, timezone, seconds) => {
          const ours = parseSchedule(`TZ=${timezone} ${text}`);
          let time = new Date(seconds * 1000);
          const theirs = new Cron(text, { timezone });
          for (let index = 0; index < 3; index++) {
            const expected = theirs.nextRun(time);
            expect(ours.next(time.getTime())).toBe(expected?.getTime());
            time = expected!;
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
