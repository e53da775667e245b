import type { Status } from '#pkg/api';
import type { Transport, TransportRequest, TransportResponse } from '#pkg/client';

type Body = AsyncIterable<Uint8Array>;

/**
 * A transport in front of another that answers in the server's place or garbles what it says, for as long as it is told
 * to, and keeps count. Faults of the connection itself are the TcpProxy's.
 */
export class FaultyTransport implements Transport {
  readonly requests: TransportRequest[] = [];
  /** Answers instead of the server; undefined lets the request through. */
  answer: (request: TransportRequest) => TransportResponse | undefined = () => undefined;
  /** Changes the body of an answer on its way. */
  garble: (request: TransportRequest, body: Body) => Body = (_, body) => body;
  readonly #inner: Transport;

  constructor(inner: Transport) {
    this.#inner = inner;
  }

  get host(): string {
    return this.#inner.host ?? 'none';
  }

  async roundTrip(request: TransportRequest): Promise<TransportResponse> {
    this.requests.push(request);
    const answer = this.answer(request);
    if (answer !== undefined) return answer;
    const response = await this.#inner.roundTrip(request);
    return { ...response, body: this.garble(request, response.body) };
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  heal(): void {
    this.answer = () => undefined;
    this.garble = (_, body) => body;
  }
}

/** An API server's refusal as a transport carries it. */
export function refusing(
  code: number,
  reason: string,
  headers: Readonly<Record<string, string>> = {},
): TransportResponse {
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code,
    reason,
    message: `fault injected: ${reason}`,
  };
  return {
    status: code,
    headers: { 'content-type': 'application/json', ...headers },
    body: once(JSON.stringify(status)),
  };
}

async function* once(text: string): Body {
  yield Buffer.from(text);
}

/** Ends a body in good order after `bytes`. */
export async function* truncated(body: Body, bytes: number): Body {
  let left = bytes;
  for await (const chunk of body) {
    yield chunk.subarray(0, left);
    left -= chunk.length;
    if (left <= 0) return;
  }
}

/** Turns one byte in so many into one that JSON has no place for: what still parsed would be another object, not garbage. */
export async function* corrupted(body: Body, every: number): Body {
  let at = 0;
  for await (const chunk of body) {
    const copy = Uint8Array.from(chunk);
    for (let i = every - 1 - (at % every); i < copy.length; i += every) copy[i] = 0x01;
    at += chunk.length;
    yield copy;
  }
}

/**
 * Repeats and displaces the lines that arrive together. `random` decides; a line moves past at most two others, so that
 * the events of one object may trade places.
 */
export async function* shuffledLines(body: Body, random: () => number): Body {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    const disturbed = lines.flatMap((line) => (random() < 0.3 ? [line, line] : [line]));
    for (let i = disturbed.length - 1; i > 0; i--) {
      const j = Math.max(0, i - Math.floor(random() * 3));
      [disturbed[i], disturbed[j]] = [disturbed[j]!, disturbed[i]!];
    }
    if (disturbed.length > 0) yield Buffer.from(`${disturbed.join('\n')}\n`);
  }
}
