import { ownValue, setOwnValue } from '#pkg/base';
import type { Header } from './header-decoder.ts';

export interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body, where the peer has said how many. */
  readonly length: number | undefined;
}

const STATUS = /^[1-9]\d\d$/;
const COLON = 0x3a;

/** The head that a block of headers stands for; or what is wrong with it (RFC 9113, 8.2 and 8.3). */
export function responseHead(received: readonly Header[]): ResponseHead | string {
  const headers: Record<string, string> = {};
  const [first] = received;
  if (first?.[0] !== ':status' || !STATUS.test(first[1])) return 'no status';
  for (let i = 1; i < received.length; i++) {
    const [name, value, flaw] = received[i]!;
    if (flaw !== undefined) return flaw;
    if (name.charCodeAt(0) === COLON) return `${name} among the headers`;
    // Some names mean something to any object.
    const before: unknown = ownValue(headers, name);
    setOwnValue(headers, name, typeof before === 'string' ? `${before}, ${value}` : value);
  }
  const status = Number(first[1]);
  return { status, headers, length: lengthOf(status, headers['content-length']) };
}

function lengthOf(status: number, announced: string | undefined): number | undefined {
  // These have no body; a length says what it would be.
  if (status === 204 || status === 304) return 0;
  // What is no number, as of two lengths, announces nothing: where the body ends is said by frames.
  return announced !== undefined && /^\d{1,15}$/.test(announced) ? Number(announced) : undefined;
}
