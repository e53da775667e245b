/** What a JSON text says beyond its value: keys given twice, and where it is broken in Go's words. */
export interface Scan {
  /** Paths of duplicate fields: `spec.template.spec.containers[0].name`. */
  readonly duplicates: ReadonlySet<string>;
  readonly error?: string;
}

class Broken extends Error {}

/**
 * Reads over a JSON text once. JSON.parse drops the first of two equal keys without a word and has messages of its own,
 * and clients compare those of Go.
 */
export function scanJson(text: string): Scan {
  const scanner = new Scanner(text);
  try {
    scanner.value('', 'looking for beginning of value');
    scanner.end();
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { duplicates: scanner.duplicates, error: error.message };
  }
  return { duplicates: scanner.duplicates };
}

class Scanner {
  readonly duplicates = new Set<string>();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  value(path: string, context: string): void {
    this.#space();
    const char = this.#text[this.#at];
    if (char === '{') this.#object(path);
    else if (char === '[') this.#list(path);
    else if (char === '"') this.#string();
    else if (char === 't') this.#literal('true');
    else if (char === 'f') this.#literal('false');
    else if (char === 'n') this.#literal('null');
    else if (char !== undefined && /[-0-9]/.test(char)) this.#number();
    else this.#broken(context);
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) this.#broken('after top-level value');
  }

  #object(path: string): void {
    this.#at++;
    this.#space();
    if (this.#take('}')) return;
    const seen = new Set<string>();
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#broken('looking for beginning of object key string');
      const start = this.#at;
      this.#string();
      const key = this.#text.slice(start + 1, this.#at - 1);
      const child = path === '' ? key : `${path}.${key}`;
      if (seen.has(key)) this.duplicates.add(child);
      seen.add(key);
      this.#space();
      if (!this.#take(':')) this.#broken('after object key');
      this.value(child, 'looking for beginning of value');
      this.#space();
      if (this.#take('}')) return;
      if (!this.#take(',')) this.#broken('after object key:value pair');
    }
  }

  #list(path: string): void {
    this.#at++;
    this.#space();
    if (this.#take(']')) return;
    for (let index = 0; ; index++) {
      this.value(`${path}[${index}]`, 'looking for beginning of value');
      this.#space();
      if (this.#take(']')) return;
      if (!this.#take(',')) this.#broken('after array element');
    }
  }

  #string(): void {
    for (this.#at++; ; this.#at++) {
      const char = this.#text[this.#at];
      if (char === '"') break;
      if (char === '\\') {
        this.#at++;
        const escape = this.#text[this.#at];
        if (escape === undefined || !'"\\/bfnrtu'.includes(escape)) this.#broken('in string escape code');
      } else if (char === undefined || char < ' ') this.#broken('in string literal');
    }
    this.#at++;
  }

  #literal(word: string): void {
    for (const [index, char] of Array.from(word).entries()) {
      if (this.#text[this.#at] !== char)
        this.#broken(index === 0 ? 'looking for beginning of value' : `in literal ${word} (expecting '${char}')`);
      this.#at++;
    }
  }

  #number(): void {
    const form = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
    form.lastIndex = this.#at;
    if (!form.test(this.#text)) {
      this.#at++;
      this.#broken('in numeric literal');
    }
    this.#at = form.lastIndex;
  }

  #space(): void {
    while (' \t\n\r'.includes(this.#text[this.#at] ?? 'x')) this.#at++;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at++;
    return true;
  }

  #broken(context: string): never {
    const char = this.#text[this.#at];
    throw new Broken(char === undefined ? 'unexpected end of JSON input' : `invalid character '${char}' ${context}`);
  }
}
