/**
 * The controller manager as a process while its API server is restarted and its connections are refused, cut, swallowed
 * and stalled, with a fleet of Deployments rolling all the while. After each fault everything settles by itself, with no
 * more requests than a calm roll costs and the back-off allows; at rest nothing is sent but the renewal of the lease; and
 * in the end it holds no more sockets, timers and memory than in the beginning.
 *
 *     node test/faults/daemon-under-fire.ts [rounds of all faults, 2] [deployments, 50] [seed] [answers]
 *
 * With `answers` it is not the connections that are broken but what is answered: 410, 429, 500, garbage, events repeated and
 * out of order.
 *
 * Against a kube-apiserver (`KUBEBUILDER_ASSETS`), else the embedded one, which is not restarted.
 */
import { setTimeout as pause } from 'node:timers/promises';

import { describeError, seededRandom } from '#pkg/base';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { answerFaults } from './daemon-answers.ts';
import { playRound, faults } from './daemon-faults.ts';
import { type Footprint, DaemonWorld } from './daemon-world.ts';
import { askedTooOften, leftBehind, tooMuch } from './daemon-limits.ts';

const rounds = Number(process.argv[2] ?? 2);
const deployments = Number(process.argv[3] ?? 50);
const seed = Number(process.argv[4] ?? Date.now() % 1_000_000_000);
const answers = process.argv[5] === 'answers';
const random = seededRandom(seed);
const SECOND = 1000;
const IDLE = 10;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const mega = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

function show(when: string, { heapUsed, external, rss, sockets, descriptors, resources }: Footprint): void {
  print(
    `${when}: heap ${mega(heapUsed)}, external ${mega(external)}, resident ${mega(rss)}, ${sockets} sockets of ${descriptors} descriptors, ${JSON.stringify(resources)}`,
  );
}

async function main(): Promise<string[]> {
  print(`${deployments} Deployments on a ${controlPlaneKind()}, seed ${seed}`);
  const world = await DaemonWorld.start({ answers });
  const wrong: string[] = [];
  try {
    await world.populate(deployments);
    const calm = await playRound(world, undefined, random, SECOND);
    print(JSON.stringify(calm));
    // The first roll after an update fills caches of code and objects; what counts is what comes after it.
    let before: Footprint | undefined;
    for (let i = 0; i < rounds; i++) {
      for (const fault of answers ? answerFaults : faults) {
        if (fault.restarts && !world.plane.restart) continue;
        const round = await playRound(world, fault, random, SECOND);
        print(JSON.stringify(round));
        wrong.push(...tooMuch(round, calm), ...(answers ? askedTooOften(round, calm) : []));
      }
      const from = world.mark();
      await pause(IDLE * SECOND);
      const idle = world.traffic(from);
      print(`idle for ${IDLE} s: ${JSON.stringify(idle)}`);
      if (idle.writes > 0 || idle.reads > 2 || idle.leases > IDLE) wrong.push(`busy at rest: ${JSON.stringify(idle)}`);
      const after = await world.footprint();
      show(`after round ${i + 1}`, after);
      if (before) wrong.push(...leftBehind(before, after));
      before ??= after;
    }
  } finally {
    const ended = await world.stop();
    if (ended !== 0) wrong.push(`the daemon ended with ${ended}: ${world.daemon.output.slice(-3000)}`);
  }
  return wrong;
}

try {
  const wrong = await main();
  for (const line of wrong) print(`FAILED, seed ${seed}: ${line}`);
  if (wrong.length === 0) print('everything settled, nothing left behind');
  process.exitCode = wrong.length === 0 ? 0 : 1;
} catch (error) {
  print(`FAILED, seed ${seed}: ${describeError(error)}`);
  process.exitCode = 1;
}
