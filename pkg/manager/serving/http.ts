import type { X509Certificate } from 'node:crypto';

/** A client's certificate, with what the handshake found. */
export interface ClientCertificate {
  /** What the client showed, leaf first. */
  readonly chain: readonly X509Certificate[];
  /** Why the chain is not valid for a client under any authority the server knew then; undefined where it is. */
  readonly problem: string | undefined;
}

/** A request as handlers see it, whatever HTTP version it came over. */
export interface HttpRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** One entry for each header line: its name in lower case, its value as UTF-8. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The certificate the client showed in the handshake; undefined where it showed none. */
  readonly certificate: ClientCertificate | undefined;
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

/** Answers as Go's `http.NotFound` does. */
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

/** Every value of a header, in the order of its lines. Nothing is split at commas. */
export function headerValues({ headers }: HttpRequest, name: string): string[] {
  const wanted = name.toLowerCase();
  return headers.filter(([present]) => present === wanted).map(([, value]) => value);
}
