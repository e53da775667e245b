import { type Random, formatMicroTime, jitter } from '#pkg/base';
import { type LeaderElectionRecord, sameRecord } from './lock.ts';

/**
 * The election as a state machine without I/O: what happened goes in, what to do next comes out. The last command of a
 * step is the one whose outcome the next step is told; there is never more than one such command.
 *
 * The rules are those of client-go tools/leaderelection (`tryAcquireOrRenew`, `acquire`, `renew`, `release`), and stricter
 * in that a leader stops, and writes nothing more, when its own lease has run out or another holder is seen.
 */
export interface Rules {
  readonly identity: string;
  /** The lease duration that is written into the record; others judge by it. */
  readonly leaseDurationSeconds: number;
  /** How long after the start of a successful write this process may act as leader, ms. */
  readonly term: number;
  /** How long a leader tries to renew, ms. */
  readonly renewDeadline: number;
  /** Between two tries, ms; candidates stretch it by up to `JITTER_FACTOR`. */
  readonly retryPeriod: number;
  /** Give the lock back when resigning. */
  readonly release: boolean;
  readonly random: Random;
}

/** `JitterFactor` of client-go. */
export const JITTER_FACTOR = 1.2;

/** Candidates that see the lock become free spread over this part of the retry period. */
const SPREAD = 0.1;

export interface Now {
  /** For every decision, ms. */
  readonly monotonic: number;
  /** For what is written, ms since the epoch. */
  readonly wall: number;
}

export type State = Readonly<{
  phase: Phase;
  /** What the record was when it was last seen to change, and when that was on the monotonic clock. */
  observed?: { readonly record: LeaderElectionRecord; readonly at: number };
  /** The leader last reported. */
  reported: string;
  pending: Pending;
}>;

export type Phase =
  | { readonly name: 'candidate' }
  | LeadingPhase
  /** The guarded work has ended, and the lock is being given back. */
  | { readonly name: 'releasing'; readonly until: number }
  | { readonly name: 'stopped' };

interface LeadingPhase {
  readonly name: 'leading';
  readonly renewedAt: number;
  /** When the renewal under way has to have succeeded, on the monotonic clock; undefined between renewals. */
  readonly cycleEnd?: number;
}

/** What the machine is waiting for. */
type Pending =
  | { readonly name: 'time'; readonly until: number }
  | { readonly name: 'get' }
  | {
      readonly name: 'write';
      readonly record: LeaderElectionRecord;
      readonly startedAt: number;
      readonly optimistic: boolean;
    };

export type Input =
  /** The time waited for has come. */
  | { readonly type: 'time' }
  | { readonly type: 'got'; readonly record: LeaderElectionRecord | undefined }
  | { readonly type: 'get-failed' }
  | { readonly type: 'written' }
  | { readonly type: 'write-failed' }
  /** The lock was seen to change, while waiting for time to pass. */
  | { readonly type: 'seen'; readonly record: LeaderElectionRecord | undefined }
  /** The guarded work has ended, or never began, and this process is to leave: while waiting, or as candidate reading. */
  | { readonly type: 'resign' };

export type Command =
  /** Until then on the monotonic clock, unless the lock is seen to change or the process is to leave. */
  | { readonly do: 'wait'; readonly until: number }
  /** `deadline`: on the monotonic clock; later the outcome is of no use. */
  | { readonly do: 'get'; readonly deadline?: number }
  | { readonly do: 'create' | 'update'; readonly record: LeaderElectionRecord; readonly deadline?: number }
  | { readonly do: 'report-leader'; readonly identity: string }
  | { readonly do: 'count-slow-path' }
  | { readonly do: 'start-leading' }
  | { readonly do: 'stop'; readonly because: StopReason };

/** `resigned`: asked to; `renewal-failed`: not within the renew deadline; the others say themselves. */
export type StopReason = 'resigned' | 'renewal-failed' | 'lease-expired' | 'other-holder';

export interface Step {
  readonly state: State;
  readonly commands: readonly Command[];
}

export const initialState: State = {
  phase: { name: 'candidate' },
  reported: '',
  pending: { name: 'time', until: Number.NEGATIVE_INFINITY },
};

/** Whether this process may act as leader now. */
export function mayAct(rules: Rules, state: State, now: number): boolean {
  return state.phase.name === 'leading' && now < state.phase.renewedAt + rules.term;
}

