/**
 * Five candidates in processes of their own on one Lease, killed, stopped, continued and asked to leave at random, for as
 * long as you like: no leader may write after another has begun to, and somebody always leads again.
 *
 *     node test/election/processes.ts [seconds, 60] [seed]
 *
 * Against the API server that the test harness finds (`TEST_KUBECONFIG`, `KUBEBUILDER_ASSETS`), else the embedded one.
 */
import { setTimeout as pause } from 'node:timers/promises';

import { describeError, seededRandom } from '#pkg/base';

import { controlPlaneKind, startControlPlane } from '../harness/control-plane.ts';
import { createTestClient } from '../harness/test-client.ts';
import { Electorate, SHORT } from './electorate.ts';

const CANDIDATES = 5;
const seconds = Number(process.argv[2] ?? 60);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000_000);
const random = seededRandom(seed);

const print = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  print(`${CANDIDATES} candidates on a ${controlPlaneKind()} for ${seconds} s, seed ${seed}`);
  const plane = await startControlPlane();
  const access = await createTestClient(plane.adminKubeconfig);
  const electorate = await Electorate.create(access.client, plane.adminKubeconfig, SHORT);
  const counts = { kill: 0, stop: 0, leave: 0, fenced: 0 };
  try {
    for (let i = 0; i < CANDIDATES; i++) electorate.start();
    await electorate.nextLeader('', 30_000);
    const end = performance.now() + seconds * 1000;
    const stopped = new Set<string>();
    const everStopped = new Set<string>();
    while (performance.now() < end) {
      await pause(500 + random() * 4000);
      const alive = [...electorate.candidates.values()].filter((child) => child.running && !stopped.has(child.name));
      // Half of the time the leader: it is the one that matters.
      const leader = alive.find((child) => child.name === electorate.writer);
      const victim = leader !== undefined && random() < 0.5 ? leader : alive[Math.floor(random() * alive.length)];
      if (victim === undefined) continue;
      const kind = random();
      if (kind < 0.3) {
        counts.kill++;
        victim.process.kill('SIGKILL');
      } else if (kind < 0.7) {
        counts.stop++;
        victim.process.kill('SIGSTOP');
        stopped.add(victim.name);
        everStopped.add(victim.name);
        setTimeout(() => {
          stopped.delete(victim.name);
          victim.process.kill('SIGCONT');
        }, random() * 9000);
      } else {
        counts.leave++;
        victim.process.kill('SIGTERM');
      }
      while ([...electorate.candidates.values()].filter((child) => child.running).length < CANDIDATES)
        electorate.start();
    }
    const last = electorate.writer;
    const lastChild = electorate.candidates.get(last)!;
    lastChild.process.kill('SIGKILL');
    const { after } = await electorate.nextLeader(last, 30_000);
    print(`the last takeover took ${Math.round(after)} ms`);
    counts.fenced = [...electorate.candidates.values()].filter((child) => child.output.includes('"fenced"')).length;
    const writes = electorate.turns.reduce((sum, turn) => sum + turn.count, 0);
    print(`${electorate.turns.length} terms, ${writes} writes, ${JSON.stringify(counts)}`);
    let failed = false;
    for (const [writer, late] of electorate.late()) {
      const onItsWay = everStopped.has(writer) && late === 1;
      failed ||= !onItsWay;
      print(
        `${onItsWay ? 'on its way when stopped' : 'FAILED'}: ${late} writes of ${writer} after another had begun to`,
      );
    }
    return failed ? 1 : 0;
  } finally {
    await electorate.close();
    await access.close();
    await plane.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  print(`FAILED, seed ${seed}: ${describeError(error)}`);
  process.exitCode = 1;
}
