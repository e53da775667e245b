import { CodedError } from '#pkg/base';

/**
 * Why no usable answer came.
 * - `refused`: nobody listens there; `unreachable`: no route; `dns`: the name has no address
 * - `tls`: the two do not trust each other, or do not speak TLS; `proxy`: the proxy did not let us through
 * - `credentials`: a plugin, a token file or a certificate could not be had
 * - `timeout`: the deadline passed; `reset`: the connection broke while the request was under way
 * - `protocol`: the answer breaks HTTP; `garbled`: the body is not the JSON it should be, or ends in the middle
 * - `closed`: this transport was closed
 */
export type TransportErrorCode =
  | 'refused'
  | 'unreachable'
  | 'dns'
  | 'tls'
  | 'proxy'
  | 'credentials'
  | 'timeout'
  | 'reset'
  | 'protocol'
  | 'garbled'
  | 'closed';

export interface TransportErrorData {
  /** `https://10.0.0.1:6443`, or the request: `GET /api/v1/pods`. */
  readonly target?: string;
}

/** The API server gave no usable answer. Whether it carried out the request is unknown unless the code says it cannot have. */
export class TransportError extends CodedError<TransportErrorCode, TransportErrorData> {
  constructor(code: TransportErrorCode, message: string, data: TransportErrorData = {}, options?: ErrorOptions) {
    super(code, message, data, options);
  }
}

export function isTransportError(error: unknown, ...codes: TransportErrorCode[]): error is TransportError {
  return error instanceof TransportError && (codes.length === 0 || codes.includes(error.code));
}
