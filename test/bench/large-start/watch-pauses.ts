/**
 * Preloaded into a process under measurement: prints, when it ends, how long its event loop was held at most, from its
 * first connection on. Counted is the thread's CPU time between two turns of a timer, so that a busy machine, which keeps
 * everyone waiting, does not show.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** ms */
const PERIOD = 1;
let longest = 0;
let last = 0;

function cpu(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function begin(): void {
  unsubscribe('net.client.socket', begin);
  last = cpu();
  setInterval(() => {
    const now = cpu();
    longest = Math.max(longest, now - last);
    last = now;
  }, PERIOD).unref();
}

subscribe('net.client.socket', begin);
process.on('exit', () => process.stderr.write(`\nlongest pause: ${longest.toFixed(1)} ms\n`));
