const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

interface Range {
  readonly min: number;
  readonly max: number;
  /** Names of the numbers from `min` on. */
  readonly names?: readonly string[];
}

const FIELDS: readonly Range[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];
const DESCRIPTORS = new Set(['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']);
const DURATION = /^[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|ms|s|m|h))+$|^0$/;

/** What is wrong with a schedule, in the words of the parser that upstream uses (robfig/cron v3). */
export function scheduleError(schedule: string): string | undefined {
  if (schedule.startsWith('@')) return descriptorError(schedule);
  const fields = schedule.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== FIELDS.length)
    return `expected exactly 5 fields, found ${fields.length}: [${fields.join(' ')}]`;
  for (const [index, field] of fields.entries()) {
    for (const part of field.split(',')) {
      const error = partError(part, FIELDS[index]!);
      if (error !== undefined) return error;
    }
  }
  return undefined;
}

function descriptorError(schedule: string): string | undefined {
  if (DESCRIPTORS.has(schedule)) return undefined;
  const every = '@every ';
  if (!schedule.startsWith(every)) return `unrecognized descriptor: ${schedule}`;
  const duration = schedule.slice(every.length);
  return DURATION.test(duration)
    ? undefined
    : `failed to parse duration ${schedule}: time: invalid duration ${JSON.stringify(duration)}`;
}

function partError(part: string, range: Range): string | undefined {
  const [span, step, ...rest] = part.split('/');
  if (rest.length > 0) return `too many slashes: ${part}`;
  const [low, high, ...more] = span!.split('-');
  if (more.length > 0) return `too many hyphens: ${part}`;
  const all = low === '*' || low === '?';
  const start = all ? range.min : numberOf(low!, range);
  if (typeof start === 'string') return start;
  const open = all || (high === undefined && step !== undefined);
  const end = open ? range.max : high === undefined ? start : numberOf(high, range);
  if (typeof end === 'string') return end;
  if (step !== undefined) {
    const number = numberOf(step, { min: 0, max: Number.MAX_SAFE_INTEGER });
    if (typeof number === 'string') return number;
    if (number === 0) return `step of range should be a positive number: ${part}`;
  }
  if (start < range.min) return `beginning of range (${start}) below minimum (${range.min}): ${part}`;
  if (end > range.max) return `end of range (${end}) above maximum (${range.max}): ${part}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${part}`;
  return undefined;
}

/** The number, or why it is none. */
function numberOf(text: string, range: Range): number | string {
  const named = range.names?.indexOf(text.toLowerCase()) ?? -1;
  if (named >= 0) return named + range.min;
  if (/^\+?\d+$/.test(text)) return Number(text);
  if (/^-\d+$/.test(text)) return `negative number (${text}) not allowed: ${text}`;
  return `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
}
