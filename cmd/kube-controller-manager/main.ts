import { describeError, systemClock, systemRandom } from '#pkg/base';
import { type RootLogger, createLogger } from '#pkg/log';
import {
  type CommandLine,
  ManagerError,
  completeOptions,
  createRegistry,
  flagTexts,
  readCommandLine,
  runManager,
} from '#pkg/manager';

import { pendingFlags } from '../../controllers/pending-flags.ts';
import { controllerDefinitions } from '../../controllers/registry.ts';

const startTime = Date.now() - process.uptime() * 1000;

// Node would open its inspector at this signal, to anyone on the machine.
process.on('SIGUSR1', () => {});

// No top-level await: the bundle is CommonJS, for its faster start.
void main(process.argv.slice(2)).then((code) => process.exit(code));

/** The exit code: 0 for what ended as asked, 1 for anything else. */
async function main(argv: readonly string[]): Promise<number> {
  let log: RootLogger | undefined;
  try {
    const request = readCommandLine(
      argv,
      createRegistry(controllerDefinitions),
      pendingFlags,
      process.stdout.columns ?? 0,
    );
    if (request.kind !== 'run') {
      process.stdout.write(`${request.text.trimEnd()}\n`);
      return 0;
    }
    log = createLogger(request.line.logging);
    await run(request.line, log);
    return 0;
  } catch (error) {
    // A misread command line is answered as by any command; everything later goes to the log, a lost lease already has.
    if (error instanceof ManagerError && error.code === 'BadFlag') process.stderr.write(`Error: ${error.message}\n`);
    else if (!(error instanceof ManagerError && error.code === 'LeaseLost'))
      (log ?? createLogger()).error('command failed', describeError(error));
    return 1;
  } finally {
    log?.close();
  }
}

async function run(line: CommandLine, log: RootLogger): Promise<void> {
  for (const warning of line.warnings) log.warning(warning);
  const detailed = log.v(1);
  if (detailed) for (const [flag, value] of flagTexts(line)) detailed.info('Flag', { flag, value });
  const options = await completeOptions(line);
  await runManager({ options, log, clock: systemClock, random: systemRandom, startTime, onLoaded }, stopSignal(log));
}

/** Compiled code that was kept is good only under the flags it was kept under, so they change when all of it is loaded. */
function onLoaded(): void {
  void import('./memory.ts').then(({ keepHeapSmall }) => keepHeapSmall());
}

/** A signal sent to a process and to its group arrives twice; within this it counts as one, ms. */
const ONE_SIGNAL = 50;

/** Aborts at the first SIGTERM or SIGINT; the second ends the process on the spot. */
function stopSignal(log: RootLogger): AbortSignal {
  const stop = new AbortController();
  let first = 0;
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      const now = performance.now();
      if (stop.signal.aborted && now - first < ONE_SIGNAL) return;
      if (stop.signal.aborted) {
        log.warning('Ending at once on a second signal', { signal: name });
        log.close();
        process.exit(1);
      }
      first = now;
      log.info('Stopping', { signal: name });
      stop.abort(new Error(`received ${name}`));
    });
  }
  return stop.signal;
}
