import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { DevclusterError } from './errors.ts';

const MAIN = resolve(import.meta.dirname, '../kube-controller-manager/main.ts');
/** How long a manager may take to stop before it is killed. */
const PATIENCE = 8000;

export interface ManagerOptions {
  readonly name: string;
  readonly kubeconfig: string;
  readonly dataDir: string;
  readonly controllers?: string;
  readonly verbosity: number;
}

/** A controller manager in a process of its own, whose output goes to a file. */
export class ManagerProcess {
  readonly name: string;
  readonly logFile: string;
  readonly #child: ChildProcess;
  readonly #port: number;
  readonly #ended: Promise<string>;
  #expected = false;

  private constructor(name: string, logFile: string, child: ChildProcess, port: number) {
    this.name = name;
    this.logFile = logFile;
    this.#child = child;
    this.#port = port;
    this.#ended = new Promise((done) => {
      child.once('error', (error) => done(error.message));
      child.once('exit', (code, signal) => done(signal === null ? `exit code ${code}` : `signal ${signal}`));
    });
  }

  static async start(options: ManagerOptions): Promise<ManagerProcess> {
    if (!existsSync(MAIN))
      throw new DevclusterError('ManagerEnded', `there is no ${MAIN}`, '--no-manager runs without it');
    const port = await freePort();
    const logFile = join(options.dataDir, `${options.name}.log`);
    const output = openSync(logFile, 'w', 0o600);
    // The manager's own user may little more than elect a leader and ask for tokens; each controller has an account of its own.
    // Who asks it for its metrics is judged by the API server.
    const judges = ['--authentication-kubeconfig', '--authorization-kubeconfig'].map(
      (flag) => `${flag}=${options.kubeconfig}`,
    );
    const flags = [
      `--kubeconfig=${options.kubeconfig}`,
      ...judges,
      `--secure-port=${port}`,
      '--bind-address=127.0.0.1',
      '--use-service-account-credentials=true',
      `-v=${options.verbosity}`,
    ];
    if (options.controllers !== undefined) flags.push(`--controllers=${options.controllers}`);
    // A group of its own: Ctrl-C reaches this program alone, which then ends the manager in order.
    const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['ignore', output, output], detached: true });
    closeSync(output);
    return new ManagerProcess(options.name, logFile, child, port);
  }

  /** Where it serves. */
  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Rejects when the process ends without having been told to. Never resolves otherwise. */
  async failure(): Promise<never> {
    const how = await this.#ended;
    if (this.#expected) return new Promise(() => {});
    throw new DevclusterError(
      'ManagerEnded',
      `${this.name} ended by itself (${how})`,
      `its last words, from ${this.logFile}:\n${this.lastLines()}`,
    );
  }

  lastLines(count = 15): string {
    const lines = readFileSync(this.logFile, 'utf8').trimEnd().split('\n');
    return lines
      .slice(-count)
      .map((line) => `  ${line}`)
      .join('\n');
  }

  /** Whether /healthz answers 200. */
  async isHealthy(): Promise<boolean> {
    return (await this.get('/healthz'))?.status === 200;
  }

  /** What it answers to somebody with this certificate and key, or to nobody in particular; undefined where it does not. */
  get(path: string, pem?: string): Promise<{ readonly status: number; readonly text: string } | undefined> {
    return new Promise((done) => {
      const who = pem === undefined ? {} : { cert: pem, key: pem };
      const asked = request(
        `${this.url}${path}`,
        { rejectUnauthorized: false, timeout: 1000, agent: false, ...who },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          answer.once('error', () => done(undefined)).once('end', () => done({ status: answer.statusCode ?? 0, text }));
        },
      );
      asked.once('timeout', () => asked.destroy());
      asked.once('error', () => done(undefined));
      asked.end();
    });
  }

  /** As a crash would: no farewell, the lease stays held. */
  kill(): void {
    this.#expected = true;
    this.#child.kill('SIGKILL');
  }

  /** Resolves when the process is gone. */
  async stop(): Promise<void> {
    this.#expected = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE);
    await this.#ended;
    clearTimeout(killer);
  }
}

function freePort(): Promise<number> {
  return new Promise((done, fail) => {
    const server = createServer();
    server.once('error', fail);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}
