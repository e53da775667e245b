/** Bytes that one reader may leave lying before it is cut off: it can resume, the server cannot wait for it. */
const MOST_PENDING = 64 * 1024 * 1024;
/** Most bytes handed over in one piece. */
const CHUNK = 256 * 1024;

/**
 * The body of a watch: lines pushed in, chunks read out. What has gathered since the last read goes out as one chunk.
 */
export class WatchStream implements AsyncIterable<Uint8Array> {
  #pending: Buffer[] = [];
  #bytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;
  readonly #onEnd: (() => void)[] = [];

  push(line: Buffer): void {
    if (this.#ended) return;
    this.#pending.push(line);
    this.#bytes += line.length;
    if (this.#bytes > MOST_PENDING) {
      this.#pending = [];
      this.end();
    }
    this.#wake?.();
  }

  /** No more lines; what is pending is still read. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const callback of this.#onEnd) callback();
    this.#wake?.();
  }

  /** Called once, when the stream ends or its reader leaves. */
  onEnd(callback: () => void): void {
    if (this.#ended) callback();
    else this.#onEnd.push(callback);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const chunk = this.#take();
        if (chunk !== undefined) yield chunk;
        else if (this.#ended) return;
        else await this.#more();
      }
    } finally {
      this.#pending = [];
      this.end();
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }

  #take(): Buffer | undefined {
    if (this.#pending.length === 0) return undefined;
    let count = 0;
    let size = 0;
    while (count < this.#pending.length && (count === 0 || size + this.#pending[count]!.length <= CHUNK)) {
      size += this.#pending[count]!.length;
      count++;
    }
    const lines = this.#pending.splice(0, count);
    this.#bytes -= size;
    return lines.length === 1 ? lines[0] : Buffer.concat(lines, size);
  }
}
