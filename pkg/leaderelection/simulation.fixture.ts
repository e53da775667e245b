import { Heap, type Random, seededRandom } from '#pkg/base';
import type { LeaderElectionRecord } from './lock.ts';
import { type Command, type Input, type Rules, type State, initialState, mayAct, step } from './step.ts';

/**
 * Many candidates on one lock, on a virtual clock: requests and answers take their time or get lost, processes stop and
 * go on, die and come back, and no two clocks agree on the time or on how fast it goes by. The candidates are the state
 * machine of `step.ts`, driven as the elector drives it.
 */
export interface SimulationOptions {
  readonly seed: number;
  readonly candidates: number;
  /** How long faults go on, real ms; after it the world is calm for as long again. */
  readonly faulty: number;
  /** Clocks run at 1 ± this. */
  readonly drift: number;
  /** Candidates are told of changes, late and not always. */
  readonly watch: boolean;
}

export const TIMING = { leaseDuration: 15_000, renewDeadline: 10_000, retryPeriod: 2000 };

export interface Outcome {
  /** What must never be; empty when all is well. */
  readonly violations: string[];
  readonly terms: number;
  /** Real ms from each crash of a leader in calm weather until the next leader. */
  readonly takeovers: number[];
  /** A description of everything that happened, to read when something is wrong. */
  readonly trace: string[];
}

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

interface Process {
  readonly name: string;
  readonly rules: Rules;
  readonly offset: number;
  readonly rate: number;
  state: State;
  /** Changes with every wait, request and restart: what belongs to an older one comes too late. */
  turn: number;
  alive: boolean;
  pausedUntil: number;
  /** The version it read or wrote last. */
  known: number | undefined;
  waiting: boolean;
  resigning: boolean;
  calls: string[];
}

