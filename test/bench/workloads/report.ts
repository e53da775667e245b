import type { RecordedRequest } from '../../harness/audit-log.ts';
import { figure } from '../report.ts';
import type { Cost } from './manager.ts';
import { byKind, conflictsOf } from './requests.ts';

export interface Result extends Cost {
  readonly scenario: string;
  readonly requests: readonly RecordedRequest[];
  readonly seconds: number;
}

const FIGURES: readonly [string, string, (result: Result) => number][] = [
  ['requests', 'requests', ({ requests }) => requests.length],
  ['conflicts', 'requests', ({ requests }) => conflictsOf(requests)],
  ['cpu', 's', ({ cpu }) => cpu],
  ['peak memory', 'MiB', ({ memory }) => memory],
  ['peak memory of its own', 'MiB', ({ own }) => own],
  ['time', 's', ({ seconds }) => seconds],
];

/** The figures of a scenario, and how often each verb was used on each resource. */
export function report(ours: Result, original: Result | undefined): void {
  for (const [what, unit, read] of FIGURES) tell(ours.scenario, what, unit, read(ours), original && read(original));
  const theirs = new Map(original ? byKind(original.requests) : []);
  const kinds = new Map(byKind(ours.requests));
  for (const kind of new Set([...kinds.keys(), ...theirs.keys()]))
    tell(ours.scenario, kind, 'requests', kinds.get(kind) ?? 0, original && (theirs.get(kind) ?? 0));
}

/** The same over all scenarios that both have run; of memory and pauses the most. */
export function reportSum(ours: readonly Result[], originals: readonly Result[]): void {
  if (originals.length === 0) return;
  const both = ours.filter(({ scenario }) => originals.some((original) => original.scenario === scenario));
  const sum = (results: readonly Result[]): Result => ({
    scenario: 'sum',
    requests: results.flatMap(({ requests }) => requests),
    cpu: results.reduce((total, { cpu }) => total + cpu, 0),
    memory: Math.max(...results.map(({ memory }) => memory)),
    own: Math.max(...results.map(({ own }) => own)),
    seconds: results.reduce((total, { seconds }) => total + seconds, 0),
  });
  const [mine, theirs] = [sum(both), sum(originals)];
  for (const [what, unit, read] of FIGURES) tell('sum', what, unit, read(mine), read(theirs));
}

/** For how long the event loop was held at most. */
export function reportPause(scenario: string, pause: number): void {
  tell(scenario, 'longest pause', 'ms', pause, undefined);
}

function tell(scenario: string, what: string, unit: string, value: number, against: number | undefined): void {
  const compared = against === undefined ? {} : { against, ...(against > 0 ? { ratio: value / against } : {}) };
  figure({ bench: 'workloads', figure: `${scenario} ${what}`, value, unit, ...compared });
}
