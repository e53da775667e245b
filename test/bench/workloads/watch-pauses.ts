/**
 * Preloaded into a process under measurement: prints, whenever it is sent SIGUSR2, how long its event loop was held at most
 * since the last time, from its first connection on. A turn is as long as a timer is late, and no longer than the CPU time
 * that the thread had meanwhile: so a busy machine, which keeps everyone waiting, does not show.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** What begins shortly after a tick is told by as much too short, ms. */
const PERIOD = 10;
/** Waking up costs more than anything else at rest, so that it is looked at less often then, ms. */
const AT_REST = 500;
/** CPU time between two looks below which nothing happens, ms; and for how many looks that must be so. */
const LITTLE = 1;
const CALM = 50;

let longest = 0;
let calm = 0;
let period = PERIOD;
let last = { cpu: 0, time: 0 };

function read(): typeof last {
  const { user, system } = process.threadCpuUsage();
  return { cpu: (user + system) / 1000, time: performance.now() };
}

function look(): void {
  const now = read();
  const used = now.cpu - last.cpu;
  longest = Math.max(longest, Math.min(used, now.time - last.time - period));
  last = now;
  calm = used < LITTLE ? calm + 1 : 0;
  period = calm < CALM ? PERIOD : AT_REST;
  setTimeout(look, period).unref();
}

function begin(): void {
  unsubscribe('net.client.socket', begin);
  last = read();
  setTimeout(look, period).unref();
}

subscribe('net.client.socket', begin);
process.on('SIGUSR2', () => {
  process.stderr.write(`\nlongest pause: ${longest.toFixed(1)} ms\n`);
  longest = 0;
});
