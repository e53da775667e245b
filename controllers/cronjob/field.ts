import { unparseable } from './errors.ts';

/** What one of the five fields may hold. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Names of the numbers from `min` on. */
  readonly names?: readonly string[];
}

export const MINUTES: Bounds = { min: 0, max: 59 };
export const HOURS: Bounds = { min: 0, max: 23 };
export const DAYS: Bounds = { min: 1, max: 31 };
export const MONTHS: Bounds = {
  min: 1,
  max: 12,
  names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
};
/** Sunday is 0, and never 7. */
export const WEEKDAYS: Bounds = { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] };

/** The numbers a field stands for. */
export interface Field {
  readonly values: ReadonlySet<number>;
  /** `*` or `?` was in it, without a step above one: it leaves the choice to the other day field. */
  readonly open: boolean;
}

/** `1,5-10,mon/2`: a list of numbers or names, ranges and steps. Throws `Unparseable` in robfig/cron's words. */
export function parseField(text: string, bounds: Bounds): Field {
  const values = new Set<number>();
  let open = false;
  // Empty parts are passed over, so that `,` alone stands for nothing at all, and is accepted.
  for (const part of text.split(',').filter((each) => each !== '')) {
    const range = parseRange(part, bounds);
    for (let value = range.start; value <= range.end; value += range.step) values.add(value);
    open ||= range.open;
  }
  return { values, open };
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  readonly open: boolean;
}

function parseRange(text: string, bounds: Bounds): Range {
  const [span = '', stepText, ...moreSteps] = text.split('/');
  const [low = '', high, ...moreEnds] = span.split('-');
  const star = low === '*' || low === '?';
  const start = star ? bounds.min : parseNumber(low, bounds);
  if (!star && moreEnds.length > 0) throw unparseable(text, `too many hyphens: ${text}`);
  let end = star ? bounds.max : high === undefined ? start : parseNumber(high, bounds);
  if (moreSteps.length > 0) throw unparseable(text, `too many slashes: ${text}`);
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  // `5/10` is `5-59/10`.
  if (stepText !== undefined && high === undefined) end = bounds.max;
  check(text, { start, end, step }, bounds);
  return { start, end, step, open: star && step === 1 };
}

function check(text: string, { start, end, step }: Omit<Range, 'open'>, { min, max }: Bounds): void {
  if (start < min) throw unparseable(text, `beginning of range (${start}) below minimum (${min}): ${text}`);
  if (end > max) throw unparseable(text, `end of range (${end}) above maximum (${max}): ${text}`);
  if (start > end) throw unparseable(text, `beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw unparseable(text, `step of range should be a positive number: ${text}`);
}

function parseNumber(text: string, bounds?: Bounds): number {
  const named = bounds?.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return bounds!.min + named;
  const failed = (why: string): never => {
    throw unparseable(text, `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: ${why}`);
  };
  if (!/^[+-]?\d+$/.test(text)) return failed('invalid syntax');
  const number = BigInt(text.replace(/^\+/, ''));
  if (number >= 2n ** 63n || number < -(2n ** 63n)) return failed('value out of range');
  if (number < 0n) throw unparseable(text, `negative number (${number}) not allowed: ${text}`);
  return Number(number);
}
