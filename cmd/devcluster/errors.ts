import { CodedError } from '#pkg/base';

export type DevclusterErrorCode = 'BadOption' | 'ManagerEnded' | 'TimedOut' | 'Refused' | 'Interrupted';

/** What ends the program with a message instead of a stack. */
export class DevclusterError extends CodedError<DevclusterErrorCode, { readonly hint?: string }> {
  constructor(code: DevclusterErrorCode, message: string, hint?: string, options?: ErrorOptions) {
    super(code, message, hint === undefined ? {} : { hint }, options);
  }
}
