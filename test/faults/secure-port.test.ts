import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { ATTACKS } from './secure-port-attacks.ts';
import { SecurePortWorld } from './secure-port-world.ts';

// The budget in time and memory is what the program secure-port.ts holds; here each attack is only survived.
describe.skipIf(controlPlaneKind() === 'existing cluster')(
  `the secure port under a short attack, on the ${controlPlaneKind()}`,
  { timeout: 60_000 },
  () => {
    let world: SecurePortWorld;
    beforeAll(async () => {
      world = await SecurePortWorld.start();
    }, 150_000);
    afterAll(() => world.stop(), 30_000);

    test.each(Object.keys(ATTACKS))('%s: it goes on to lead, and answers afterwards', async (attack) => {
      const { opened, unanswered } = await world.under(attack, 4, 0.3);
      expect(opened).toBeGreaterThan(0);
      expect(unanswered).toBe(0);
      const { waits } = await world.under('none', 0, 0.1);
      expect(waits.length).toBeGreaterThan(0);
      expect(world.leads).toBe(true);
    });
  },
);
