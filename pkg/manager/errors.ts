import { CodedError } from '#pkg/base';

export type ManagerErrorCode =
  /** A word of the command line could not be read; the message names the flag. */
  | 'BadFlag'
  /** Flags that can be read but not obeyed; the message names all of them. */
  | 'BadOptions'
  /** Two controllers, aliases or flags of one name. */
  | 'BadRegistry'
  /** A certificate, key or configuration file that cannot be read or written; the message names flag and path. */
  | 'BadFile'
  /** The port cannot be listened on. */
  | 'CannotListen'
  /** The lease went to somebody else, or could not be renewed in time. */
  | 'LeaseLost'
  /** Another manager began to run what runs here; see `--run-beside-other-manager`. */
  | 'OtherManager'
  /** Controllers were still running when `--controller-shutdown-timeout` ended. */
  | 'ShutdownTimeout';

export class ManagerError extends CodedError<ManagerErrorCode> {}

/** Joins messages as apimachinery prints several errors: one alone, more in brackets, none twice. */
export function joinMessages(messages: readonly string[]): string {
  const unique = [...new Set(messages)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`;
}
