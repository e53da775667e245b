import { CodedError } from '#pkg/base';

export type CronErrorCode =
  /** Not a schedule as robfig/cron reads one; the message is in its words. */
  | 'Unparseable'
  /** No zone of the time zone database has this name. */
  | 'UnknownTimeZone'
  /** A schedule that no time satisfies, such as 31 February. */
  | 'Unsatisfiable'
  /** A running Job was to be replaced and could not be deleted. */
  | 'NotReplaced';

export class CronError extends CodedError<CronErrorCode, { readonly subject: string }> {}

export function unparseable(subject: string, message: string): CronError {
  return new CronError('Unparseable', message, { subject });
}
