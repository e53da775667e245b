import { CodedError } from '#pkg/base';
import type { Status } from './types.ts';

/** The reasons of `metav1.StatusReason` that code decides by, and `Unknown` for any other. */
export type StatusReason =
  | 'AlreadyExists'
  | 'BadRequest'
  | 'Conflict'
  | 'Expired'
  | 'Forbidden'
  | 'Gone'
  | 'InternalError'
  | 'Invalid'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'NotFound'
  | 'RequestEntityTooLarge'
  | 'ServerTimeout'
  | 'ServiceUnavailable'
  | 'Timeout'
  | 'TooManyRequests'
  | 'Unauthorized'
  | 'UnsupportedMediaType'
  | 'Unknown';

const BY_CODE: Readonly<Record<number, StatusReason>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Gone',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};
const KNOWN = new Set<string>([...Object.values(BY_CODE), 'AlreadyExists', 'Expired', 'ServerTimeout']);

export interface ApiErrorData {
  /** HTTP status. */
  readonly status: number;
  /** What the server said, whole; synthesised from the HTTP status where the body was not a Status. */
  readonly body: Status;
  /** From the Retry-After header or the Status, ms. */
  readonly retryAfter?: number;
}

/** The API server answered, and refused. `code` is the Kubernetes reason. */
export class ApiError extends CodedError<StatusReason, ApiErrorData> {
  constructor(status: Status, httpStatus = status.code ?? 500, retryAfter?: number) {
    const fromDetails = status.details?.retryAfterSeconds;
    const wait = retryAfter ?? (fromDetails ? fromDetails * 1000 : undefined);
    super(reasonOf(status, httpStatus), status.message ?? `the server answered ${httpStatus}`, {
      status: httpStatus,
      body: status,
      ...(wait === undefined ? {} : { retryAfter: wait }),
    });
  }
}

function reasonOf(status: Status, httpStatus: number): StatusReason {
  if (status.reason !== undefined && KNOWN.has(status.reason)) return status.reason as StatusReason;
  return BY_CODE[httpStatus] ?? 'Unknown';
}

/** Whether `error` is the API server's answer with one of these reasons. */
export function isApiError(error: unknown, ...reasons: StatusReason[]): error is ApiError {
  return error instanceof ApiError && (reasons.length === 0 || reasons.includes(error.code));
}

export const isNotFound = (error: unknown): boolean => isApiError(error, 'NotFound');
export const isConflict = (error: unknown): boolean => isApiError(error, 'Conflict');
export const isAlreadyExists = (error: unknown): boolean => isApiError(error, 'AlreadyExists');
/** The resource version asked for is too old: list again. */
export const isExpired = (error: unknown): boolean => isApiError(error, 'Expired', 'Gone');
/** The namespace is going away: creating in it is pointless (`HasStatusCause NamespaceTerminating`). */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    isApiError(error, 'Forbidden') &&
    (error.data.body.details?.causes ?? []).some((cause) => cause.reason === 'NamespaceTerminating')
  );
}
