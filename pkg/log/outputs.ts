import { fstatSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';

import type { Clock, Timer } from '#pkg/base';
import type { DestinationStream } from 'pino';

import { LineSink } from './line-sink.ts';

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
  /** Called once lines can be written again after `count` of them were dropped. */
  readonly onDropped?: (count: number) => void;
}

const STDOUT = 1;
const STDERR = 2;

/**
 * Opens where lines go: stderr for all as in the original, or info on stdout and errors on stderr. Writes are synchronous,
 * so that a crash loses nothing, but never wait for a reader; only info lines may be kept back, when asked for, up to a
 * size and a time.
 */
export function createOutputs(options: OutputOptions, clock: Clock): Outputs {
  if (options.output) return { info: options.output, error: options.output, flush: () => {}, close: () => {} };
  const { onDropped, splitStream, infoBufferSize, flushFrequency = 5000 } = options;
  const sink = (fd: number, minLength?: number): LineSink =>
    new LineSink({ write: writerTo(fd), clock, minLength, ...(onDropped ? { onDropped } : {}) });
  const error = sink(STDERR);
  if (!splitStream) return { info: error, error, flush: () => error.flush(), close: () => error.close() };
  const info = sink(STDOUT, infoBufferSize);
  const stop = infoBufferSize ? every(clock, flushFrequency, () => info.flush()) : () => {};
  return {
    info,
    error,
    flush: () => {
      info.flush();
      error.flush();
    },
    close: () => {
      stop();
      info.close();
      error.close();
    },
  };
}

/** Pipes and sockets that Node has made non-blocking; they must not be collected, which would close them. */
const nonBlocking: Socket[] = [];

/**
 * Writes to a file descriptor without waiting. A pipe or socket whose reader has stopped would hold up the whole process,
 * its lease and its signals included, so it is made non-blocking, which Node does to what it opens as a socket.
 */
function writerTo(fd: number): (bytes: Uint8Array) => number {
  try {
    const stat = fstatSync(fd);
    if (stat.isFIFO() || stat.isSocket()) {
      const socket = new Socket({ fd, readable: false, writable: true });
      socket.on('error', () => {});
      socket.unref();
      nonBlocking.push(socket);
    }
  } catch {
    // Whatever it is, what is written to it shows.
  }
  return (bytes) => writeSync(fd, bytes);
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
