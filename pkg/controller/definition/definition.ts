import type { StringMap } from '#pkg/api';
import type { Clock, Random } from '#pkg/base';
import type { InformerFactory } from '#pkg/cache';
import type { Client } from '#pkg/client';
import type { EventRecorder } from '#pkg/events';
import type { Logger } from '#pkg/log';
import type { Metrics } from '#pkg/metrics';

import type { Reads } from './reads.ts';

/** What a flag of each type holds once parsed. Durations are milliseconds; quantities keep their text. */
export interface FlagValues {
  readonly bool: boolean;
  readonly duration: number;
  readonly float: number;
  readonly float32: number;
  readonly int: number;
  readonly int32: number;
  readonly int32Slice: readonly number[];
  readonly ip: string;
  readonly quantity: string;
  readonly string: string;
  readonly stringToString: StringMap;
  readonly strings: readonly string[];
}

export type FlagType = keyof FlagValues;

/** A command-line flag as data. Parsing, help, config dump and their tests are derived from it. */
export type FlagDefinition = {
  readonly [Type in FlagType]: {
    /** Without the leading dashes: `concurrent-replicaset-syncs`. */
    readonly name: string;
    readonly type: Type;
    readonly default: FlagValues[Type];
    readonly help: string;
    /** Where the flag is deprecated: what to do instead. */
    readonly deprecated?: string;
    /** Where `/configz` shows it: `ReplicaSetController.ConcurrentRSSyncs`. */
    readonly config?: string;
    /** Smallest and largest number taken. */
    readonly minimum?: number;
    readonly maximum?: number;
  };
}[FlagType];

/** The parsed values of some flags, by flag name. */
export type OptionsOf<Flags extends readonly FlagDefinition[]> = {
  readonly [Flag in Flags[number] as Flag['name']]: FlagValues[Flag['type']];
};

/** One rule of an RBAC role (`rbac.authorization.k8s.io/v1`). */
export interface PolicyRule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
  readonly verbs: readonly string[];
}

/** Answers for the gates of this process. An unknown name is a programming error and throws. */
export interface FeatureGateReader {
  enabled(name: string): boolean;
}

/** Everything a controller may use. There is nothing else: no globals, no clock or dice of its own. */
export interface ControllerContext<Flags extends readonly FlagDefinition[] = readonly FlagDefinition[]> {
  /** The definition's canonical name. */
  readonly name: string;
  /** Writes as this controller's identity; its mutating calls are fenced by the leader's lease. */
  readonly client: Client;
  /** Shared with every other controller: ask for informers in `create`, they are started afterwards. */
  readonly informers: InformerFactory;
  /** Events reported by this controller's {@link ControllerDescription.eventSource}. */
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly featureGates: FeatureGateReader;
  /** Values of the definition's own flags by flag name. */
  readonly options: OptionsOf<Flags>;
}

/** A controller built and ready to run. */
export interface Controller {
  /** Its canonical name. */
  readonly name: string;
  /** Waits for its caches, works until the signal aborts, and resolves when nothing of it runs any more. */
  run(signal: AbortSignal): Promise<void>;
  /** Throws, or rejects, with the reason when it is not healthy. Healthy where missing. */
  healthy?(): void | Promise<void>;
  /** What it is working on at this moment, to name at a stop that takes too long. */
  running?(): readonly string[];
  /** Answers `/debug/controllers/<its name><path>`, for whoever may ask; undefined for a path that it has nothing at. */
  debug?(path: string, query: URLSearchParams): DebugAnswer | undefined | Promise<DebugAnswer | undefined>;
}

export interface DebugAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * What is known of a controller without its code: what the registry, the flags, the manifests and their tests are made
 * of. It is read at every start, also of a process that never leads, so it imports nothing of what the controller does.
 */
export interface ControllerDescription<Flags extends readonly FlagDefinition[] = readonly FlagDefinition[]> {
  /** Canonical name: `replicaset-controller`. */
  readonly name: string;
  /** Former names that `--controllers` still takes. */
  readonly aliases: readonly string[];
  /** The controller exists only while all of these are enabled. */
  readonly requiredFeatureGates: readonly string[];
  /** Whether `*` in `--controllers` includes it. */
  readonly enabledByDefault: boolean;
  readonly flags: Flags;
  /**
   * What it reads from the caches, which keep nothing else. A controller that does not say makes all caches keep whole
   * objects.
   */
  readonly reads?: readonly Reads[];
  /** How many times the requests of `--kube-api-qps` and `--kube-api-burst` its client may make; once where missing. */
  readonly requestRate?: { readonly qps: number; readonly burst: number };
  /** Service account that it runs as; `system:controller:<it>` is its role. The canonical name where missing. */
  readonly serviceAccount?: string;
  /** Component that its events name. The service account's name where missing. */
  readonly eventSource?: string;
  /** What it may do, as in upstream's bootstrap role of the same name. */
  readonly rbac: readonly PolicyRule[];
}

/** A controller with its code. */
export interface ControllerDefinition<
  Flags extends readonly FlagDefinition[] = readonly FlagDefinition[],
> extends ControllerDescription<Flags> {
  /** Asks for informers, adds handlers and indexes; makes no request and starts nothing. Undefined where its flags switch it off. */
  create(context: ControllerContext<Flags>): Controller | undefined;
}

/** A controller whose code is loaded when it is to run: `{ ...description, load }`. */
export interface LoadableController extends ControllerDescription {
  /** The definition that spreads this description. */
  load(): Promise<ControllerDefinition>;
}

/** What a registry takes. */
export type RegisteredController = ControllerDefinition | LoadableController;

/** The definition itself, or what `load` brings. */
export function loadController(controller: RegisteredController): Promise<ControllerDefinition> {
  return 'load' in controller ? controller.load() : Promise.resolve(controller);
}

/** What {@link describeController} and {@link defineController} fill in. */
type Defaulted = 'aliases' | 'requiredFeatureGates' | 'enabledByDefault' | 'flags';
type WithDefaults<Whole extends ControllerDescription> = Omit<Whole, Defaulted> & Partial<Pick<Whole, Defaulted>>;

const DEFAULTS = { aliases: [], requiredFeatureGates: [], enabledByDefault: true } as const;

/** A description with its defaults filled in. */
export function describeController<const Flags extends readonly FlagDefinition[] = readonly []>(
  description: WithDefaults<ControllerDescription<Flags>>,
): ControllerDescription<Flags> {
  return { ...DEFAULTS, flags: [] as readonly FlagDefinition[] as Flags, ...description };
}

/** A definition with its defaults filled in and the values of its flags typed by name. */
export function defineController<const Flags extends readonly FlagDefinition[] = readonly []>(
  definition: WithDefaults<ControllerDefinition<Flags>>,
): ControllerDefinition<Flags> {
  return { ...DEFAULTS, flags: [] as readonly FlagDefinition[] as Flags, ...definition };
}

/** Resolved names, for whoever builds clients, recorders and manifests from a definition. */
export function identityOf(description: Pick<ControllerDescription, 'name' | 'serviceAccount' | 'eventSource'>): {
  readonly serviceAccount: string;
  readonly eventSource: string;
} {
  const serviceAccount = description.serviceAccount ?? description.name;
  return { serviceAccount, eventSource: description.eventSource ?? serviceAccount };
}
