import { ownValue } from './own-values.ts';

/** Nanoseconds of each unit, as Go names them. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const LONGEST = 2 ** 63;

/** Milliseconds of a Go duration (`1h2m3.5s`, `-300ms`); throws an Error worded as `time.ParseDuration` words it. */
export function parseDuration(text: string): number {
  const invalid = (): Error => new Error(`time: invalid duration ${JSON.stringify(text)}`);
  const sign = text.startsWith('-') ? -1 : 1;
  let rest = /^[+-]/.test(text) ? text.slice(1) : text;
  if (rest === '0') return 0;
  if (rest === '') throw invalid();
  let nanoseconds = 0;
  while (rest !== '') {
    const number = /^(?:\d+\.?\d*|\.\d+)/.exec(rest)?.[0];
    if (number === undefined) throw invalid();
    rest = rest.slice(number.length);
    const unit = /^[^\d.]*/.exec(rest)![0];
    if (unit === '') throw new Error(`time: missing unit in duration ${JSON.stringify(text)}`);
    const size = ownValue(UNITS, unit);
    if (size === undefined)
      throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    nanoseconds += Number(number) * size;
    rest = rest.slice(unit.length);
  }
  if (nanoseconds >= LONGEST) throw invalid();
  return (sign * Math.floor(nanoseconds)) / 1e6;
}

/** Prints a duration as Go does: `12h0m0s`, `1m0.5s`, `300ms`, `0s`. */
export function formatDuration(milliseconds: number): string {
  const nanoseconds = Math.round(Math.abs(milliseconds) * 1e6);
  if (nanoseconds === 0) return '0s';
  const sign = milliseconds < 0 ? '-' : '';
  if (nanoseconds < 1e9) {
    const unit = nanoseconds < 1e3 ? 'ns' : nanoseconds < 1e6 ? 'µs' : 'ms';
    return `${sign}${nanoseconds / UNITS[unit]!}${unit}`;
  }
  const totalSeconds = Math.floor(nanoseconds / 1e9);
  const fraction =
    nanoseconds % 1e9 === 0
      ? ''
      : `.${String(nanoseconds % 1e9)
          .padStart(9, '0')
          .replace(/0+$/, '')}`;
  const hours = Math.floor(totalSeconds / 3600);
  const minutes = Math.floor(totalSeconds / 60) % 60;
  const head = hours > 0 ? `${hours}h${minutes}m` : minutes > 0 ? `${minutes}m` : '';
  return `${sign}${head}${totalSeconds % 60}${fraction}s`;
}
