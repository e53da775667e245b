import { parseDuration, ownValue } from '#pkg/base';

import { unparseable } from './errors.ts';
import { DAYS, type Field, HOURS, MINUTES, MONTHS, WEEKDAYS, parseField } from './field.ts';
import { type Zone, zoneOf } from './zone.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** When something is to happen, again and again. Times are ms since the epoch. */
export interface Schedule {
  /** The first time after `time`; undefined where there is none within five years. */
  next(time: number): number | undefined;
}

const DESCRIPTORS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};
const EVERY = '@every ';

/**
 * Reads a schedule as `cron.ParseStandard` of robfig/cron v3 does: five fields, `@daily` and the like, `@every 1h30m`,
 * each after an optional `TZ=Zone/Name ` or `CRON_TZ=`. Without one the times are those of the machine's zone, or of the
 * zone given. Throws a CronError with robfig's words.
 */
export function parseSchedule(text: string, { local = 'Local' }: { readonly local?: string } = {}): Schedule {
  if (text === '') throw unparseable(text, 'empty spec string');
  const prefixed = /^(?:CRON_)?TZ=([^ ]*)( ?)/.exec(text);
  // Where nothing follows the zone upstream's parser panics, and its caller turns that into an error.
  if (prefixed && prefixed[2] === '')
    throw unparseable(text, 'invalid schedule format: runtime error: slice bounds out of range [:-1]');
  const zone = prefixed ? namedZone(prefixed[1]!) : zoneOf(local);
  const spec = prefixed ? text.slice(prefixed[0].length).trim() : text;
  if (!spec.startsWith('@')) return parseFields(spec, zone);
  const descriptor = ownValue(DESCRIPTORS, spec);
  if (descriptor !== undefined) return parseFields(descriptor, zone);
  if (spec.startsWith(EVERY)) return every(spec, spec.slice(EVERY.length));
  throw unparseable(spec, `unrecognized descriptor: ${spec}`);
}

function namedZone(name: string): Zone {
  try {
    return zoneOf(name);
  } catch (error) {
    throw unparseable(name, `provided bad location ${name}: ${(error as Error).message}`);
  }
}

/** Whole seconds, one at least; each time follows from the one before and no clock on a wall. */
function every(spec: string, text: string): Schedule {
  let delay: number;
  try {
    delay = parseDuration(text);
  } catch (error) {
    throw unparseable(spec, `failed to parse duration ${spec}: ${(error as Error).message}`);
  }
  const step = Math.max(SECOND, Math.floor(delay / SECOND) * SECOND);
  return { next: (time) => Math.floor(time / SECOND) * SECOND + step };
}

function parseFields(spec: string, zone: Zone): Schedule {
  const fields = spec.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== 5)
    throw unparseable(spec, `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`);
  const [minute, hour, day, month, weekday] = fields as [string, string, string, string, string];
  return new FieldSchedule(zone, {
    minutes: parseField(minute, MINUTES),
    hours: parseField(hour, HOURS),
    days: parseField(day, DAYS),
    months: parseField(month, MONTHS),
    weekdays: parseField(weekday, WEEKDAYS),
  });
}

interface Fields {
  readonly minutes: Field;
  readonly hours: Field;
  readonly days: Field;
  readonly months: Field;
  readonly weekdays: Field;
}

/**
 * By the clocks of a zone. A time that clocks skip is left out that day; one that they show twice is served twice: as
 * robfig/cron's search comes out, field by field and in steps of its kind.
 */
class FieldSchedule implements Schedule {
  readonly #zone: Zone;
  readonly #fields: Fields;
  readonly #possible: boolean;

  constructor(zone: Zone, fields: Fields) {
    this.#zone = zone;
    this.#fields = fields;
    const { minutes, hours, months, days, weekdays } = fields;
    const some = (field: Field): boolean => field.values.size > 0;
    // `,` names nothing; to search five years of minutes for it would take seconds.
    this.#possible = some(minutes) && some(hours) && some(months) && (some(days) || some(weekdays));
  }