export function step(rules: Rules, state: State, input: Input, now: Now): Step {
  switch (input.type) {
    case 'time':
      return state.phase.name === 'leading' ? renew(rules, state, state.phase, now) : acquire(state);
    case 'got':
      return tryAcquireOrRenew(rules, observe(state, input.record, now), input.record, now);
    case 'get-failed':
      return retry(rules, state, now);
    case 'written':
      return onWritten(rules, state, now);
    case 'write-failed':
      return onWriteFailed(rules, state, now);
    case 'seen':
      return onSeen(rules, state, input.record, now);
    case 'resign':
      return release(rules, state, now);
  }
}

/** A candidate begins a try to acquire the lease by reading it. */
function acquire(state: State): Step {
  return read(state);
}

/** A leader renews its lease, within the renew deadline and never beyond the end of its term. */
function renew(rules: Rules, state: State, phase: LeadingPhase, now: Now): Step {
  const end = phase.renewedAt + rules.term;
  if (now.monotonic >= end) return stop(state, 'lease-expired');
  const cycleEnd = phase.cycleEnd ?? Math.min(now.monotonic + rules.renewDeadline, end);
  if (now.monotonic >= cycleEnd) return stop(state, 'renewal-failed');
  const renewing: State = { ...state, phase: { ...phase, cycleEnd } };
  const known = state.observed?.record;
  // The record seen last is most likely still there, so it is replaced without reading it first.
  return known?.holderIdentity === rules.identity
    ? write(renewing, 'update', renewal(rules, known, now), now, true)
    : read(renewing);
}

/** Decides by the record that was read: creates, renews or takes over the lease, gives it back, or waits. */
function tryAcquireOrRenew(rules: Rules, state: State, record: LeaderElectionRecord | undefined, now: Now): Step {
  const late = tooLate(rules, state, now);
  if (late !== undefined) return stop(state, late);
  const own = record?.holderIdentity === rules.identity;
  if (state.phase.name === 'releasing') {
    return own ? write(state, 'update', released(record, now), now) : stop(state, 'resigned');
  }
  if (record === undefined) return write(state, 'create', renewal(rules, undefined, now), now);
  if (own) return prepend({ do: 'count-slow-path' }, write(state, 'update', renewal(rules, record, now), now));
  if (record.holderIdentity !== '') {
    if (state.phase.name === 'leading') return stop(state, 'other-holder');
    if (expiryOf(state) > now.monotonic) return retry(rules, state, now);
  }
  return write(state, 'update', succession(rules, record, now), now);
}

function onWritten(rules: Rules, before: State, now: Now): Step {
  if (before.pending.name !== 'write') return retry(rules, before, now);
  const { record, startedAt } = before.pending;
  const state: State = { ...before, observed: { record, at: now.monotonic } };
  if (state.phase.name === 'releasing' || state.phase.name === 'stopped') return stop(state, 'resigned');
  // Counted from before the write was sent: whoever sees it, sees it later than that.
  const led: State = { ...state, phase: { name: 'leading', renewedAt: startedAt } };
  const expired = !mayAct(rules, led, now.monotonic);
  if (state.phase.name === 'leading') return expired ? stop(led, 'lease-expired') : rest(rules, led, now);
  // Stopped for so long in between that others may have taken over already.
  if (expired) return retry(rules, state, now);
  const resting = rest(rules, led, now);
  return {
    ...resting,
    commands: [...resting.commands.slice(0, -1), { do: 'start-leading' }, ...resting.commands.slice(-1)],
  };
}

function onWriteFailed(rules: Rules, state: State, now: Now): Step {
  const late = tooLate(rules, state, now);
  if (late !== undefined) return stop(state, late);
  return state.pending.name === 'write' && state.pending.optimistic ? read(state) : retry(rules, state, now);
}

function onSeen(rules: Rules, state: State, record: LeaderElectionRecord | undefined, now: Now): Step {
  if (state.phase.name !== 'candidate' || state.pending.name !== 'time')
    return { state, commands: [pendingWait(state)] };
  const seen = record === undefined ? state : observe(state, record, now);
  const free = record === undefined || record.holderIdentity === '';
  const soon = now.monotonic + rules.random() * SPREAD * rules.retryPeriod;
  return wait(seen, free ? Math.min(state.pending.until, soon) : state.pending.until);
}

/** Begins to give the lease back, where it is still held and `releaseOnCancel` asks for it. */
function release(rules: Rules, state: State, now: Now): Step {
  const { phase } = state;
  const end = phase.name === 'leading' ? phase.renewedAt + rules.term : Number.NEGATIVE_INFINITY;
  if (!rules.release || now.monotonic >= end) return stop(state, 'resigned');
  const until = Math.min(now.monotonic + rules.renewDeadline, end);
  return read({ ...state, phase: { name: 'releasing', until } });
}

