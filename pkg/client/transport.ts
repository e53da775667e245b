/**
 * Which connection a request goes over. Reads and watches share one, writes have their own, and lease renewal has a
 * third, so that no load starves it (a well-known cause of lost leadership).
 */
export type Lane = 'read' | 'write' | 'lease';

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query, from the server's root: `/api/v1/pods?limit=500`. */
  readonly path: string;
  /** Lower-case names. An `authorization` given here replaces the transport's own credentials. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly lane: Lane;
  /** Cancels the request, or the body's stream when the answer has begun: either then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Until the answer's head must be there, ms; then `timeout`. The body's stream is not bounded by it. */
  readonly timeout?: number;
  /**
   * Called right before the request goes out, after every wait (for a connection, a free stream, credentials), and again
   * if it is sent anew; what it throws rejects the round trip, and nothing is sent.
   */
  readonly beforeSend?: () => void;
}

export interface TransportResponse {
  readonly status: number;
  /** Lower-case names; a header sent more than once is joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The body as it arrives, decompressed. Leaving the loop early cancels the stream. One reader only, and always one: an
   * answer nobody reads holds its stream. Rejects with `reset` when the connection breaks before the body's end.
   */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * Carries requests to an API server. Implementations: HTTP (`pkg/transport`) and in process (the embedded server's
 * handler). A round trip rejects with a `TransportError` when no answer came; an answer of any status resolves.
 */
export interface Transport {
  /** `host:port` of the server, the `host` label of metrics; missing in process. */
  readonly host?: string;
  roundTrip(request: TransportRequest): Promise<TransportResponse>;
  /** Ends every connection; requests under way reject with `closed`. */
  close(): Promise<void>;
}
