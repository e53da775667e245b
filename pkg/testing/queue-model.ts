/**
 * A work queue as one would write it without caring for speed: plain lists, searched from end to end. Real queues are
 * compared with it step by step.
 */
export class QueueModel {
  /** What each `get` was answered with, in the order of the gets; missing where it still waits. */
  readonly answers: (string | undefined)[] = [];
  waiting: string[] = [];
  processing: string[] = [];
  /** Added while being processed. */
  again: string[] = [];
  delayed: { key: string; at: number; order: number }[] = [];
  getters: number[] = [];
  shuttingDown = false;
  draining = false;
  drained = false;
  now = 0;
  #gets = 0;
  #order = 0;

  add(key: string): void {
    if (this.shuttingDown || this.waiting.includes(key) || this.again.includes(key)) return;
    if (this.processing.includes(key)) this.again.push(key);
    else this.#enqueue(key);
  }

  addAfter(key: string, delay: number): void {
    if (this.shuttingDown) return;
    if (delay <= 0) {
      this.add(key);
      return;
    }
    const at = this.now + delay;
    const known = this.delayed.find((entry) => entry.key === key);
    if (known === undefined) this.delayed.push({ key, at, order: this.#order++ });
    else known.at = Math.min(known.at, at);
  }

  get(): void {
    const get = this.#gets++;
    if (this.waiting.length > 0) this.#handOut(get, this.waiting.shift()!);
    else if (this.shuttingDown) this.answers[get] = undefined;
    else this.getters.push(get);
  }

  done(key: string): void {
    if (!this.processing.includes(key)) return;
    this.processing = this.processing.filter((other) => other !== key);
    if (this.again.includes(key)) {
      this.again = this.again.filter((other) => other !== key);
      this.#enqueue(key);
    }
    if (this.draining && this.processing.length === 0) this.drained = true;
  }

  shutDown(drain: boolean): void {
    this.shuttingDown = true;
    this.delayed = [];
    for (const get of this.getters.splice(0)) this.answers[get] = undefined;
    if (!drain) this.drained ||= this.draining;
    else this.draining = true;
    if (drain && this.processing.length === 0) this.drained = true;
  }

  step(milliseconds: number): void {
    this.now += milliseconds;
    const due = this.delayed.filter((entry) => entry.at <= this.now).toSorted((a, b) => a.at - b.at);
    this.delayed = this.delayed.filter((entry) => entry.at > this.now);
    for (const { key } of due) this.add(key);
  }

  #enqueue(key: string): void {
    const get = this.getters.shift();
    if (get === undefined) this.waiting.push(key);
    else this.#handOut(get, key);
  }

  #handOut(get: number, key: string): void {
    this.processing.push(key);
    this.answers[get] = key;
  }
}
