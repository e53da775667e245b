import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import type { Child } from '../harness/processes.ts';

const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** User and system seconds so far: fields 14 and 15 of /proc/<pid>/stat, in ticks. */
export function cpuOf({ process: { pid } }: Child): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** What is resident now and is its own, not a file's: pages of the program can be dropped and read again, MiB. */
export function ownMemory({ process: { pid } }: Child): number {
  return Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

/** Largest resident set since the start, MiB. */
export function peakMemory({ process: { pid } }: Child): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}
