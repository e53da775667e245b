import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type Lease, isNotFound, resources } from '#pkg/api';
import { LeaseLock } from '#pkg/leaderelection';
import { describeLockContract } from '#pkg/testing';

import { type ControlPlane, controlPlaneKind, startControlPlane } from '../harness/control-plane.ts';
import { eventually } from '../harness/eventually.ts';
import { type TestClient, createTestClient } from '../harness/test-client.ts';
import { Electorate, SHORT } from './electorate.ts';

let plane: ControlPlane;
let access: TestClient;
beforeAll(async () => {
  // Coordinated election's fields are kept by servers that know it.
  plane = await startControlPlane({
    apiServerFlags: [
      '--feature-gates=CoordinatedLeaderElection=true',
      '--runtime-config=coordination.k8s.io/v1beta1=true',
    ],
  });
  access = await createTestClient(plane.adminKubeconfig);
}, 180_000);
afterAll(async () => {
  await access?.close();
  await plane?.stop();
}, 60_000);

let locks = 0;
describeLockContract(`a Lease on the ${controlPlaneKind()}`, () => {
  const name = `lock-contract-${++locks}`;
  const remove = async (): Promise<void> => {
    try {
      await access.client.resource<Lease>(resources.leases).delete({ namespace: 'default', name });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  return {
    lock: (identity) => new LeaseLock({ client: access.client, namespace: 'default', name, identity }),
    remove,
    close: remove,
  };
});

describe(`candidates in processes of their own, on the ${controlPlaneKind()}`, () => {
  /** The machine is busy when the suite runs. */
  const SLACK = 3000;

  it(
    'one leads; a successor follows each that leaves, dies or stands still, and none comes back',
    { timeout: 120_000 },
    async () => {
      const electorate = await Electorate.create(access.client, plane.adminKubeconfig, SHORT);
      try {
        for (let i = 0; i < 3; i++) electorate.start();
        const first = await electorate.nextLeader('', 30_000);
        // The others are there, too, and know whom they follow.
        for (const child of electorate.candidates.values())
          await child.prints(new RegExp(`"leader":"${first.child.name}"`));

        first.child.process.kill('SIGTERM');
        const second = await electorate.nextLeader(first.child.name, 2000 + SLACK);
        expect(await first.child.stop('SIGCONT')).toBe(0);

        electorate.start();
        second.child.process.kill('SIGKILL');
        const third = await electorate.nextLeader(
          second.child.name,
          SHORT.leaseDuration + 2.2 * SHORT.retryPeriod + SLACK,
        );

        electorate.start();
        await electorate.written(20, 10_000);
        third.child.process.kill('SIGSTOP');
        await electorate.nextLeader(third.child.name, SHORT.leaseDuration + 2.2 * SHORT.retryPeriod + SLACK);
        third.child.process.kill('SIGCONT');
        await third.child.prints(/"fenced"/);
        await eventually(() => expect(third.child.running).toBe(false));
        expect(third.child.process.exitCode).toBe(1);
        // But for the one write that may have been on its way.
        expect([...electorate.late().keys()].filter((name) => name !== third.child.name)).toEqual([]);
        expect(electorate.late().get(third.child.name) ?? 0).toBeLessThanOrEqual(1);
        await eventually(async () => expect(await electorate.holder()).toBe(electorate.writer));
      } finally {
        await electorate.close();
      }
    },
  );
});
