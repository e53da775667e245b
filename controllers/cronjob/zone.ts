import { CronError } from './errors.ts';

const DAY = 24 * 3600 * 1000;
/** Days remembered for a zone; a schedule that is searched for years ahead must not fill the memory. */
const MOST_DAYS = 4000;

/** A time zone: how far its clocks are from UTC. */
export interface Zone {
  /** As it was asked for. */
  readonly name: string;
  /** What clocks show there at `time`, less UTC, ms; `time` in ms since the epoch. */
  offsetAt(time: number): number;
}

export const utc: Zone = { name: 'UTC', offsetAt: () => 0 };

const known = new Map<string, Zone>([
  ['', utc],
  ['UTC', utc],
]);

/**
 * The zone of an IANA name, as Go's `time.LoadLocation` takes it: empty is UTC, `Local` the machine's. Throws
 * `UnknownTimeZone` otherwise, in Go's words.
 */
export function zoneOf(name: string): Zone {
  const zone = known.get(name) ?? load(name);
  known.set(name, zone);
  return zone;
}

function load(name: string): Zone {
  if (name.startsWith('/') || name.startsWith('\\') || name.includes('..'))
    throw unknown(name, 'time: invalid location name');
  // Intl takes offsets such as `+01:00` for zones, the database has none.
  if (/^[+-]/.test(name)) throw unknown(name);
  try {
    return new IntlZone(name);
  } catch (error) {
    if (error instanceof RangeError) throw unknown(name);
    throw error;
  }
}

function unknown(name: string, message = `unknown time zone ${name}`): CronError {
  return new CronError('UnknownTimeZone', message, { subject: name });
}

class IntlZone implements Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  /** Offset of a whole UTC day; NaN for a day on which clocks are put forward or back. */
  readonly #days = new Map<number, number>();

  constructor(name: string) {
    this.name = name;
    const timeZone = name === 'Local' ? {} : { timeZone: name };
    this.#format = new Intl.DateTimeFormat('en-US', { ...timeZone, year: 'numeric', timeZoneName: 'longOffset' });
  }

  offsetAt(time: number): number {
    const day = Math.floor(time / DAY);
    let offset = this.#days.get(day);
    if (offset === undefined) {
      const start = this.#ask(day * DAY);
      offset = start === this.#ask((day + 1) * DAY) ? start : Number.NaN;
      if (this.#days.size >= MOST_DAYS) this.#days.clear();
      this.#days.set(day, offset);
    }
    return Number.isNaN(offset) ? this.#ask(time) : offset;
  }

  #ask(time: number): number {
    const match = /GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/.exec(this.#format.format(time));
    if (!match?.[1]) return 0;
    const [, sign, hours, minutes, seconds = '0'] = match;
    const size = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
    return sign === '-' ? -size : size;
  }
}

/** RFC 3339 with the zone's offset, as Go writes it: `2026-07-01T02:30:00+02:00`, `Z` where there is none. */
export function formatIn(zone: Zone, time: number): string {
  const offset = zone.offsetAt(time);
  const clock = new Date(time + offset).toISOString().slice(0, 19);
  if (offset === 0) return `${clock}Z`;
  const minutes = Math.floor(Math.abs(offset) / 60_000);
  const pad = (number: number): string => String(number).padStart(2, '0');
  return `${clock}${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}
