/**
 * The controller manager as a process while its way to the API server breaks: the short version of `daemon-under-fire.ts`,
 * with fewer Deployments and shorter faults.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { seededRandom } from '#pkg/base';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { type Round, faults, playRound } from './daemon-faults.ts';
import { leftBehind, tooMuch } from './daemon-limits.ts';
import { type Footprint, DaemonWorld } from './daemon-world.ts';

const DEPLOYMENTS = 4;
/** What is a second in the full run, ms. */
const UNIT = 150;

describe(`the daemon under fire on the ${controlPlaneKind()}`, { timeout: 120_000 }, () => {
  const seed = Number(process.env['FAULT_SEED'] ?? Date.now() % 1_000_000);
  let world: DaemonWorld;
  let calm: Round;
  let before: Footprint;

  beforeAll(async () => {
    world = await DaemonWorld.start();
    await world.populate(DEPLOYMENTS);
    calm = await playRound(world, undefined, seededRandom(seed), UNIT);
    before = await world.footprint();
  }, 180_000);

  afterAll(async () => {
    const ended = await world?.stop();
    expect(ended).toBe(0);
  }, 60_000);

  test.each(faults.filter(({ restarts, long }) => !restarts && !long))(
    `$name: everything settles, with no more requests than that takes (seed ${seed})`,
    async (fault) => {
      const round = await playRound(world, fault, seededRandom(seed), UNIT);
      expect(tooMuch(round, calm)).toEqual([]);
      // The heap is the full run's to judge: here caches of code are still filling.
      expect(leftBehind({ ...before, heapUsed: Infinity }, await world.footprint())).toEqual([]);
    },
  );

  test.skipIf(controlPlaneKind() !== 'kube-apiserver').each(faults.filter(({ restarts }) => restarts))(
    '$name: everything settles',
    async (fault) => {
      const round = await playRound(world, fault, seededRandom(seed), UNIT);
      expect(tooMuch(round, calm)).toEqual([]);
    },
  );
});
