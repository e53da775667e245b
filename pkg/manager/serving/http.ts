import { ownValue } from '#pkg/base';
import type { X509Certificate } from 'node:crypto';

/** A request as handlers see it, whatever HTTP version it came over. */
export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names; repeated headers joined or in a list, as Node gives them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What the client showed, leaf first; not verified. Empty where it showed none. */
  readonly certificates: readonly X509Certificate[];
  readonly remoteAddress: string;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /** The whole body; throws where it is longer than a control message may be. */
  body(): Promise<string>;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export type HttpHandler = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;

export function text(code: number, body: string, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return {
    status: code,
    body,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', ...headers },
  };
}

/** As Go's `http.NotFound`. */
export const notFound: HttpAnswer = text(404, '404 page not found\n');

/** A `metav1.Status`, indented for people at a terminal or in a browser as the generic API server does it. */
export function status(
  request: HttpRequest,
  code: number,
  reason: string,
  message: string,
  details?: object,
): HttpAnswer {
  const object = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details ? { details } : {}),
    code,
  };
  const forPeople = /^(?:curl|Wget|Mozilla\/5\.0)/.test(header(request, 'user-agent') ?? '');
  const body = forPeople ? JSON.stringify(object, null, 2) : `${JSON.stringify(object)}\n`;
  return { status: code, headers: { 'content-type': 'application/json' }, body };
}

/** The first value of a header. */
export function header(request: HttpRequest, name: string): string | undefined {
  return headerValues(request, name)[0];
}

/** Every value of a header. */
export function headerValues(request: HttpRequest, name: string): string[] {
  const value = ownValue(request.headers, name.toLowerCase());
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
