import { expect, it } from 'vitest';
import { type Outcome, TIMING, simulate } from './simulation.fixture.ts';

/** ELECTION_SCHEDULES=100000 for a long night; ELECTION_SEED to begin at a seed that failed. */
const SCHEDULES = Number(process.env['ELECTION_SCHEDULES'] ?? 10_000);
const FIRST_SEED = Number(process.env['ELECTION_SEED'] ?? Date.now() % 1_000_000_000);
const DRIFT = 0.005;
const BATCH = 1000;

const batches = Array.from({ length: Math.ceil(SCHEDULES / BATCH) }, (_, i) => FIRST_SEED + i * BATCH);

it.each(batches)(`random schedules from seed %i on: one leader at a time, and always one in the end`, (first) => {
  let terms = 0;
  for (let seed = first; seed < first + BATCH; seed++) {
    const watch = seed % 2 === 0;
    const outcome = simulate({ seed, candidates: 2 + (seed % 4), faulty: 120_000, drift: DRIFT, watch });
    // After a crash in calm weather: the lease, seen one try late by those who were not told of it, and a request's way.
    const bound = TIMING.leaseDuration + TIMING.retryPeriod * 2.2 + TIMING.retryPeriod * 0.1 + 500;
    const [takeover = Number.POSITIVE_INFINITY] = outcome.takeovers;
    if (takeover > bound) outcome.violations.push(`the takeover took ${takeover} ms`);
    if (outcome.violations.length > 0) throw new Error(explain(seed, outcome));
    terms += outcome.terms;
  }
  // The schedules are worth something only if the lead changes hands a lot.
  expect(terms / BATCH).toBeGreaterThan(4);
});

function explain(seed: number, { violations, trace }: Outcome): string {
  return `seed ${seed}:\n${violations.join('\n')}\n\n${trace.join('\n')}`;
}
