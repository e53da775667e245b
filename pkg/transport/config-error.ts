import { CodedError } from '#pkg/base';

/**
 * - `unreadable`: a file is not there or not ours to read
 * - `invalid`: a value is missing, contradicts another, or is not what it should be
 * - `missing`: there is no configuration at all
 */
export type ConfigErrorCode = 'unreadable' | 'invalid' | 'missing';

/** The configuration for reaching the API server cannot be used; the message names file and field. */
export class ConfigError extends CodedError<ConfigErrorCode> {
  constructor(code: ConfigErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, {}, options);
  }
}
