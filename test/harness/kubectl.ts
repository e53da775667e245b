import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { Child } from './processes.ts';
import { assetsFolder } from './real-control-plane.ts';

export interface Answer {
  readonly code: number;
  /** Both streams, without trailing space; the one that is empty adds nothing. */
  readonly output: string;
}

/** kubectl beside the API server's binaries, or on PATH; nothing where there is none. */
export function findKubectl(): string | undefined {
  const folders = [assetsFolder(), ...(process.env['PATH'] ?? '').split(delimiter)].filter(
    (folder) => folder !== undefined,
  );
  return folders.map((folder) => join(folder, 'kubectl')).find((path) => existsSync(path));
}

/** Runs kubectl in one namespace of one cluster. */
export class Kubectl {
  readonly namespace: string;
  readonly #program: string;
  readonly #options: readonly string[];

  constructor(kubeconfig: string, namespace: string, cache: string) {
    this.namespace = namespace;
    this.#program = findKubectl()!;
    this.#options = [`--kubeconfig=${kubeconfig}`, `--namespace=${namespace}`, `--cache-dir=${cache}`];
  }

  /** Whatever it answers; `input` is what `-f -` reads. */
  try(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const child = execFile(
        this.#program,
        [...args, ...this.#options],
        { env: { ...process.env, ...env }, maxBuffer: 10_000_000, timeout: 60_000 },
        (error, stdout, stderr) => {
          if (error && typeof error.code !== 'number') reject(new Error(`kubectl ${args.join(' ')}: ${error.message}`));
          else resolve({ code: Number(error?.code ?? 0), output: `${stdout}${stderr}`.trimEnd() });
        },
      );
      child.stdin!.end(input);
    });
  }

  /** What it prints; throws where it fails. */
  async run(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { code, output } = await this.try(args, input, env);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${code}: ${output}`);
    return output;
  }

  /** What it says when it fails; throws where it does not. */
  async fail(args: readonly string[], input = '', env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { code, output } = await this.try(args, input, env);
    if (code === 0) throw new Error(`kubectl ${args.join(' ')} did not fail: ${output}`);
    return output;
  }

  /** One that goes on, such as `get -w`. */
  start(...args: string[]): Child {
    return new Child(`kubectl ${args.join(' ')}`, this.#program, [...args, ...this.#options]);
  }
}
