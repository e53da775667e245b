import { ownValue } from '#pkg/base';
import { TransportError, type TransportErrorCode } from '#pkg/client';

/** Codes of node:net, node:dns and the kernel, in our words. */
const BY_CODE: Readonly<Record<string, readonly [TransportErrorCode, string]>> = {
  ECONNREFUSED: ['refused', 'connection refused'],
  ENOENT: ['refused', 'no such socket'],
  ENOTFOUND: ['dns', 'no such host'],
  EAI_AGAIN: ['dns', 'the name cannot be resolved now'],
  EAI_NODATA: ['dns', 'the name has no address'],
  EHOSTUNREACH: ['unreachable', 'no route to host'],
  ENETUNREACH: ['unreachable', 'network is unreachable'],
  EADDRNOTAVAIL: ['unreachable', 'no address to connect from'],
  EACCES: ['unreachable', 'permission denied'],
  ETIMEDOUT: ['timeout', 'connection timed out'],
  ECONNRESET: ['reset', 'connection reset by peer'],
  EPIPE: ['reset', 'connection closed by peer'],
  ECONNABORTED: ['reset', 'connection aborted'],
  ERR_STREAM_PREMATURE_CLOSE: ['reset', 'connection closed in the middle of the answer'],
  UND_ERR_SOCKET: ['reset', 'connection closed by peer'],
  UND_ERR_CONNECT_TIMEOUT: ['timeout', 'connection timed out'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['reset', 'the answer is shorter than announced'],
};

/** Anything that went wrong on a connection, as the TransportError it means; one that is one already stays as it is. */
export function connectionError(error: unknown, target: string): TransportError {
  if (error instanceof TransportError) return error;
  const code = codeOf(error);
  const [ours, text] = ownValue(BY_CODE, code) ?? byFamily(code, error);
  return new TransportError(ours, `cannot reach ${target}: ${text}`, { target }, { cause: error });
}

/** Does as {@link connectionError}, for what happens after the request went out. */
export function exchangeError(error: unknown, target: string): TransportError {
  if (error instanceof TransportError) return error;
  const code = codeOf(error);
  const [ours, text] = ownValue(BY_CODE, code) ?? byFamily(code, error);
  return new TransportError(ours, `${target}: ${text}`, { target }, { cause: error });
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { code } = error as { code?: unknown };
  if (typeof code === 'string') return code;
  // undici means to give it a code of llhttp's, and looks it up the wrong way round.
  if (error instanceof Error && error.name === 'HTTPParserError') return 'HPE_';
  // Several addresses were tried; the first failure speaks for all.
  return error instanceof AggregateError ? codeOf(error.errors[0]) : '';
}

function byFamily(code: string, error: unknown): readonly [TransportErrorCode, string] {
  const message = error instanceof Error ? error.message : String(error);
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return ['tls', describeAlert(code, message)];
  if (code.startsWith('ERR_TLS_') || code.startsWith('ERR_OSSL_')) return ['tls', oneLine(message)];
  if (code.startsWith('HPE_') || code.startsWith('UND_ERR_')) {
    return ['protocol', `not a proper HTTP answer (${oneLine(message)})`];
  }
  return ['reset', oneLine(message)];
}

/** TLS alerts come as OpenSSL's error queue; what the other side complained of is in the code's tail. */
function describeAlert(code: string, message: string): string {
  const alert = /ALERT_([A-Z_]+)$/.exec(code)?.[1] ?? /alert ([a-z ]+)/.exec(message)?.[1];
  if (alert !== undefined) return `the server ended the TLS handshake: ${alert.toLowerCase().replaceAll('_', ' ')}`;
  if (/wrong.version.number|packet.length|HTTP_REQUEST/i.test(`${code} ${message}`))
    return 'the server does not speak TLS on this port';
  return `TLS failed (${oneLine(message)})`;
}

function oneLine(text: string): string {
  return text
    .trim()
    .replaceAll(/\s*\n\s*/g, ' ')
    .slice(0, 300);
}
