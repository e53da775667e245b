import { Backoff, describeError, sleep } from '#pkg/base';
import { type LeaderElectionConfig, rulesOf, validate } from './config.ts';
import { type ElectionMetrics, electionMetrics } from './election-metrics.ts';
import { LeaderElectionError } from './errors.ts';
import type { LeaderElectionRecord, LockCallOptions } from './lock.ts';
import {
  type Command,
  type Input,
  type Rules,
  type State,
  type StopReason,
  initialState,
  mayAct,
  step,
} from './step.ts';

/** What `onStartedLeading` set going. */
interface Work {
  readonly abort: AbortController;
  ended: boolean;
  failure?: { readonly error: unknown };
}

/** One candidate. All decisions are in `step.ts`; this carries them out. */
export class LeaderElector {
  readonly #config: LeaderElectionConfig;
  readonly #rules: Rules;
  readonly #metrics: ElectionMetrics;
  /** A single hung request must not cost the lead (client-go resourcelock `NewFromKubeconfig`). */
  readonly #requestTimeout: number;

  #state: State = { ...initialState, phase: { name: 'stopped' } };
  /** The guarded work, once it has been started. */
  #work: Work | undefined;
  #resigning = false;
  /** What the watch saw last and nobody has looked at yet. */
  #seen: { readonly record: LeaderElectionRecord | undefined } | undefined;
  /** Ends the wait under way; or the read, if it is of no more use. */
  #wake: () => void = () => {};
  #cancelRead: () => void = () => {};

  /** Throws a `LeaderElectionError` where the configuration cannot work. */
  constructor(config: LeaderElectionConfig) {
    validate(config);
    this.#config = config;
    this.#rules = rulesOf(config);
    this.#requestTimeout = Math.max(1000, config.renewDeadline / 2);
    this.#metrics = electionMetrics(config.metrics, config.name ?? '');
    this.#metrics.leading(false);
  }

  /** Whether this process is the leader. For anything that must not happen twice use {@link fence}. */
  isLeader(): boolean {
    return this.#state.phase.name === 'leading';
  }

  /** The identity of the last leader seen; empty before the first, and where nobody holds the lock. */
  getLeader(): string {
    return this.#state.observed?.record.holderIdentity ?? '';
  }

