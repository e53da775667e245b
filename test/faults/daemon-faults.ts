import { setTimeout as pause } from 'node:timers/promises';

import type { DaemonWorld } from './daemon-world.ts';

/** Breaks the daemon's way to the API server for some time, and leaves it to be healed. */
export interface Fault {
  readonly name: string;
  /** Its API server has to be a process of ours. */
  readonly restarts?: true;
  /** Only in the full run: the short one has what it shows in others. */
  readonly long?: true;
  /** Most writes are carried out, and what is answered to them is lost. */
  readonly losesAnswers?: true;
  /** `unit` is what a second is in the full run, ms; a short one has shorter ones. */
  readonly run: (world: DaemonWorld, random: () => number, unit: number) => Promise<void>;
}

export const faults: readonly Fault[] = [
  { name: 'the API server is killed', restarts: true, run: ({ plane }) => plane.restart!('SIGKILL') },
  { name: 'the API server ends and starts again', restarts: true, run: ({ plane }) => plane.restart!('SIGTERM') },
  {
    name: 'nobody listens for 10 s',
    async run({ proxy }, _, unit) {
      await proxy.refuse();
      await pause(10 * unit);
      await proxy.accept();
    },
  },
  {
    name: 'connections are cut at random bytes',
    async run({ proxy }, random, unit) {
      for (let i = 0; i < 15; i++) {
        proxy.cutAfter(Math.floor(random() * 60_000), random() < 0.5 ? 'rst' : 'fin');
        proxy.cutAll(random() < 0.5 ? 'rst' : 'fin');
        await pause(unit);
      }
    },
  },
  {
    name: 'connections are accepted and never answered',
    async run({ proxy }, _, unit) {
      proxy.blackHole();
      proxy.cutAll('rst');
      await pause(20 * unit);
      proxy.heal();
      proxy.cutAll('rst');
    },
  },
  {
    name: 'stalls of 10 s',
    async run({ proxy }, _, unit) {
      for (let i = 0; i < 3; i++) {
        proxy.stall();
        await pause(10 * unit);
        proxy.heal();
        await pause(2 * unit);
      }
    },
  },
  {
    name: 'the peer falls silent for 45 s',
    long: true,
    async run({ proxy }, _, unit) {
      proxy.stall();
      await pause(45 * unit);
      proxy.cutAll('rst');
    },
  },
  {
    name: 'every answer is slow',
    long: true,
    async run({ proxy }, _, unit) {
      proxy.delay(150);
      proxy.cutAll('rst');
      await pause(10 * unit);
    },
  },
];

export interface Round {
  readonly fault: string;
  readonly answersLost: boolean;
  readonly seconds: number;
  readonly reads: number;
  readonly writes: number;
  readonly events: number;
  readonly leases: number;
  readonly conflicts: number;
  readonly refused: number;
  /** Connections that the daemon opened. */
  readonly connections: number;
  /** Requests that the daemon sent, answered by the API server or in its place, where an answering proxy counts them. */
  readonly asked: number;
}

/** A roll of the whole fleet with a fault in its midst, until everything is settled again. */
export async function playRound(
  world: DaemonWorld,
  fault: Fault | undefined,
  random: () => number,
  unit: number,
): Promise<Round> {
  const start = performance.now();
  const from = world.mark();
  const { accepted } = world.proxy;
  const asked = world.answers?.faults.requests.length ?? 0;
  const rolling = world.roll();
  // Looked at when the fault is over.
  rolling.catch(() => {});
  await pause(unit / 2);
  await fault?.run(world, random, unit);
  await rolling;
  world.proxy.heal();
  await world.settled();
  const seconds = (performance.now() - start) / 1000;
  return {
    fault: fault?.name ?? 'none',
    answersLost: fault?.losesAnswers === true,
    seconds,
    ...world.traffic(from),
    connections: world.proxy.accepted - accepted,
    asked: (world.answers?.faults.requests.length ?? 0) - asked,
  };
}
