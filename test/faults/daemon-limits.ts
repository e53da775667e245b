import { ownValue } from '#pkg/base';
import type { Round } from './daemon-faults.ts';
import type { Footprint } from './daemon-world.ts';

/** Informers of the two controllers: Deployments, ReplicaSets, Pods. */
const INFORMERS = 3;

/**
 * What of a round is more than a calm roll costs and the back-off allows. A broken connection costs each informer a watch,
 * or a list; the waits between begin with 0.8 s. A write whose answer was lost may be made again, and is then refused as a
 * conflict; where the answers of most are lost, each may be, and of what exists already its owner has to read whose it is.
 * Every key that has work to do tries again with doubling waits, and a try is a connection while none is answered.
 */
export function tooMuch(round: Round, calm: Round): string[] {
  const repeated = round.answersLost ? calm.writes : calm.writes / 4;
  const limits = {
    reads: calm.reads + INFORMERS * (15 + round.seconds / 2) + (round.answersLost ? calm.writes / 4 : 0),
    writes: calm.writes + Math.max(repeated, calm.writes / 2) + 50,
    events: 2 * calm.events + 50,
    conflicts: calm.conflicts + repeated + 20,
    leases: 20 + round.seconds * 1.5,
    connections: 20 + round.seconds * 3 + calm.writes,
  };
  return Object.entries(limits)
    .filter(([key, limit]) => round[key as keyof typeof limits] > limit)
    .map(
      ([key, limit]) => `${round.fault}: ${round[key as keyof typeof limits]} ${key}, more than ${limit.toFixed(0)}`,
    );
}

/**
 * Requests beyond a calm round's and what back-off allows. An informer begins with 0.8 s between two, a key with 5 ms, and both
 * double; an event is tried every 10 s, the lease every 2. So a key asks a dozen times in a fault of 10 s, not thousands.
 */
export function askedTooOften(round: Round, calm: Round): string[] {
  const limit = 4 * calm.asked + 100 + 20 * round.seconds;
  return round.asked > limit ? [`${round.fault}: ${round.asked} requests, more than ${limit.toFixed(0)}`] : [];
}

/** What a process holds at rest that it did not hold before. */
export function leftBehind(before: Footprint, after: Footprint): string[] {
  const wrong: string[] = [];
  if (after.sockets > before.sockets + 1) wrong.push(`${after.sockets} sockets, ${before.sockets} before`);
  for (const [kind, count] of Object.entries(after.resources)) {
    if (count > (ownValue(before.resources, kind) ?? 0) + 2)
      wrong.push(`${count} ${kind}, ${ownValue(before.resources, kind) ?? 0} before`);
  }
  if (after.heapUsed > before.heapUsed * 1.1 + 2 ** 20)
    wrong.push(`heap of ${after.heapUsed} bytes, ${before.heapUsed} before`);
  return wrong;
}