  /**
   * Throws unless this process leads and its lease has not run out, judged by the local clock alone. To be called right
   * before every write: after a long stall nothing else has noticed yet that others may have taken over.
   */
  fence(): void {
    if (mayAct(this.#rules, this.#state, this.#config.clock.monotonic())) return;
    if (!this.isLeader()) throw new LeaderElectionError('not-leading', 'refused: this process is not the leader');
    // The timer that would notice is due, but has not had its turn.
    this.#wake();
    throw new LeaderElectionError('lease-expired', 'refused: the leader lease of this process has run out');
  }

  /** Throws when this process leads and has not renewed for the lease duration and so many ms more. */
  check(maxTolerableExpiredLease: number): void {
    const { phase } = this.#state;
    if (phase.name !== 'leading') return;
    const { clock, leaseDuration, name = '' } = this.#config;
    if (clock.monotonic() - phase.renewedAt > leaseDuration + maxTolerableExpiredLease) {
      throw new LeaderElectionError('lease-expired', `failed election to renew leadership on lease ${name}`);
    }
  }

  /**
   * Stands for election until the signal aborts or the lead, once won, is lost. Rejects only with what
   * `onStartedLeading` rejected with.
   */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#state.phase.name !== 'stopped')
      throw new LeaderElectionError('already-running', 'the elector is running');
    const { callbacks, lock, log } = this.#config;
    this.#state = { ...this.#state, phase: initialState.phase, pending: initialState.pending };
    this.#work = undefined;
    this.#resigning = false;
    const onAbort = (): void => this.#leave(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const watching = new AbortController();
    try {
      if (!signal.aborted) {
        log.info('Attempting to acquire leader lease...', { lock: lock.describe() });
        await this.#loop(signal, watching);
      }
    } finally {
      watching.abort();
      signal.removeEventListener('abort', onAbort);
      this.#state = { ...this.#state, phase: { name: 'stopped' } };
      this.#metrics.leading(false);
      if (this.#work !== undefined) lock.recordEvent('stopped leading');
      callbacks.onStoppedLeading();
    }
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#work?.failure !== undefined) throw this.#work.failure.error;
  }

  async #loop(signal: AbortSignal, watching: AbortController): Promise<void> {
    let input: Input | undefined = { type: 'time' };
    let watched = false;
    while (input !== undefined) {
      let next: Command | undefined;
      for (const command of this.#step(input)) {
        if (command.do === 'start-leading') watching.abort();
        next = this.#carryOut(command, signal);
      }
      // Who gets the lease at once never needs the watch, nor the connection that it takes.
      if (next?.do === 'wait' && !watched) {
        watched = true;
        void this.#watch(watching.signal);
      }
      input = next === undefined ? undefined : await this.#outcome(next);
    }
  }

  #step(input: Input): readonly Command[] {
    const { clock } = this.#config;
    const { state, commands } = step(this.#rules, this.#state, input, {
      monotonic: clock.monotonic(),
      wall: clock.now(),
    });
    this.#state = state;
    return commands;
  }

  /** Does what takes no time; returns what does. */
  #carryOut(command: Command, signal: AbortSignal): Command | undefined {
    switch (command.do) {
      case 'report-leader':
        this.#report(command.identity);
        return undefined;
      case 'count-slow-path':
        this.#metrics.slowPath();
        return undefined;
      case 'start-leading':
        this.#startLeading(signal);
        return undefined;
      case 'stop':
        this.#stopLeading(command.because);
        return undefined;
      default:
        return command;
    }
  }

  #outcome(command: Command): Promise<Input> | undefined {
    const { lock } = this.#config;
    switch (command.do) {
      case 'wait':
        return this.#wait(command.until);
      case 'get':
        return this.#read(command.deadline);
      case 'create':
        return this.#write('Error initially creating lease lock', command.deadline, (o) =>
          lock.create(command.record, o),
        );
      case 'update':
        return this.#write('Failed to update lease', command.deadline, (o) => lock.update(command.record, o));
      default:
        return undefined;
    }
  }

  async #wait(until: number): Promise<Input> {
    const { clock } = this.#config;
    for (;;) {
      if (this.#resigning) return { type: 'resign' };
      const seen = this.#seen;
      this.#seen = undefined;
      if (seen !== undefined) return { type: 'seen', record: seen.record };
      const left = until - clock.monotonic();
      if (left <= 0) return { type: 'time' };
      await new Promise<void>((resolve) => {
        const timer = clock.setTimeout(resolve, Math.ceil(left));
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
      this.#wake = () => {};
      // Woken by the fence.
      if (this.isLeader() && !mayAct(this.#rules, this.#state, clock.monotonic())) return { type: 'time' };
    }
  }

  async #read(deadline: number | undefined): Promise<Input> {
    const { lock, log } = this.#config;
    if (this.#resigning && this.#state.phase.name === 'candidate') return { type: 'resign' };
    try {
      const record = await this.#call(deadline, (options, cancel) => {
        // A leader reads in order to give the lease back, or to keep it until its work has ended.
        this.#cancelRead = () => void (this.#state.phase.name === 'candidate' && cancel());
        return lock.get(options);
      });
      return { type: 'got', record };
    } catch (error) {
      if (this.#resigning && this.#state.phase.name === 'candidate') return { type: 'resign' };
      log.error('Error retrieving lease lock', error, { lock: lock.describe() });
      return { type: 'get-failed' };
    } finally {
      this.#cancelRead = () => {};
    }
  }

  async #write(
    problem: string,
    deadline: number | undefined,
    write: (options: LockCallOptions) => Promise<void>,
  ): Promise<Input> {
    const { lock, log } = this.#config;
    const { pending } = this.#state;
    try {
      await this.#call(deadline, write);
      log.v(5)?.info('Successfully renewed lease', { lock: lock.describe() });
      return { type: 'written' };
    } catch (error) {
      if (pending.name === 'write' && pending.optimistic) {
        const fields = { lock: lock.describe(), err: describeError(error) };
        log.v(2)?.info('Failed to update lease optimistically, falling back to slow path', fields);
      } else {
        log.error(problem, error, { lock: lock.describe() });
      }
      return { type: 'write-failed' };
    }
  }

  /** One request, ended by whichever is first: its time-out, the deadline, or `cancel`; also if the lock does not listen. */
  async #call<T>(
    deadline: number | undefined,
    call: (options: LockCallOptions, cancel: () => void) => Promise<T>,
  ): Promise<T> {
    const { clock } = this.#config;
    const left = deadline === undefined ? this.#requestTimeout : deadline - clock.monotonic();
    const timeout = Math.max(1, Math.ceil(Math.min(this.#requestTimeout, left)));
    const abort = new AbortController();
    const cancelled = new Promise<never>((_resolve, reject) => {
      abort.signal.addEventListener('abort', () => reject(abort.signal.reason), { once: true });
    });
    const timer = clock.setTimeout(
      () => abort.abort(new DOMException(`no answer within ${timeout} ms`, 'TimeoutError')),
      timeout,
    );
    try {
      const cancel = (): void => abort.abort(new DOMException('the election ended', 'AbortError'));
      return await Promise.race([call({ signal: abort.signal, timeout }, cancel), cancelled]);
    } finally {
      timer.cancel();
    }
  }

  #report(identity: string): void {
    try {
      this.#config.callbacks.onNewLeader?.(identity);
    } catch (error) {
      this.#config.log.error('onNewLeader failed', error, { leader: identity });
    }
  }

  #startLeading(signal: AbortSignal): void {
    const { lock, log, callbacks } = this.#config;
    lock.recordEvent('became leader');
    this.#metrics.leading(true);
    log.info('Successfully acquired lease', { lock: lock.describe() });
    const work: Work = { abort: new AbortController(), ended: false };
    this.#work = work;
    // Asked to leave while the lease was on its way: the work does not begin, and the lease goes back.
    if (signal.aborted) {
      work.ended = true;
      return;
    }
    void this.#guard(work, callbacks.onStartedLeading);
  }

  async #guard(work: Work, run: (signal: AbortSignal) => void | Promise<void>): Promise<void> {
    const { signal } = work.abort;
    try {
      // In a task of its own, so that however much it does at once, the election goes on.
      await Promise.resolve();
      await run(signal);
    } catch (error) {
      // Work may end by throwing what it was ended with.
      if (!signal.aborted || error !== signal.reason) work.failure = { error };
    }
    work.ended = true;
    if (work.failure !== undefined || signal.aborted) this.#resign();
  }

  #stopLeading(because: StopReason): void {
    const { lock, log } = this.#config;
    if (this.#work === undefined) return;
    if (because !== 'resigned') log.info('Failed to renew lease', { lock: lock.describe(), reason: because });
    this.#work.abort.abort(new LeaderElectionError('leadership-lost', 'leader election lost', { because }));
  }

  /** Called when `run` is asked to end. The lease is kept until the guarded work has ended. */
  #leave(reason: unknown): void {
    if (this.#work === undefined || this.#work.ended) this.#resign();
    this.#work?.abort.abort(reason);
  }

  #resign(): void {
    this.#resigning = true;
    this.#cancelRead();
    this.#wake();
  }

  /** Keeps an eye on the lock for as long as this process is a candidate. */
  async #watch(signal: AbortSignal): Promise<void> {
    const { lock, log, clock, random } = this.#config;
    if (lock.watch === undefined) return;
    const backoff = new Backoff({ initial: 1000, max: 60_000, factor: 2, jitter: 0.5 }, random);
    while (!signal.aborted) {
      try {
        for await (const record of lock.watch(signal)) {
          backoff.reset();
          this.#seen = { record };
          this.#wake();
        }
      } catch (error) {
        if (!signal.aborted)
          log.v(4)?.info('Cannot watch the lock', { lock: lock.describe(), err: describeError(error) });
      }
      await sleep(clock, backoff.next(), signal).catch(() => {});
    }
  }
}

/**
 * Runs one candidate to its end. Throws at once where the configuration cannot work; what "die" means when the lead is
 * lost is up to `onStoppedLeading`.
 */
export async function runOrDie(config: LeaderElectionConfig, signal: AbortSignal): Promise<void> {
  const elector = new LeaderElector(config);
  config.watchDog?.setLeaderElection(elector);
  await elector.run(signal);
}
