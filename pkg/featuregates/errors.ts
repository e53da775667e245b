import { CodedError } from '#pkg/base';

export type FeatureGateErrorCode =
  /** Not a version. */
  | 'BadVersion'
  /** Gates that are not known, locked, not there yet, or that lack another gate; the message names all of them. */
  | 'BadGates'
  /** Code asked for a gate that is in no table. */
  | 'UnknownGate';

export class FeatureGateError extends CodedError<FeatureGateErrorCode> {}
