import type { HttpRequest } from './http.ts';

/** A request for tests: `GET /healthz` from nobody where nothing else is said. */
export function testRequest(path = '/healthz', more: Partial<HttpRequest> = {}): HttpRequest {
  const url = new URL(path, 'https://localhost');
  return {
    method: 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: [],
    certificate: undefined,
    remoteAddress: '127.0.0.1',
    signal: new AbortController().signal,
    body: () => Promise.resolve(''),
    ...more,
  };
}
