import type { Logger } from '#pkg/log';

/** The texts of the `Warning: 299 - "text"` values of a header (RFC 7234 §5.5); other codes are not for us. */
export function parseWarnings(header: string): string[] {
  const texts: string[] = [];
  const value = /(\d{3}) (\S+) "((?:[^"\\]|\\.)*)"(?: "[^"]*")?\s*(?:,|$)/gy;
  for (;;) {
    while (header[value.lastIndex] === ' ' || header[value.lastIndex] === ',') value.lastIndex++;
    const match = value.exec(header);
    if (match === null) return texts;
    const text = match[3]!.replaceAll(/\\(.)/g, '$1');
    if (match[1] === '299' && text !== '') texts.push(text);
  }
}

/** Enough for every deprecation there is; beyond it, texts carry names and would fill memory. */
const REMEMBERED = 1000;

/** Logs each warning of the API server once per text. */
export class WarningLog {
  readonly #log: Logger;
  readonly #seen = new Set<string>();

  constructor(log: Logger) {
    this.#log = log;
  }

  note(header: string | undefined): void {
    if (header === undefined) return;
    for (const text of parseWarnings(header)) {
      if (this.#seen.has(text)) continue;
      if (this.#seen.size >= REMEMBERED) this.#seen.clear();
      this.#seen.add(text);
      this.#log.warning('The API server warns', { warning: text });
    }
  }
}
