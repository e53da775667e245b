/**
 * How soon a scaling takes effect after every connection was reset, as by a load balancer that fails over: 50 ms after the
 * reset a Deployment is scaled between one and four. Prints a line a round, and ends with 1 where one took over a second.
 *
 *     node test/faults/resets.ts [rounds] [seconds between]
 */
import { setTimeout as pause } from 'node:timers/promises';

import { isPodActive, resources } from '#pkg/api';

import { controlPlaneKind } from '../harness/control-plane.ts';
import { DaemonWorld } from './daemon-world.ts';

const [rounds = 7, between = 8] = process.argv.slice(2).map(Number);
/** After the reset, in milliseconds. */
const SCALED_AFTER = 50;
const LONGEST = 1000;

const world = await DaemonWorld.start();
const times: number[] = [];
try {
  await world.populate(1);
  const at = { namespace: world.namespace };
  for (let round = 0; round < rounds; round++) {
    await pause(between * 1000);
    const replicas = round % 2 === 0 ? 4 : 1;
    world.proxy.cutAll('rst');
    await pause(SCALED_AFTER);
    const from = performance.now();
    await world.client.resource(resources.deployments).patch({ ...at, name: 'web-0' }, 'merge', { spec: { replicas } });
    for (;;) {
      const { items } = await world.client.resource(resources.pods).list(at);
      if (items.filter(isPodActive).length === replicas) break;
      if (performance.now() - from > 60_000)
        throw new Error(`no effect within a minute\n${world.daemon.output.slice(-3000)}`);
      await pause(10);
    }
    times.push(performance.now() - from);
    process.stdout.write(`round ${round + 1}: ${replicas} Pods after ${Math.round(times.at(-1)!)} ms\n`);
  }
} finally {
  await world.stop();
}
const longest = Math.max(...times);
process.stdout.write(`on the ${controlPlaneKind()}: longest ${Math.round(longest)} ms of ${rounds} rounds\n`);
process.exit(longest > LONGEST ? 1 : 0);
