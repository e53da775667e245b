import type { ApiResponse, User } from '../exchange.ts';
import type { Handler } from '../handler/handler.ts';

/** What `pkg/client` calls a transport; the same by shape, since this package does not know that one. */
export interface InProcessRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  readonly beforeSend?: () => void;
}

export interface InProcessResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface InProcessTransport {
  roundTrip(request: InProcessRequest): Promise<InProcessResponse>;
  close(): Promise<void>;
}

/** Carries requests to the handler without a socket. Answers come as they would over HTTP, uncompressed. */
export function inProcessTransport(handler: Handler, user: User): InProcessTransport {
  const closed = new AbortController();
  return {
    async roundTrip(request) {
      const signal = request.signal === undefined ? closed.signal : AbortSignal.any([closed.signal, request.signal]);
      signal.throwIfAborted();
      const { 'accept-encoding': _, ...headers } = request.headers;
      request.beforeSend?.();
      const bearer = headers['authorization'] !== undefined;
      const response = await handler({ ...request, headers, signal, ...(bearer ? {} : { user }) });
      signal.throwIfAborted();
      return { status: response.status, headers: flat(response), body: bodyOf(response, signal) };
    },
    close: async () => closed.abort(new Error('the transport is closed')),
  };
}

function flat(response: ApiResponse): Record<string, string> {
  return Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : value.join(', '),
    ]),
  );
}

async function* bodyOf(response: ApiResponse, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (response.body instanceof Uint8Array) {
    yield response.body;
    return;
  }
  for await (const chunk of response.body) yield chunk;
  // A watch that ended because its client left did not end well.
  signal.throwIfAborted();
}