export function simulate(options: SimulationOptions): Outcome {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: Random;
  readonly #events = new Heap<Event>((a, b) => a.at < b.at || (a.at === b.at && a.order < b.order));
  readonly #processes: Process[];
  readonly #violations: string[] = [];
  readonly #takeovers: number[] = [];
  readonly #trace: string[] = [];
  #now = 0;
  #order = 0;
  #record: LeaderElectionRecord | undefined;
  #version = 0;
  #terms = 0;
  #crashedAt: number | undefined;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#processes = Array.from({ length: options.candidates }, (_, i) => this.#createProcess(`p${i}`));
  }

  run(): Outcome {
    const { faulty } = this.#options;
    for (const process of this.#processes) this.#at(this.#random() * 3000, () => this.#start(process));
    for (let t = this.#gap(); t < faulty; t += this.#gap()) this.#at(t, () => this.#fault());
    this.#at(faulty, () => this.#heal());
    // Long enough for any takeover; then the leader dies, and the next one is waited for.
    this.#at(faulty + 60_000, () => this.#expectOneLeader());
    this.#at(faulty + 60_001 + this.#random() * 10_000, () => this.#crashLeader());
    const end = faulty + 110_000;
    for (let next = this.#events.pop(); next !== undefined && next.at <= end; next = this.#events.pop()) {
      this.#now = next.at;
      next.run();
      this.#check();
    }
    this.#expectOneLeader();
    for (const process of this.#processes) this.#checkCalls(process);
    return { violations: this.#violations, terms: this.#terms, takeovers: this.#takeovers, trace: this.#trace };
  }

  get #calm(): boolean {
    return this.#now >= this.#options.faulty;
  }

  #createProcess(name: string): Process {
    const { drift } = this.#options;
    const rules: Rules = {
      identity: name,
      leaseDurationSeconds: TIMING.leaseDuration / 1000,
      // As `rulesOf` makes it from the allowed drift, which is between the fastest and the slowest.
      term: TIMING.leaseDuration * (1 - 2 * drift),
      renewDeadline: TIMING.renewDeadline,
      retryPeriod: TIMING.retryPeriod,
      release: this.#random() < 0.7,
      random: this.#random,
    };
    return {
      name,
      rules,
      offset: this.#random() * 1e9 - 5e8,
      rate: 1 + (this.#random() * 2 - 1) * drift,
      state: { ...initialState, phase: { name: 'stopped' } },
      turn: 0,
      alive: false,
      pausedUntil: 0,
      known: undefined,
      waiting: false,
      resigning: false,
      calls: [],
    };
  }

  #at(at: number, run: () => void): void {
    this.#events.push({ at, order: this.#order++, run });
  }

  #gap(): number {
    return 200 + this.#random() * 12_000;
  }

  #local(process: Process): number {
    return process.offset + this.#now * process.rate;
  }

  #start(process: Process): void {
    this.#note(process, 'starts');
    this.#checkCalls(process);
    process.alive = true;
    process.state = initialState;
    process.known = undefined;
    process.resigning = false;
    process.calls = [];
    this.#input(process, { type: 'time' });
  }

  /** Something reaches the process: now, or as soon as it goes on. */
  #deliver(process: Process, turn: number, run: () => void): void {
    if (!process.alive || process.turn !== turn) return;
    if (this.#now < process.pausedUntil) this.#at(process.pausedUntil, () => this.#deliver(process, turn, run));
    else run();
  }

  #input(process: Process, input: Input): void {
    const monotonic = this.#local(process);
    const { state, commands } = step(process.rules, process.state, input, {
      monotonic,
      wall: 1_700_000_000_000 + monotonic,
    });
    process.state = state;
    process.turn++;
    process.waiting = false;
    for (const command of commands) this.#carryOut(process, command);
  }

  #carryOut(process: Process, command: Command): void {
    switch (command.do) {
      case 'wait':
        return this.#wait(process, command.until);
      case 'get':
      case 'create':
      case 'update':
        return this.#request(process, command);
      case 'report-leader':
        process.calls.push(`leader ${command.identity}`);
        return undefined;
      case 'start-leading':
        this.#note(process, 'leads');
        process.calls.push('started');
        this.#terms++;
        if (this.#crashedAt !== undefined) this.#takeovers.push(this.#now - this.#crashedAt);
        this.#crashedAt = undefined;
        return undefined;
      case 'stop':
        this.#note(process, `stops: ${command.because}`);
        process.calls.push('stopped');
        process.alive = false;
        this.#at(this.#now + this.#random() * 5000, () => !process.alive && this.#start(process));
        return undefined;
      case 'count-slow-path':
        return undefined;
    }
  }

  #wait(process: Process, until: number): void {
    if (process.resigning) {
      this.#input(process, { type: 'resign' });
      return;
    }
    process.waiting = true;
    const { turn } = process;
    const due = Math.max(this.#now, (until - process.offset) / process.rate);
    if (due < Number.POSITIVE_INFINITY)
      this.#at(due + 1e-6, () => this.#deliver(process, turn, () => this.#input(process, { type: 'time' })));
  }

  #request(process: Process, command: Extract<Command, { do: 'get' | 'create' | 'update' }>): void {
    const { turn, known } = process;
    const answer = (input: Input, version = process.known): void =>
      this.#deliver(process, turn, () => {
        // Not when it was served: an answer nobody waits for any more must not pass for what was read last.
        process.known = version;
        this.#input(process, input);
      });
    const failure: Input = { type: command.do === 'get' ? 'get-failed' : 'write-failed' };
    const left = (command.deadline ?? Number.POSITIVE_INFINITY) - this.#local(process);
    const timeout = Math.max(0, Math.min(5000, left)) / process.rate;
    this.#at(this.#now + timeout, () => answer(failure));
    if (this.#lost()) return;
    this.#at(this.#now + this.#delay(), () => {
      // A process that is gone or has given up on the answer may still have its request carried out.
      const input = this.#serve(command, known);
      const version = input.type === 'got' || input.type === 'written' ? this.#version : undefined;
      if (!this.#lost()) this.#at(this.#now + this.#delay(), () => answer(input, version));
    });
  }

  #serve(command: Extract<Command, { do: 'get' | 'create' | 'update' }>, known: number | undefined): Input {
    if (!this.#calm && this.#random() < 0.05) return { type: command.do === 'get' ? 'get-failed' : 'write-failed' };
    if (command.do === 'get') return { type: 'got', record: this.#record };
    const free =
      command.do === 'create' ? this.#record === undefined : known === this.#version && this.#record !== undefined;
    if (!free) return { type: 'write-failed' };
    this.#write(command.record);
    return { type: 'written' };
  }

  #write(record: LeaderElectionRecord): void {
    this.#record = record;
    this.#version++;
    if (!this.#options.watch) return;
    for (const process of this.#processes) {
      if (this.#random() < 0.1) continue;
      this.#at(this.#now + this.#delay(), () => {
        const { turn } = process;
        this.#deliver(process, turn, () => process.waiting && this.#input(process, { type: 'seen', record }));
      });
    }
  }

  /** One way. */
  #delay(): number {
    return !this.#calm && this.#random() < 0.1 ? this.#random() * 20_000 : this.#random() * 50;
  }

  #lost(): boolean {
    return !this.#calm && this.#random() < 0.05;
  }

  #fault(): void {
    const process = this.#processes[Math.floor(this.#random() * this.#processes.length)]!;
    const kind = this.#random();
    if (kind < 0.45) this.#pause(process);
    else if (kind < 0.65) this.#crash(process);
    else this.#resign(process);
  }

  #pause(process: Process): void {
    const length = this.#random() * 40_000;
    this.#note(process, `is stopped for ${Math.round(length)} ms`);
    process.pausedUntil = Math.max(process.pausedUntil, Math.min(this.#now + length, this.#options.faulty));
  }

  #crash(process: Process): void {
    if (!process.alive) return;
    this.#note(process, 'is killed');
    process.alive = false;
    process.turn++;
    process.calls.push('killed');
    process.state = { ...process.state, phase: { name: 'stopped' } };
    this.#at(this.#now + this.#random() * 20_000, () => !process.alive && this.#start(process));
  }

  #resign(process: Process): void {
    if (!process.alive) return;
    this.#note(process, 'is to leave');
    process.resigning = true;
    const { turn } = process;
    this.#deliver(process, turn, () => process.waiting && this.#input(process, { type: 'resign' }));
  }

  #heal(): void {
    for (const process of this.#processes) process.pausedUntil = this.#now;
  }

  #crashLeader(): void {
    const leader = this.#processes.find((process) => process.state.phase.name === 'leading');
    if (leader === undefined) return;
    this.#crash(leader);
    this.#crashedAt = this.#now;
  }

  #check(): void {
    const acting = this.#processes.filter((process) => mayAct(process.rules, process.state, this.#local(process)));
    if (acting.length > 1)
      this.#violation(`at ${this.#now} may act: ${acting.map((process) => process.name).join(', ')}`);
  }

  /** What the callbacks of one life may be: leaders, a start, leaders, an end. */
  #checkCalls(process: Process): void {
    const calls = process.calls.join(' ');
    const { name } = process;
    const pattern = new RegExp(`^(leader p\\d+ ?)*(leader ${name} started ?)?(stopped|killed)?$`);
    if (!pattern.test(calls)) this.#violation(`calls of ${name}: ${calls}`);
    if (/leader (p\d+) leader \1\b/.test(calls)) this.#violation(`reported twice to ${name}: ${calls}`);
  }

  #expectOneLeader(): void {
    const leading = this.#processes.filter((process) => mayAct(process.rules, process.state, this.#local(process)));
    if (leading.length !== 1) this.#violation(`at ${this.#now}, long after all faults, lead: ${leading.length}`);
  }

  #violation(text: string): void {
    this.#violations.push(text);
    this.#trace.push(`!! ${text}`);
  }

  #note(process: Process, text: string): void {
    this.#trace.push(`${(this.#now / 1000).toFixed(3)} ${process.name} ${text}`);
  }
}
