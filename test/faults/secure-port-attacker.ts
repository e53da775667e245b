/** The worker that attacks: a thread of its own, so that whoever measures is not busy with it. */
import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

import { ATTACKS } from './secure-port-attacks.ts';

const { attack, port, connections, seconds } = workerData as Readonly<Record<'attack', string>> &
  Readonly<Record<'port' | 'connections' | 'seconds', number>>;
const chosen = Object.entries(ATTACKS).find(([name]) => name === attack)?.[1];
if (!chosen) throw new Error(`there is no attack "${attack}"`);

const stop = AbortSignal.timeout(seconds * 1000);
let opened = 0;
await Promise.all(
  Array.from({ length: Math.max(1, Math.round(connections * chosen.share)) }, async () => {
    while (!stop.aborted) {
      opened++;
      await chosen.connection(port, stop);
      // A refused connection comes again at once, as an attacker's does.
      await pause(1);
    }
  }),
);
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(opened);
