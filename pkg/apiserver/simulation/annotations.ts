import { ownValue } from '#pkg/base';
import { type JsonObject, objectAt, stringAt } from '../json.ts';

const PREFIX = 'simulation.kubernetes.io';

/** On a Node: its Pods are run by the simulation. */
export const MANAGED = `${PREFIX}/managed`;

/** What a Pod's annotations say about how it is to behave. */
export interface Behaviour {
  /** From scheduled to running, ms. */
  readonly startDelay?: number;
  /** From running to its containers' end, ms; for ever where missing. */
  readonly runDuration?: number;
  /** From told to go to gone, ms; never more than the grace period. */
  readonly terminationDelay?: number;
  /** Exit code of every container. */
  readonly exitCode: number;
  /** Runs, and never becomes ready. */
  readonly neverReady: boolean;
}

/**
 * Reads `simulation.kubernetes.io/start-delay`, `run-duration` (`1.5s`, `300ms`, `2m`), `exit-code` and `never-ready`. What
 * cannot be read counts as not given.
 */
export function behaviourOf(pod: Readonly<JsonObject>): Behaviour {
  const annotations = objectAt(pod['metadata'], 'annotations');
  const value = (name: string): string => stringAt(annotations, `${PREFIX}/${name}`) ?? '';
  const startDelay = parseDuration(value('start-delay'));
  const runDuration = parseDuration(value('run-duration'));
  const terminationDelay = parseDuration(value('termination-delay'));
  return {
    ...(terminationDelay === undefined ? {} : { terminationDelay }),
    ...(startDelay === undefined ? {} : { startDelay }),
    ...(runDuration === undefined ? {} : { runDuration }),
    exitCode: Number.parseInt(value('exit-code'), 10) || 0,
    neverReady: value('never-ready') === 'true',
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a duration such as `1m30s`. */
function parseDuration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g))
    total += Number(amount) * ownValue(UNITS, unit!)!;
  return total;
}
