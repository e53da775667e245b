import { compileSelector } from '#pkg/api';
import { parseTime, ownValue } from '#pkg/base';
import { type JsonObject, isJsonObject, objectAt, objectsAt, stringAt } from '../json.ts';

export const NONE = '<none>';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;

/** Two units at most, and only while the smaller one still says something (`duration.HumanDuration`). */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 2 * MINUTE) return `${seconds}s`;
  if (seconds < 10 * MINUTE) return twoUnits(seconds, MINUTE, 'm', 1, 's');
  if (seconds < 3 * HOUR) return `${Math.trunc(seconds / MINUTE)}m`;
  if (seconds < 8 * HOUR) return twoUnits(seconds, HOUR, 'h', MINUTE, 'm');
  if (seconds < 2 * DAY) return `${Math.trunc(seconds / HOUR)}h`;
  if (seconds < 8 * DAY) return twoUnits(seconds, DAY, 'd', HOUR, 'h');
  if (seconds < 2 * YEAR) return `${Math.trunc(seconds / DAY)}d`;
  if (seconds < 8 * YEAR) return twoUnits(seconds, YEAR, 'y', DAY, 'd');
  return `${Math.trunc(seconds / YEAR)}y`;
}

function twoUnits(seconds: number, large: number, largeName: string, small: number, smallName: string): string {
  const rest = Math.trunc((seconds % large) / small);
  const whole = `${Math.trunc(seconds / large)}${largeName}`;
  return rest === 0 ? whole : `${whole}${rest}${smallName}`;
}

/** How long ago a time was. */
export function since(time: unknown, now: number): string {
  const then = typeof time === 'string' ? parseTime(time) : Number.NaN;
  return Number.isNaN(then) ? '<unknown>' : humanDuration(now - then);
}

export function text(parent: unknown, key: string, missing = ''): string {
  const value = isJsonObject(parent) ? ownValue(parent, key) : undefined;
  return typeof value === 'string' && value !== ''
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : missing;
}

export function count(parent: unknown, key: string): number {
  const value = isJsonObject(parent) ? ownValue(parent, key) : undefined;
  return typeof value === 'number' ? value : 0;
}

/** Labels as pairs, sorted. */
export function labelText(labels: JsonObject | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${String(value)}`);
  return pairs.length === 0 ? NONE : pairs.toSorted().join(',');
}

export function selectorText(selector: JsonObject | undefined): string {
  try {
    return compileSelector(selector).toString() || NONE;
  } catch {
    return '<error>';
  }
}

/** Names and images of the containers of a Pod's spec or template. */
export function containerCells(template: JsonObject | undefined): [string, string] {
  const containers = objectsAt(objectAt(template, 'spec'), 'containers');
  return [containers.map((one) => text(one, 'name')).join(','), containers.map((one) => text(one, 'image')).join(',')];
}

/** The first of a list, and how many more there are. */
export function firstOf(list: readonly string[], max: number, missing: string, separator = ','): string {
  if (list.length === 0) return missing;
  const shown = list.slice(0, max).join(separator);
  return list.length > max ? `${shown} + ${list.length - max} more...` : shown;
}

const ACCESS_MODES: Readonly<Record<string, string>> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

export function accessModes(modes: readonly unknown[]): string {
  return Object.entries(ACCESS_MODES)
    .filter(([mode]) => modes.includes(mode))
    .map(([, short]) => short)
    .join(',');
}

export function annotation(object: JsonObject, key: string): string | undefined {
  return stringAt(objectAt(objectAt(object, 'metadata'), 'annotations'), key);
}

export function condition(object: JsonObject, type: string): JsonObject | undefined {
  return objectsAt(objectAt(object, 'status'), 'conditions').find((one) => one['type'] === type);
}

export function isBeingDeleted(object: JsonObject): boolean {
  return objectAt(object, 'metadata')?.['deletionTimestamp'] !== undefined;
}
