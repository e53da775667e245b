/** Data beside a constant message: `{ deployment: 'default/web', replicas: 3 }`. Errors and objects are rendered. */
export type Fields = { readonly [name: string]: unknown };

/**
 * A structured logger with klog's levels. Guard what is costly or frequent by verbosity: `log.v(4)?.info('...')` costs
 * one comparison when the level is off.
 */
export interface Logger {
  info(message: string, fields?: Fields): void;
  warning(message: string, fields?: Fields): void;
  /** `error` is what was thrown, if anything was. */
  error(message: string, error?: unknown, fields?: Fields): void;
  /** This logger if `-v` is at least `level`, else nothing. */
  v(level: number): Logger | undefined;
  /** A logger that adds `fields` to every line. */
  with(fields: Fields): Logger;
}

/** Says nothing. */
export const silentLogger: Logger = {
  info: () => {},
  warning: () => {},
  error: () => {},
  v: () => undefined,
  with: () => silentLogger,
};
