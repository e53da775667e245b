import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

/** One request as the API server recorded it. */
export interface RecordedRequest {
  readonly user: string;
  readonly userAgent: string;
  readonly verb: string;
  /** `pods`, `deployments/status`; `none` for what is no resource. */
  readonly resource: string;
  readonly code: number;
  /** Of arrival, ms since the epoch. */
  readonly time: number;
}

interface AuditEvent {
  readonly stage: string;
  readonly user: { readonly username: string };
  readonly userAgent?: string;
  readonly verb: string;
  readonly objectRef?: { readonly resource: string; readonly subresource?: string };
  readonly responseStatus?: { readonly code: number };
  readonly requestReceivedTimestamp: string;
}

/** An audit log (audit.k8s.io/v1, level Metadata) that a server is writing. Watches count once, when they begin or are refused. */
export class AuditLog {
  readonly path: string;
  readonly #records: RecordedRequest[] = [];
  #read = 0;

  constructor(path: string) {
    this.path = path;
  }

  /** All requests so far, in the order in which they were answered. */
  records(): readonly RecordedRequest[] {
    if (!existsSync(this.path)) return this.#records;
    const file = openSync(this.path, 'r');
    try {
      const rest = Buffer.alloc(fstatSync(file).size - this.#read);
      const whole = rest.subarray(0, readSync(file, rest, 0, rest.length, this.#read)).lastIndexOf('\n') + 1;
      this.#read += whole;
      for (const line of rest.toString('utf8', 0, whole).split('\n')) this.#note(line);
    } finally {
      closeSync(file);
    }
    return this.#records;
  }

  #note(line: string): void {
    // A server that was killed leaves a line half written, and the next one goes on behind it.
    const start = line.lastIndexOf('{"kind":"Event"');
    if (start < 0 || !line.endsWith('}')) return;
    const event = JSON.parse(line.slice(start)) as AuditEvent;
    const { user, userAgent = '', verb, objectRef, responseStatus, requestReceivedTimestamp } = event;
    const code = responseStatus?.code ?? 0;
    const longRunning = verb === 'watch' && code < 400;
    if (event.stage !== (longRunning ? 'ResponseStarted' : 'ResponseComplete')) return;
    const { resource = 'none', subresource } = objectRef ?? {};
    const time = Date.parse(requestReceivedTimestamp);
    this.#records.push({
      user: user.username,
      userAgent,
      verb,
      resource: subresource ? `${resource}/${subresource}` : resource,
      code,
      time,
    });
  }
}
