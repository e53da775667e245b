import type { Clock, Timer } from '#pkg/base';
import { type DestinationStream, destination } from 'pino';

export interface Outputs {
  readonly info: DestinationStream;
  readonly error: DestinationStream;
  flush(): void;
  close(): void;
}

export interface OutputOptions {
  readonly splitStream?: boolean;
  readonly infoBufferSize?: number;
  readonly flushFrequency?: number;
  readonly output?: DestinationStream;
}

const STDOUT = 1;
const STDERR = 2;

/**
 * Where lines go: stderr for all as in the original, or info on stdout and errors on stderr. Writes are synchronous, so
 * that a crash loses nothing; only info lines may be kept back, when asked for, up to a size and a time.
 */
export function createOutputs(options: OutputOptions, clock: Clock): Outputs {
  if (options.output) return { info: options.output, error: options.output, flush: () => {}, close: () => {} };
  const error = open(STDERR, 0);
  if (!options.splitStream)
    return { info: error, error, flush: () => error.flushSync(), close: () => error.flushSync() };
  const info = open(STDOUT, options.infoBufferSize ?? 0);
  const flush = (): void => {
    info.flushSync();
    error.flushSync();
  };
  const stop = options.infoBufferSize ? every(clock, options.flushFrequency ?? 5000, () => info.flushSync()) : () => {};
  return {
    info,
    error,
    flush,
    close: () => {
      stop();
      flush();
    },
  };
}

function open(fd: number, minLength: number): ReturnType<typeof destination> {
  const stream = destination({ fd, sync: true, minLength });
  // A closed pipe or a full disk under the log must not end the process; there is nowhere left to say so.
  stream.on('error', () => {});
  return stream;
}

function every(clock: Clock, milliseconds: number, task: () => void): () => void {
  let timer: Timer;
  const arm = (): void => {
    timer = clock.setTimeout(() => {
      task();
      arm();
    }, milliseconds);
  };
  arm();
  return () => timer.cancel();
}
