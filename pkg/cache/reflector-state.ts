/**
 * How a cache keeps up with a collection of the server, as a protocol without I/O: where it stands, what may happen
 * there, and where it goes then. `reflector.ts` does the awaiting.
 *
 *     streaming ──initial-events-end──▶ watching ──ended──▶ watching
 *         │ rejected                        │ expired
 *         ▼                                 ▼
 *      listing ──last page──▶ watching   waiting ──▶ streaming or listing
 *
 * Every failure leads to `waiting`, which leads back; no state is final.
 *
 * The rules follow client-go's reflector (tools/cache/reflector.go, KEP-3157 for streaming lists) except that a watch
 * which merely broke is taken up again where it was rather than listed again, since that costs the server least.
 */

/** What is open, or to be opened next. */
export type Position =
  /** A watch that begins with every object. `from`: may not be older than this; empty for a consistent read. */
  | { readonly at: 'streaming'; readonly from: string }
  /** A list; `continue` is empty for its first page. `whole` asks for one page with everything. */
  | { readonly at: 'listing'; readonly continue: string; readonly whole: boolean }
  /** A watch from the state's resource version on. */
  | { readonly at: 'watching' }
  | { readonly at: 'waiting'; readonly delay: number; readonly next: Exclude<Position, { at: 'waiting' }> };

export interface ReflectorState {
  readonly position: Position;
  /** Up to where the cache has read; empty before the first whole list. */
  readonly resourceVersion: string;
  /** False once the server has rejected a streaming list as such. */
  readonly canStream: boolean;
  /** The server has been seen to know less than the cache (a restored backup): versions may repeat with other content. */
  readonly wentBack: boolean;
  /** Refusals in a row of what is being tried; after some, another way is tried. */
  readonly strikes: number;
  /** Delays waited without a quiet time between them: the exponent of the next one. */
  readonly backoffs: number;
  /** When the last delay was handed out, monotonic ms. */
  readonly lastBackoff: number;
}

export type FailureKind =
  /** 410: the history asked for is gone. */
  | 'expired'
  /** The resource version asked for is in the server's future. */
  | 'ahead'
  /** 429. */
  | 'throttled'
  /** The server does not take such a request: 400, 405, 406, 422. */
  | 'rejected'
  /** 404: there is no such resource (yet, or any more). */
  | 'missing'
  /** Any other refusal: 401, 403, 5xx. */
  | 'refused'
  /** An answer that makes no sense. */
  | 'garbled'
  /** No answer, or one that breaks off. */
  | 'broken';

export type ReflectorInput =
  /** A page of the list is in the cache's hands; the last one has no `continue`. */
  | { readonly type: 'page'; readonly resourceVersion: string; readonly continue?: string }
  /** The stream has shown every object. */
  | { readonly type: 'initial-events-end'; readonly resourceVersion: string }
  /** A change or a bookmark has been applied. */
  | { readonly type: 'progress'; readonly resourceVersion: string }
  /** The server ended the watch in good order after `lasted` ms. */
  | { readonly type: 'ended'; readonly lasted: number }
  /** `lasted`: how long what failed had been going on, in milliseconds. */
  | { readonly type: 'failed'; readonly kind: FailureKind; readonly retryAfter?: number; readonly lasted?: number }
  /** Open, but nothing arrived for longer than a live server would take. */
  | { readonly type: 'stalled' }
  | { readonly type: 'waited' };

/** What the step may look at besides state and input. */
export interface StepContext {
  /** Monotonic ms. */
  readonly now: number;
  /** One draw from [0, 1). */
  readonly random: number;
}

/** client-go's delays: 0.8 s doubling to 30 s, each stretched by up to its own length; 2 quiet minutes start anew. */
const BACKOFF_INITIAL = 800;
/** The first delay after a watch that broke off: mostly the next connection is good. */
const BROKEN_INITIAL = 100;
const BACKOFF_MAX = 30_000;
const BACKOFF_RESET = 120_000;
const PROGRESS_BACKOFFS = 2;
/** A server may ask for patience, but not for eternity. */
const RETRY_AFTER_MAX = 300_000;
/** A watch shorter than this is a failure even if the server ended it in good order. */
const SHORT_WATCH = 1000;
/** Refusals in a row after which a watch gives way to a list, and one kind of list to the other. */
const WATCH_STRIKES = 3;
const LIST_STRIKES = 2;

