import { Readable } from 'node:stream';

import { TransportError, type TransportResponse } from '#pkg/client';

/** How many bytes may come of one compressed byte, once an answer is larger than {@link FREE}: lists come to some 50. */
const LARGEST_RATIO = 200;
const FREE = 32 * 1024 * 1024;

/**
 * The answer with its body inflated, if it came compressed. Throws a TransportError where compression was not asked for;
 * the body ends with one where it inflates beyond all measure.
 */
export function gunzipped(response: TransportResponse, asked: boolean): TransportResponse {
  const encoding = response.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return response;
  if (!asked || encoding !== 'gzip')
    throw new TransportError('garbled', 'the answer is compressed in a way that was not asked for', {});
  const headers = Object.fromEntries(
    Object.entries(response.headers).filter(([name]) => name !== 'content-encoding' && name !== 'content-length'),
  );
  return { status: response.status, headers, body: inflate(response.body) };
}

async function* inflate(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  // Takes 3 ms to load, and is hardly ever asked for.
  const { createGunzip } = await import('node:zlib');
  let received = 0;
  async function* counted(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of body) {
      received += chunk.length;
      yield chunk;
    }
  }
  const source = Readable.from(counted(), { objectMode: false });
  const inflater = createGunzip();
  source.on('error', (error) => inflater.destroy(error));
  source.pipe(inflater);
  try {
    let inflated = 0;
    for await (const chunk of inflater) {
      inflated += (chunk as Buffer).length;
      if (inflated > FREE && inflated > received * LARGEST_RATIO)
        throw new TransportError('garbled', 'the compressed answer inflates beyond all measure', {});
      yield chunk as Buffer;
    }
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause) || !String(cause.code).startsWith('Z_')) throw cause;
    throw new TransportError('garbled', 'the compressed answer is damaged or ends in the middle', {}, { cause });
  } finally {
    source.destroy();
    inflater.destroy();
  }
}
