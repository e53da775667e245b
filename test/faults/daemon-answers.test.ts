/**
 * The controller manager as a process while the API server's answers are refusals, garbage, cut short, repeated and out of
 * order. `daemon-under-fire.ts` has the long version.
 */
import { setTimeout as pause } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { answerFaults } from './daemon-answers.ts';
import { type Round, playRound } from './daemon-faults.ts';
import { askedTooOften, leftBehind, tooMuch } from './daemon-limits.ts';
import { type Footprint, DaemonWorld } from './daemon-world.ts';

const DEPLOYMENTS = 4;
/** What is a second in the full run, ms. */
const UNIT = 300;
const IDLE = 2000;

describe(`the daemon and what the ${controlPlaneKind()} seems to answer`, { timeout: 120_000 }, () => {
  const seed = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000);
  let world: DaemonWorld;
  let calm: Round;
  let before: Footprint;

  beforeAll(async () => {
    world = await DaemonWorld.start({ answers: true });
    await world.populate(DEPLOYMENTS);
    calm = await playRound(world, undefined, seededRandom(seed), UNIT);
    before = await world.footprint();
  }, 180_000);

  afterAll(async () => {
    const ended = await world?.stop();
    expect(ended).toBe(0);
  }, 60_000);

  test.each(answerFaults)(
    `$name: everything settles, with no more requests than that takes (seed ${seed})`,
    async (fault) => {
      const round = await playRound(world, fault, seededRandom(seed), UNIT);
      expect([...tooMuch(round, calm), ...askedTooOften(round, calm)]).toEqual([]);
      const from = world.mark();
      await pause(IDLE);
      expect(world.traffic(from).writes).toBe(0);
      // The heap is the full run's to judge: here caches of code are still filling.
      expect(leftBehind({ ...before, heapUsed: Infinity }, await world.footprint())).toEqual([]);
    },
  );
});
