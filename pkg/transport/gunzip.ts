import { Readable } from 'node:stream';

import { TransportError, type TransportResponse } from '#pkg/client';

/** The answer with its body inflated, if it came compressed. */
export function gunzipped(response: TransportResponse): TransportResponse {
  if (response.headers['content-encoding'] !== 'gzip') return response;
  const headers = Object.fromEntries(
    Object.entries(response.headers).filter(([name]) => name !== 'content-encoding' && name !== 'content-length'),
  );
  return { status: response.status, headers, body: inflate(response.body) };
}

async function* inflate(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  // Takes 3 ms to load, and is hardly ever asked for.
  const { createGunzip } = await import('node:zlib');
  const source = Readable.from(body, { objectMode: false });
  const inflater = createGunzip();
  source.on('error', (error) => inflater.destroy(error));
  source.pipe(inflater);
  try {
    for await (const chunk of inflater) yield chunk as Buffer;
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause) || !String(cause.code).startsWith('Z_')) throw cause;
    throw new TransportError('garbled', 'the compressed answer is damaged or ends in the middle', {}, { cause });
  } finally {
    source.destroy();
    inflater.destroy();
  }
}
