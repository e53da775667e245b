import { setTimeout as pause } from 'node:timers/promises';

import type { TransportRequest, TransportResponse } from '#pkg/client';
import { corrupted, refusing, shuffledLines, truncated } from '#pkg/testing';

import type { Fault } from './daemon-faults.ts';
import type { DaemonWorld } from './daemon-world.ts';

const isWatch = ({ path }: TransportRequest): boolean => path.includes('watch=');
const isStream = ({ path }: TransportRequest): boolean => path.includes('sendInitialEvents=true');

/** All of these go on for so long, in the fault's units. */
const DURATION = 10;

/** Answers in the API server's place, with connections cut now and then so that watches have to be opened anew. */
async function answering(
  world: DaemonWorld,
  unit: number,
  answer: (request: TransportRequest) => TransportResponse | undefined,
): Promise<void> {
  const { faults } = world.answers!;
  faults.answer = answer;
  await cutting(world, unit);
  faults.heal();
}

async function garbling(
  world: DaemonWorld,
  unit: number,
  garble: (request: TransportRequest, body: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>,
): Promise<void> {
  const { faults } = world.answers!;
  faults.garble = garble;
  await cutting(world, unit);
  faults.heal();
  // What is open goes on garbled.
  world.proxy.cutAll('rst');
}

async function cutting({ proxy }: DaemonWorld, unit: number): Promise<void> {
  for (let i = 0; i < DURATION / 2; i++) {
    proxy.cutAll('rst');
    await pause(2 * unit);
  }
}

/** What an API server, or something in front of it, may answer; for a world with an {@link DaemonWorld.answers}. */
export const answerFaults: readonly Fault[] = [
  {
    name: 'a storm of 410',
    run: (world, _, unit) =>
      answering(world, unit, (request) =>
        isWatch(request) && !isStream(request) ? refusing(410, 'Expired') : undefined,
      ),
  },
  {
    name: '410 for everything that streams and watches',
    run: (world, _, unit) =>
      answering(world, unit, (request) => (isWatch(request) ? refusing(410, 'Expired') : undefined)),
  },
  {
    name: '429 with Retry-After',
    run: (world, _, unit) => answering(world, unit, () => refusing(429, 'TooManyRequests', { 'retry-after': '2' })),
  },
  {
    name: '429 without Retry-After',
    run: (world, _, unit) => answering(world, unit, () => refusing(429, 'TooManyRequests')),
  },
  {
    name: 'a burst of 500',
    run: (world, _, unit) => answering(world, unit, () => refusing(500, 'InternalError')),
  },
  {
    name: '503 for every other request',
    run: (world, random, unit) =>
      answering(world, unit, () => (random() < 0.5 ? refusing(503, 'ServiceUnavailable') : undefined)),
  },
  {
    name: 'truncated answers',
    losesAnswers: true,
    run: (world, random, unit) =>
      garbling(world, unit, (_request, body) => truncated(body, Math.floor(random() * 3000))),
  },
  {
    name: 'garbage in the answers',
    losesAnswers: true,
    run: (world, _, unit) => garbling(world, unit, (_request, body) => corrupted(body, 700)),
  },
  {
    name: 'events repeated and out of order after every resume',
    run: (world, random, unit) =>
      garbling(world, unit, (request, body) =>
        isWatch(request) && !isStream(request) ? shuffledLines(body, random) : body,
      ),
  },
];
