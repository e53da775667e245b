import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, request } from 'node:https';
import { createInterface } from 'node:readline';

import type { Job, Measured } from './child.ts';

interface Content {
  readonly kind: 'Pod' | 'ConfigMap';
  readonly count: number;
  readonly bytes?: number;
}

/** A dummy API server in a process of its own. */
export interface BenchServer {
  /** Bytes of all its objects, as JSON. */
  readonly bytes: number;
  /** Runs one informer against it in a process of its own, and measures it. */
  measure(which: Job['which'], extra?: Partial<Pick<Job, 'updates' | 'watchTurns'>>): Promise<Measured>;
  stop(): void;
}

const file = (name: string): string => `${import.meta.dirname}/${name}`;

export async function startServer(content: Content): Promise<BenchServer> {
  const server = spawn(process.execPath, [file('server.ts'), JSON.stringify(content)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { server: address, ca, bytes } = (await firstLine(server)) as { server: string; ca: string; bytes: number };
  return {
    bytes,
    measure: (which, extra = {}) =>
      measure({
        which,
        kind: content.kind,
        server: address,
        ca,
        count: content.count,
        updates: 0,
        watchTurns: false,
        ...extra,
      }),
    stop: () => server.stdin.end(),
  };
}

/** Runs `count` times and answers, for each figure, its median. */
export async function median(count: number, run: () => Promise<Measured>): Promise<Measured> {
  const runs: Measured[] = [];
  for (let i = 0; i < count; i++) runs.push(await run());
  const middle = (of: (one: Measured) => number): number =>
    runs.map(of).toSorted((a, b) => a - b)[Math.floor(count / 2)]!;
  return {
    listCpu: middle((one) => one.listCpu),
    listTime: middle((one) => one.listTime),
    updatesCpu: middle((one) => one.updatesCpu),
    retained: middle((one) => one.retained),
    peakRss: middle((one) => one.peakRss),
    pause: middle((one) => one.pause),
  };
}

async function measure(job: Job): Promise<Measured> {
  const child = spawn(process.execPath, ['--expose-gc', '--no-warnings', file('child.ts'), JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  child.on('message', (message: { touch: number }) => {
    void touch(job.server, job.ca, message.touch);
  });
  return (await firstLine(child)) as Measured;
}

function touch(server: string, ca: string, count: number): Promise<void> {
  const agent = new Agent({ ca, ALPNProtocols: ['http/1.1'] });
  return new Promise((resolve, reject) => {
    request(`${server}/bench/touch?count=${count}`, { method: 'POST', agent }, (answer) => {
      answer.resume().on('end', () => {
        agent.destroy();
        resolve();
      });
    })
      .on('error', reject)
      .end();
  });
}

function firstLine(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    createInterface(child.stdout!).once('line', (line) => resolve(JSON.parse(line)));
    child.once('exit', (code, signal) =>
      reject(new Error(`the process ended with ${code ?? signal} before it said anything`)),
    );
  });
}