/** Waits for the next try, unless it is too late for any. */
function retry(rules: Rules, state: State, now: Now): Step {
  const late = tooLate(rules, state, now);
  if (late !== undefined) return stop(state, late);
  const { phase } = state;
  if (phase.name === 'releasing' || phase.name === 'stopped') return stop(state, 'resigned');
  if (phase.name === 'leading') {
    return wait(state, Math.min(now.monotonic + rules.retryPeriod, phase.cycleEnd ?? Number.POSITIVE_INFINITY));
  }
  const regular = now.monotonic + jitter(rules.random, rules.retryPeriod, JITTER_FACTOR);
  const expiry = expiryOf(state);
  // At the moment of expiry rather than at the next regular try after it.
  const atExpiry =
    expiry > now.monotonic ? expiry + rules.random() * SPREAD * rules.retryPeriod : Number.POSITIVE_INFINITY;
  return wait(state, Math.min(regular, atExpiry));
}

/** Between two renewals. */
function rest(rules: Rules, state: State, now: Now): Step {
  return wait(state, now.monotonic + rules.retryPeriod);
}

function tooLate(rules: Rules, { phase }: State, now: Now): StopReason | undefined {
  if (phase.name === 'releasing') return now.monotonic >= phase.until ? 'resigned' : undefined;
  if (phase.name !== 'leading') return undefined;
  if (now.monotonic >= phase.renewedAt + rules.term) return 'lease-expired';
  return phase.cycleEnd !== undefined && now.monotonic >= phase.cycleEnd ? 'renewal-failed' : undefined;
}

/** Expiry is judged by when a change was seen, on the own clock: clocks of different machines are never compared. */
function observe(state: State, record: LeaderElectionRecord | undefined, now: Now): State {
  if (record === undefined || sameRecord(state.observed?.record, record)) return state;
  return { ...state, observed: { record, at: now.monotonic } };
}

function expiryOf({ observed }: State): number {
  return observed === undefined ? Number.NEGATIVE_INFINITY : observed.at + observed.record.leaseDurationSeconds * 1000;
}

function wait(state: State, until: number): Step {
  const waiting: State = { ...state, pending: { name: 'time', until } };
  const holder = state.observed?.record.holderIdentity ?? '';
  if (holder === '' || holder === state.reported) return { state: waiting, commands: [{ do: 'wait', until }] };
  return {
    state: { ...waiting, reported: holder },
    commands: [
      { do: 'report-leader', identity: holder },
      { do: 'wait', until },
    ],
  };
}

function pendingWait({ pending }: State): Command {
  return { do: 'wait', until: pending.name === 'time' ? pending.until : Number.NEGATIVE_INFINITY };
}

function read(state: State): Step {
  return { state: { ...state, pending: { name: 'get' } }, commands: [{ do: 'get', ...deadlineOf(state) }] };
}

function write(
  state: State,
  verb: 'create' | 'update',
  record: LeaderElectionRecord,
  now: Now,
  optimistic = false,
): Step {
  return {
    state: { ...state, pending: { name: 'write', record, startedAt: now.monotonic, optimistic } },
    commands: [{ do: verb, record, ...deadlineOf(state) }],
  };
}

function stop(state: State, because: StopReason): Step {
  return { state: { ...state, phase: { name: 'stopped' } }, commands: [{ do: 'stop', because }] };
}

function prepend(command: Command, { state, commands }: Step): Step {
  return { state, commands: [command, ...commands] };
}

function deadlineOf({ phase }: State): { readonly deadline?: number } {
  if (phase.name === 'releasing') return { deadline: phase.until };
  return phase.name === 'leading' && phase.cycleEnd !== undefined ? { deadline: phase.cycleEnd } : {};
}

/** The own record once more, or the first one ever. */
function renewal(rules: Rules, known: LeaderElectionRecord | undefined, now: Now): LeaderElectionRecord {
  const time = formatMicroTime(now.wall);
  return {
    ...known,
    holderIdentity: rules.identity,
    leaseDurationSeconds: rules.leaseDurationSeconds,
    acquireTime: known?.acquireTime ?? time,
    renewTime: time,
    leaderTransitions: known?.leaderTransitions ?? 0,
  };
}

function succession(rules: Rules, known: LeaderElectionRecord, now: Now): LeaderElectionRecord {
  const time = formatMicroTime(now.wall);
  return { ...renewal(rules, known, now), acquireTime: time, leaderTransitions: known.leaderTransitions + 1 };
}

/** Held by nobody, for a second: managers that know no empty holder wait that long. */
function released(known: LeaderElectionRecord, now: Now): LeaderElectionRecord {
  const time = formatMicroTime(now.wall);
  return { ...known, holderIdentity: '', leaseDurationSeconds: 1, acquireTime: time, renewTime: time };
}
