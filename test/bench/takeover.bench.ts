/**
 * How long nobody leads after a leader has gone, with the timing of core components (15 s, 10 s, 2 s), in processes of
 * their own on an embedded API server: from the signal to the first write of the next leader. Against candidates that
 * poll the lease as client-go does.
 */
import { startEmbeddedControlPlane } from '../harness/embedded-control-plane.ts';
import { createTestClient } from '../harness/test-client.ts';
import { Electorate, type Timing } from '../election/electorate.ts';
import { figure } from './report.ts';

const CORE = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2000 };

const plane = await startEmbeddedControlPlane();
const access = await createTestClient(plane.adminKubeconfig);

async function takeovers(signal: NodeJS.Signals, rounds: number, timing: Timing): Promise<number[]> {
  const electorate = await Electorate.create(access.client, plane.adminKubeconfig, timing);
  try {
    const times: number[] = [];
    electorate.start();
    let leader = (await electorate.nextLeader('', 30_000)).child;
    for (let i = 0; i < rounds; i++) {
      await electorate.start().prints(new RegExp(`"leader":"${leader.name}"`));
      // Neither right after a renewal nor always in the same place.
      await new Promise((resolve) => setTimeout(resolve, 700 + i * 430));
      leader.process.kill(signal);
      const next = await electorate.nextLeader(leader.name, 60_000);
      times.push(next.after / 1000);
      leader = next.child;
    }
    // The next electorate is to find nobody in office.
    await leader.stop('SIGTERM');
    return times;
  } finally {
    await electorate.close();
  }
}

const longest = (times: readonly number[]): number => Math.max(...times);

try {
  for (const [name, signal, rounds] of [
    ['takeover after SIGTERM with release, longest of 5', 'SIGTERM', 5],
    ['takeover after kill -9, longest of 3', 'SIGKILL', 3],
  ] as const) {
    const value = longest(await takeovers(signal, rounds, CORE));
    const against = longest(await takeovers(signal, rounds, { ...CORE, polling: true }));
    figure({ bench: 'takeover', figure: name, value, unit: 's', against, ratio: value / against });
  }
} finally {
  await access.close();
  await plane.stop();
}
