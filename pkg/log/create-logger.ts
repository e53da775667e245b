import { type Clock, systemClock } from '#pkg/base';
import { type DestinationStream, type Logger as Pino, pino, symbols } from 'pino';

import { callSite } from './call-site.ts';
import type { Entry, Severity } from './entry.ts';
import { formatJson } from './json-format.ts';
import type { Fields, Logger } from './logger.ts';
import { createOutputs } from './outputs.ts';
import { formatText } from './text-format.ts';
import { type VModuleRule, verbosityFor } from './vmodule.ts';

export interface LoggerOptions {
  readonly format?: 'text' | 'json';
  /** `-v`: what is logged at a higher level than this is dropped. */
  readonly verbosity?: number;
  readonly vmodule?: readonly VModuleRule[];
  /** Errors to stderr and the rest to stdout, where otherwise all goes to stderr. */
  readonly splitStream?: boolean;
  /** With `splitStream`: bytes of info lines kept back between flushes. */
  readonly infoBufferSize?: number;
  /** How often kept back lines are written, ms. */
  readonly flushFrequency?: number;
  /** Instead of the process' own streams. */
  readonly output?: DestinationStream;
  readonly clock?: Clock;
  readonly pid?: number;
}

/** The logger of a process, from which every other is made. */
export interface RootLogger extends Logger {
  /** Changes `-v` for this logger and all made from it. */
  setVerbosity(level: number): void;
  /** Writes what is kept back. Call it before the process ends. */
  flush(): void;
  /** Flushes and stops the flush timer. */
  close(): void;
}

/**
 * A logger in klog's text form or in Kubernetes' JSON form, written by pino.
 *
 *     const log = createLogger({ verbosity: 2 });
 *     log.with({ logger: 'deployment-controller' }).info('Scaled up', { replicaSet, replicas: 3 });
 *
 * The field `logger` names a logger for `vmodule` and stands in every line of it.
 */
export function createLogger(options: LoggerOptions = {}): RootLogger {
  const clock = options.clock ?? systemClock;
  const outputs = createOutputs(
    { ...options, onDropped: (lines) => root.warning('Log lines were dropped, nobody took them', { lines }) },
    clock,
  );
  const state: State = {
    verbosity: options.verbosity ?? 0,
    rules: options.vmodule ?? [],
    pid: options.pid ?? process.pid,
    micros: microsecondClock(clock),
    info: formatted(outputs.info, options.format ?? 'text'),
    error: formatted(outputs.error, options.format ?? 'text'),
  };
  const root = new PinoLogger(state, [], undefined, 0);
  return Object.assign(root, {
    setVerbosity: (level: number) => {
      state.verbosity = level;
    },
    flush: () => outputs.flush(),
    close: () => outputs.close(),
  });
}

interface State {
  verbosity: number;
  readonly rules: readonly VModuleRule[];
  readonly pid: number;
  readonly micros: () => number;
  readonly info: Pino;
  readonly error: Pino;
}

class PinoLogger implements Logger {
  readonly #state: State;
  readonly #fields: readonly Fields[];
  readonly #name: string | undefined;
  readonly #level: number;
  readonly #limit: number | undefined;

  constructor(state: State, fields: readonly Fields[], name: string | undefined, level: number) {
    this.#state = state;
    this.#fields = fields;
    this.#name = name;
    this.#level = level;
    this.#limit = name === undefined || state.rules.length === 0 ? undefined : verbosityFor(state.rules, name);
  }

  info(message: string, fields?: Fields): void {
    this.#write('info', message, undefined, fields);
  }

  warning(message: string, fields?: Fields): void {
    this.#write('warning', message, undefined, fields);
  }

  error(message: string, error?: unknown, fields?: Fields): void {
    this.#write('error', message, error, fields);
  }

  v(level: number): Logger | undefined {
    const total = this.#level + level;
    if (total > (this.#limit ?? this.#state.verbosity)) return undefined;
    return level === 0 ? this : new PinoLogger(this.#state, this.#fields, this.#name, total);
  }

  with(fields: Fields): Logger {
    const name = typeof fields['logger'] === 'string' ? fields['logger'] : this.#name;
    return new PinoLogger(this.#state, [...this.#fields, fields], name, this.#level);
  }

  #write(severity: Severity, message: string, error: unknown, fields: Fields | undefined): void {
    const state = this.#state;
    const all = fields === undefined ? this.#fields : [...this.#fields, fields];
    const site = callSite();
    const entry: Entry = {
      severity,
      verbosity: this.#level,
      message,
      error,
      fields: all,
      site,
      time: state.micros(),
      pid: state.pid,
    };
    if (severity === 'error') state.error.error(entry);
    else if (severity === 'warning') state.info.warn(entry);
    else state.info.info(entry);
  }
}

/**
 * A pino that hands on finished lines: its serializer is replaced by ours, which neither klog's text nor the key order
 * of Kubernetes' JSON could be had from.
 */
function formatted(output: DestinationStream, format: 'text' | 'json'): Pino {
  const logger = pino({ level: 'info', base: null, timestamp: false }, output);
  const render = format === 'json' ? formatJson : formatText;
  return Object.assign(logger, { [symbols.asJsonSym]: (entry: Entry) => render(entry) });
}

/**
 * Wall time in microseconds: the wall clock's, with the fraction of the monotonic one, set anew when they drift apart.
 */
function microsecondClock(clock: Clock): () => number {
  let offset = clock.now() - clock.monotonic();
  return () => {
    const now = clock.now();
    const precise = clock.monotonic() + offset;
    if (Math.abs(precise - now) <= 2) return Math.floor(precise * 1000);
    offset = now - clock.monotonic();
    return now * 1000;
  };
}
