import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** A child whose output is kept, and which does not outlive the test. */
export class Child {
  readonly name: string;
  readonly process: ChildProcess;
  #output = '';
  readonly #waiting = new Set<() => void>();
  readonly #exited: Promise<number | NodeJS.Signals>;

  constructor(name: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.name = name;
    this.process = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    for (const stream of [this.process.stdout!, this.process.stderr!]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        this.#output += chunk;
        for (const wake of this.#waiting) wake();
      });
    }
    this.#exited = once(this.process, 'exit').then(([code, signal]: (number | NodeJS.Signals)[]) => {
      for (const wake of this.#waiting) wake();
      return code ?? signal!;
    });
  }

  /** Everything it printed, both streams. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Resolves when the output matches; rejects with the output's end when the child ends or `timeout` ms pass before. */
  async prints(pattern: RegExp, timeout = 30_000): Promise<void> {
    await this.until(() => pattern.test(this.#output), `print ${pattern}`, timeout);
  }

  async until(done: () => boolean, what: string, timeout: number): Promise<void> {
    if (done()) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (why: string): void =>
      reject(new Error(`${this.name} did not ${what}: ${why}\n${this.#output.slice(-3000)}`));
    const timer = setTimeout(() => fail(`${timeout} ms passed`), timeout);
    const wake = (): void => {
      if (done()) resolve();
      else if (!this.running) fail(`it ended with ${this.process.exitCode ?? this.process.signalCode}`);
    };
    this.#waiting.add(wake);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(wake);
    }
  }

  /** Sends a signal and resolves with the exit code or the signal that ended it; SIGKILL after `grace` ms. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', grace = 15_000): Promise<number | NodeJS.Signals> {
    if (this.running) this.process.kill(signal);
    const timer = setTimeout(() => this.process.kill('SIGKILL'), grace);
    try {
      return await this.#exited;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A TCP port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
