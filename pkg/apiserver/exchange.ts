/** The user that authentication found. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: { readonly [key: string]: readonly string[] };
}

/** One request, free of sockets: HTTP and the in-process transport both make these. */
export interface ApiRequest {
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Known from a client certificate, or from whoever embeds the server; else the headers say who asks. */
  readonly user?: User;
  /** Aborted when the client is gone. */
  readonly signal?: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  /** Lower-case names. A list is a header that is sent more than once. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** All at once, or as it comes (watches). */
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/** One line a request that has been answered (for a watch: begun). */
export interface RequestRecord {
  readonly method: string;
  readonly path: string;
  readonly user: string;
  readonly userAgent: string;
  /** `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; the method for other paths. */
  readonly verb: string;
  readonly group?: string;
  /** With the subresource: `pods/status`. */
  readonly resource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly code: number;
  /** Milliseconds since the epoch, of arrival. */
  readonly time: number;
}

export type RequestLog = (record: RequestRecord) => void;