/** Nothing read yet, or, with `resourceVersion`, taken up again after a stop. */
export function initialState(resourceVersion = ''): ReflectorState {
  return {
    position: { at: 'streaming', from: resourceVersion },
    resourceVersion,
    canStream: true,
    wentBack: false,
    strikes: 0,
    backoffs: 0,
    lastBackoff: Number.NEGATIVE_INFINITY,
  };
}

export function step(state: ReflectorState, input: ReflectorInput, context: StepContext): ReflectorState {
  switch (input.type) {
    case 'page':
      return input.continue ? nextPage(state, input.continue) : complete(state, input.resourceVersion);
    case 'initial-events-end':
      return complete(state, input.resourceVersion);
    case 'progress': {
      if (input.resourceVersion === state.resourceVersion) return state;
      // Watches that break again and again but bring news each time are worth taking up soon, though not at once.
      const backoffs = Math.min(state.backoffs, PROGRESS_BACKOFFS);
      return { ...state, resourceVersion: input.resourceVersion, strikes: 0, backoffs };
    }
    case 'waited':
      return state.position.at === 'waiting' ? { ...state, position: state.position.next } : state;
    case 'ended':
      return ended(state, input.lasted, context);
    case 'stalled':
      return state.position.at === 'streaming'
        ? // It may be a server that ignores the request for initial events: list in pages this time.
          wait({ ...state, strikes: LIST_STRIKES }, list, context)
        : failed(state, 'broken', context);
    case 'failed':
      return isBreak(state, input)
        ? resumed(state, input.kind)
        : failed(state, input.kind, context, Math.min(input.retryAfter ?? 0, RETRY_AFTER_MAX));
  }
}

/**
 * Whether a watch broke off that had been fine for a while, as when a load balancer drops its connections: the server is
 * most likely well. One that breaks off again soon after is a failure.
 */
function isBreak(
  { position, resourceVersion, strikes }: ReflectorState,
  { kind, lasted = 0, retryAfter }: Extract<ReflectorInput, { type: 'failed' }>,
): boolean {
  if (position.at !== 'watching' || resourceVersion === '' || lasted < SHORT_WATCH) return false;
  return retryAfter === undefined && (kind === 'broken' || (kind === 'garbled' && strikes + 1 < WATCH_STRIKES));
}

/** The watch goes on at once from where it was. What was cut off in the middle counts as a strike. */
function resumed(state: ReflectorState, kind: FailureKind): ReflectorState {
  return { ...state, position: watch, strikes: kind === 'garbled' ? state.strikes + 1 : 0 };
}

function nextPage(state: ReflectorState, token: string): ReflectorState {
  const whole = state.position.at === 'listing' && state.position.whole;
  return { ...state, position: { at: 'listing', continue: token, whole } };
}

function complete(state: ReflectorState, resourceVersion: string): ReflectorState {
  return { ...state, position: { at: 'watching' }, resourceVersion, wentBack: false, strikes: 0 };
}

function ended(state: ReflectorState, lasted: number, context: StepContext): ReflectorState {
  // A stream that ends before it has shown everything has failed, however politely.
  if (state.position.at !== 'watching') return failed(state, 'broken', context);
  // Without a resource version (some aggregated APIs have none) there is nothing to resume from.
  if (state.resourceVersion === '') return wait(state, relist(state, ''), context);
  // A server that keeps ending watches at once must not be asked again at once.
  if (lasted < SHORT_WATCH) return wait(state, watch, context);
  return { ...state, position: watch, strikes: 0 };
}

function failed(state: ReflectorState, kind: FailureKind, context: StepContext, retryAfter = 0): ReflectorState {
  const { position } = state;
  switch (position.at) {
    case 'waiting':
      return state;
    case 'watching':
      return watchFailed(state, kind, context, retryAfter);
    case 'listing':
      return listFailed(state, position, kind, context, retryAfter);
    case 'streaming':
      return streamFailed(state, position, kind, context, retryAfter);
  }
}