  next(time: number): number | undefined {
    if (!this.#possible) return undefined;
    return new Search(this.#zone, this.#fields, time).run();
  }
}

/** One search: the time under consideration, and whether it still has the seconds it began with. */
class Search {
  readonly #zone: Zone;
  readonly #fields: Fields;
  readonly #lastYear: number;
  #time: number;
  #clock!: Date;
  #rounded = false;

  constructor(zone: Zone, fields: Fields, time: number) {
    this.#zone = zone;
    this.#fields = fields;
    this.#time = this.#set(Math.floor(time / SECOND) * SECOND + SECOND);
    this.#lastYear = this.#year + 5;
  }

  run(): number | undefined {
    // Each passes false when it came over the end of its field, whereupon the larger ones must be looked at again.
    while (this.#year <= this.#lastYear) {
      if (this.#month() && this.#day() && this.#hour() && this.#minute() && this.#second()) return this.#time;
    }
    return undefined;
  }

  #month(): boolean {
    const { values } = this.#fields.months;
    while (!values.has(this.#clock.getUTCMonth() + 1)) {
      if (!this.#rounded) this.#begin(this.#onClock(this.#year, this.#clock.getUTCMonth(), 1));
      this.#add(1, 0);
      if (this.#clock.getUTCMonth() === 0) return false;
    }
    return true;
  }

  #day(): boolean {
    while (!this.#dayMatches()) {
      if (!this.#rounded) this.#begin(this.#onClock(this.#year, this.#clock.getUTCMonth(), this.#clock.getUTCDate()));
      this.#add(0, 1);
      // Where midnight is left out, the day begins at one, or the search stands at the end of the day before.
      const hour = this.#clock.getUTCHours();
      if (hour !== 0) this.#set(this.#time + (hour > 12 ? 24 - hour : -hour) * HOUR);
      if (this.#clock.getUTCDate() === 1) return false;
    }
    return true;
  }

  /** Both day fields must match if one of them leaves the choice to the other, else one is enough. */
  #dayMatches(): boolean {
    const { days, weekdays } = this.#fields;
    const day = days.values.has(this.#clock.getUTCDate());
    const weekday = weekdays.values.has(this.#clock.getUTCDay());
    return days.open || weekdays.open ? day && weekday : day || weekday;
  }

  #hour(): boolean {
    const { values } = this.#fields.hours;
    while (!values.has(this.#clock.getUTCHours())) {
      if (!this.#rounded) {
        this.#begin(
          this.#onClock(this.#year, this.#clock.getUTCMonth(), this.#clock.getUTCDate(), this.#clock.getUTCHours()),
        );
      }
      this.#set(this.#time + HOUR);
      if (this.#clock.getUTCHours() === 0) return false;
    }
    return true;
  }

  #minute(): boolean {
    const { values } = this.#fields.minutes;
    while (!values.has(this.#clock.getUTCMinutes())) {
      if (!this.#rounded) this.#begin(Math.floor(this.#time / MINUTE) * MINUTE);
      this.#set(this.#time + MINUTE);
      if (this.#clock.getUTCMinutes() === 0) return false;
    }
    return true;
  }

  /** Only the full minute matches. */
  #second(): boolean {
    const seconds = this.#clock.getUTCSeconds();
    if (seconds === 0) return true;
    this.#rounded = true;
    this.#set(this.#time + MINUTE - seconds * SECOND);
    return false;
  }

  get #year(): number {
    return this.#clock.getUTCFullYear();
  }

  #set(time: number): number {
    this.#time = time;
    this.#clock = new Date(time + this.#zone.offsetAt(time));
    return time;
  }

  #begin(time: number): void {
    this.#rounded = true;
    this.#set(time);
  }

  /** The same time of day so many months and days later. */
  #add(months: number, days: number): void {
    const clock = this.#clock;
    const date = [this.#year, clock.getUTCMonth() + months, clock.getUTCDate() + days] as const;
    this.#set(this.#onClock(...date, clock.getUTCHours(), clock.getUTCMinutes(), clock.getUTCSeconds()));
  }

  /**
   * When clocks show this. Of a time that comes twice or never, the one that Go's `time.Date` gives: by the offset that
   * holds where the time would be if the clocks were an offset's width away.
   */
  #onClock(year: number, month: number, day: number, hour = 0, minute = 0, second = 0): number {
    const shown = Date.UTC(year, month, day, hour, minute, second);
    const guess = this.#zone.offsetAt(shown);
    return guess === 0 ? shown : shown - this.#zone.offsetAt(shown - guess);
  }
}
