import { readFileSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';

import { NODE_ENVIRONMENT } from '../../../cmd/kube-controller-manager/node-flags.ts';
import { controllerDefinitions } from '../../../controllers/registry.ts';
import { Child } from '../../harness/processes.ts';
import { cpuOf, ownMemory, peakMemory } from '../process-cost.ts';

/** It would take the Pods, whose node nobody has created. */
const LEFT_OUT = 'pod-garbage-collector-controller';
const CONTROLLERS =
  process.env['CONTROLLERS'] ??
  controllerDefinitions
    .map(({ name }) => name)
    .filter((name) => name !== LEFT_OUT)
    .join(',');

/** Of both managers alike: what is compared is the same work. */
const FLAGS: readonly string[] = [
  `--controllers=${CONTROLLERS}`,
  '--use-service-account-credentials',
  '--secure-port=0',
  '--kube-api-qps=500',
  '--kube-api-burst=1000',
  // A machine that is busy with a hundred other things must not take the lead from the one that is measured.
  '--leader-elect-lease-duration=180s',
  '--leader-elect-renew-deadline=120s',
];

// As text in the environment, so that nothing but it is loaded, and no types have to be stripped in the measured process.
const WATCH_PAUSES = stripTypeScriptTypes(readFileSync(join(import.meta.dirname, 'watch-pauses.ts'), 'utf8'));
const PRELOAD = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(WATCH_PAUSES)}` };
/** Between two looks at the memory, ms. */
const SAMPLE = 200;
const PAUSE = /longest pause: ([\d.]+) ms/g;

export interface Cost {
  /** User and system seconds. */
  readonly cpu: number;
  /** Largest resident set, MiB. */
  readonly memory: number;
  /** The most of it that was seen to be no file's, MiB. */
  readonly own: number;
  /** Longest time for which the event loop was held, ms; where it was watched. */
  readonly pause?: number;
}

/** A controller manager under measurement. */
export class Manager {
  readonly #child: Child;
  readonly #watched: boolean;
  #cpu = 0;
  #pauses = 0;
  #own = 0;
  readonly #sampling: NodeJS.Timeout;

  /** `watched`: it is a program of Node, of which the event loop is watched, which costs CPU. */
  constructor(name: string, [program, ...args]: readonly string[], kubeconfig: string, watched: boolean) {
    this.#child = new Child(name, program!, [...args, `--kubeconfig=${kubeconfig}`, ...FLAGS], {
      ...NODE_ENVIRONMENT,
      ...(watched ? PRELOAD : {}),
    });
    this.#watched = watched;
    this.#sampling = setInterval(() => this.#sample(), SAMPLE);
  }

  /** Throws, with the end of its output, when it has ended. */
  check(): void {
    if (!this.#child.running) throw new Error(`the manager has ended:\n${this.#child.output.slice(-3000)}`);
  }

  /** What is measured next begins here. */
  async begin(): Promise<void> {
    await this.#longestPause();
    // Peak of the resident set: from here on (proc_pid_clear_refs(5)).
    writeFileSync(`/proc/${this.#child.process.pid}/clear_refs`, '5');
    this.#cpu = cpuOf(this.#child);
    this.#own = 0;
    this.#sample();
  }

  async cost(): Promise<Cost> {
    const pause = await this.#longestPause();
    return {
      cpu: cpuOf(this.#child) - this.#cpu,
      memory: peakMemory(this.#child),
      own: this.#own,
      ...(pause === undefined ? {} : { pause }),
    };
  }

  async #longestPause(): Promise<number | undefined> {
    if (!this.#watched) return undefined;
    const seen = ++this.#pauses;
    const told = (): RegExpExecArray[] => [...this.#child.output.matchAll(PAUSE)];
    this.#child.process.kill('SIGUSR2');
    await this.#child.until(() => told().length >= seen, 'tell its longest pause', 30_000);
    return Number(told().at(-1)![1]);
  }

  /** The kernel keeps no maximum of it. */
  #sample(): void {
    if (this.#child.running) this.#own = Math.max(this.#own, ownMemory(this.#child));
  }

  async stop(): Promise<void> {
    clearInterval(this.#sampling);
    await this.#child.stop();
  }
}
