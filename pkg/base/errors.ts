/**
 * Base of every error class of the library: one class a package, with a closed list of codes, a constant message, the
 * cause, and the data beside the message.
 */
export class CodedError<Code extends string, Data extends object = object> extends Error {
  readonly code: Code;
  readonly data: Data;

  constructor(code: Code, message: string, data: Data, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.data = data;
  }
}

/** The message of anything thrown, with its causes: `cannot list pods: connect ECONNREFUSED 127.0.0.1:6443`. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message === '' ? error.name : error.message;
  if (error.cause === undefined || error.cause === null) return own;
  const cause = describeError(error.cause);
  return own.includes(cause) ? own : `${own}: ${cause}`;
}

/** Whether `error` is what an aborted signal threw. */
export function isAbort(error: unknown, signal?: AbortSignal): boolean {
  if (signal?.aborted && error === signal.reason) return true;
  return error instanceof Error && error.name === 'AbortError';
}