function watchFailed(
  state: ReflectorState,
  kind: FailureKind,
  context: StepContext,
  retryAfter: number,
): ReflectorState {
  switch (kind) {
    case 'broken':
      return wait(state, state.resourceVersion === '' ? relist(state, '') : watch, context, retryAfter, BROKEN_INITIAL);
    case 'throttled':
      return wait(state, state.resourceVersion === '' ? relist(state, '') : watch, context, retryAfter);
    case 'expired':
      return listAnew(state, state.resourceVersion, context, retryAfter);
    case 'ahead':
      return listAnew({ ...state, wentBack: true }, '', context, retryAfter);
    case 'rejected':
    case 'missing':
      return listAnew(state, '', context, retryAfter);
    case 'refused':
    case 'garbled': {
      // Whatever makes the server refuse this watch may not concern a list.
      const struck = { ...state, strikes: state.strikes + 1 };
      if (struck.strikes < WATCH_STRIKES) return wait(struck, watch, context, retryAfter);
      return listAnew(state, '', context, retryAfter);
    }
  }
}

function listAnew(state: ReflectorState, from: string, context: StepContext, retryAfter: number): ReflectorState {
  const fresh = { ...state, strikes: 0 };
  return wait(fresh, relist(fresh, from), context, retryAfter);
}

function streamFailed(
  state: ReflectorState,
  position: Extract<Position, { at: 'streaming' }>,
  kind: FailureKind,
  context: StepContext,
  retryAfter: number,
): ReflectorState {
  switch (kind) {
    case 'rejected':
      // Not this server (KEP-3157 is off, or older): no reason to wait, and never asked again.
      return { ...state, canStream: false, strikes: 0, position: list };
    case 'throttled':
      return wait(state, position, context, retryAfter);
    case 'expired':
      return wait(state, relist(state, ''), context, retryAfter);
    case 'ahead':
      return wait({ ...state, wentBack: true }, relist(state, ''), context, retryAfter);
    case 'missing':
    case 'refused':
    case 'garbled':
    case 'broken':
      return listStruck(state, position.from, context, retryAfter);
  }
}

function listFailed(
  state: ReflectorState,
  position: Extract<Position, { at: 'listing' }>,
  kind: FailureKind,
  context: StepContext,
  retryAfter: number,
): ReflectorState {
  switch (kind) {
    case 'expired': {
      // The snapshot that the pages come from was compacted under us: start over. The second time in one page.
      const whole = position.continue !== '' && state.strikes > 0;
      return wait(
        { ...state, strikes: state.strikes + 1 },
        { at: 'listing', continue: '', whole },
        context,
        retryAfter,
      );
    }
    case 'throttled':
      return wait(state, position, context, retryAfter);
    case 'broken':
      // The pages so far are good; only a connection was lost.
      if (position.continue === '' || state.strikes >= LIST_STRIKES) return listStruck(state, '', context, retryAfter);
      return wait({ ...state, strikes: state.strikes + 1 }, position, context, retryAfter);
    case 'ahead':
    case 'rejected':
    case 'missing':
    case 'refused':
    case 'garbled':
      return listStruck(state, '', context, retryAfter);
  }
}

function listStruck(state: ReflectorState, from: string, context: StepContext, retryAfter: number): ReflectorState {
  const struck = { ...state, strikes: state.strikes + 1 };
  return wait(struck, relist(struck, from), context, retryAfter);
}

const watch: Position & { at: 'watching' } = { at: 'watching' };
const list: Position & { at: 'listing' } = { at: 'listing', continue: '', whole: false };

/** The stream and the list in pages take turns while neither comes through. */
function relist(state: ReflectorState, from: string): Exclude<Position, { at: 'waiting' }> {
  if (!state.canStream || state.strikes % (2 * LIST_STRIKES) >= LIST_STRIKES) return list;
  return { at: 'streaming', from };
}

function wait(
  state: ReflectorState,
  next: Exclude<Position, { at: 'waiting' }>,
  { now, random }: StepContext,
  retryAfter = 0,
  initial = BACKOFF_INITIAL,
): ReflectorState {
  const backoffs = now - state.lastBackoff > BACKOFF_RESET ? 0 : state.backoffs;
  const delay = Math.max(Math.min(initial * 2 ** backoffs, BACKOFF_MAX) * (1 + random), retryAfter);
  return { ...state, position: { at: 'waiting', delay, next }, backoffs: backoffs + 1, lastBackoff: now };
}
