import { type Clock } from '#pkg/base';
import { formatVersion } from '#pkg/featuregates';

import { CONFIG_NAME, componentConfig } from '../options/config.ts';
import { type Options, PROGRAM, flagTexts } from '../options/options.ts';
import { type HttpAnswer, text } from './http.ts';

const WARNING =
  'Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.';

/** The configuration in effect. */
export function configz(options: Options): HttpAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'x-content-type-options': 'nosniff' },
    body: JSON.stringify({ [CONFIG_NAME]: componentConfig(options) }),
  };
}

/** Every flag and its value (KEP-4828). */
export function flagz(options: Options): HttpAnswer {
  const lines = flagTexts(options).map(([name, value]) => `${name}:${value}`);
  return text(200, `\n${PROGRAM} flagz\n${WARNING}\n${lines.join('\n')}\n`);
}

export interface StatuszFacts {
  readonly options: Options;
  readonly startTime: number;
  readonly clock: Clock;
  readonly paths: readonly string[];
}

/** What runs, since when, and what it serves (KEP-4827). */
export function statusz({ options, startTime, clock, paths }: StatuszFacts): HttpAnswer {
  const seconds = Math.max(0, Math.floor((clock.now() - startTime) / 1000));
  const two = (n: number): string => String(n).padStart(2, '0');
  const up = `${Math.floor(seconds / 3600)} hr ${two(Math.floor(seconds / 60) % 60)} min ${two(seconds % 60)} sec`;
  const { binary, emulated } = options.version;
  const lines = [
    `Started= ${goUnixDate(startTime)}`,
    `Up= ${up}`,
    `Node version= ${process.version}`,
    `Binary version= ${formatVersion(binary)}`,
    `Emulation version= ${formatVersion(emulated)}`,
    `Paths= ${paths.join(' ')}`,
  ];
  return text(200, `\n${PROGRAM} statusz\n${WARNING}\n\n${lines.join('\n')}\n`);
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Go's `time.UnixDate` in UTC: `Sun Nov 22 11:22:12 UTC 2026`. */
function goUnixDate(milliseconds: number): string {
  const date = new Date(milliseconds);
  const day = String(date.getUTCDate()).padStart(2);
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${date.toISOString().slice(11, 19)} UTC ${date.getUTCFullYear()}`;
}
