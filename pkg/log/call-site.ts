/** Where a line was logged: base name and line, as klog's header has it. */
export interface CallSite {
  readonly file: string;
  readonly line: number;
}

const UNKNOWN: CallSite = { file: 'unknown', line: 0 };

/** Frames between a caller of the logger and {@link callSite}: the method and what writes. */
const BETWEEN = 2;

/**
 * Finds who called the method that calls the function that calls this. Takes some microseconds, so ask only for lines that are
 * written. Frames are captured and never rendered; the limits of the process are left as they were.
 */
export function callSite(): CallSite {
  const { stackTraceLimit } = Error;
  const prepare = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  const holder: { stack?: unknown } = {};
  Error.stackTraceLimit = BETWEEN + 1;
  Error.prepareStackTrace = outermost;
  try {
    Error.captureStackTrace(holder, callSite);
    return (holder.stack as CallSite | undefined) ?? UNKNOWN;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepare) Object.defineProperty(Error, 'prepareStackTrace', prepare);
    else delete (Error as { prepareStackTrace?: unknown }).prepareStackTrace;
  }
}

function outermost(_error: Error, frames: readonly NodeJS.CallSite[]): CallSite {
  const frame = frames[BETWEEN];
  const name = frame?.getFileName();
  if (!frame || !name) return UNKNOWN;
  return { file: name.slice(name.lastIndexOf('/') + 1), line: frame.getLineNumber() ?? 0 };
}
