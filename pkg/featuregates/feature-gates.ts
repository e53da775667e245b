import { ownValue } from '#pkg/base';
import { FeatureGateError } from './errors.ts';
import type { GateFacts, GateSpec, GateTable, Stage } from './gate-table.ts';
import { GATES } from './gates.ts';
import { type Version, compareVersions, formatVersion } from './version.ts';

const ALL_ALPHA = 'AllAlpha';
const ALL_BETA = 'AllBeta';

export interface FeatureGateOptions {
  /** Explicit values by gate. */
  readonly values?: Readonly<Record<string, boolean>>;
  /** The version whose stages and defaults count. */
  readonly emulated?: Version;
  /** For messages only. */
  readonly minCompatibility?: Version;
  readonly table?: GateTable;
}

/** One gate as it stands. */
export interface Gate extends GateSpec {
  readonly name: string;
  readonly enabled: boolean;
}

export const KUBERNETES_VERSION: Version = { major: 1, minor: 36, patch: 2 };

/**
 * The feature gates of a process, fixed once made. Rules of `component-base/featuregate`: locked gates keep their value,
 * `AllAlpha` and `AllBeta` set what is not set explicitly, an enabled gate needs its dependencies.
 *
 * Throws a {@link FeatureGateError} `BadGates` that names everything wrong at once.
 */
export class FeatureGates {
  /** What to tell the user about gates that need no setting any more. */
  readonly warnings: readonly string[];
  readonly #table: GateTable;
  readonly #emulated: Version;
  readonly #explicit: Readonly<Record<string, boolean>>;
  /** Those that somebody has asked for: to read all of the table takes some ms of every start. */
  readonly #known = new Map<string, Gate>();

  constructor(options: FeatureGateOptions = {}) {
    this.#table = options.table ?? GATES;
    this.#emulated = options.emulated ?? KUBERNETES_VERSION;
    this.#explicit = options.values ?? {};
    const given = Object.entries(this.#explicit);
    const compatible = options.minCompatibility ?? { major: this.#emulated.major, minor: this.#emulated.minor - 1 };
    const problems = given.flatMap(([name, value]) =>
      refusal(name, value, this.#gate(name), this.#emulated, compatible),
    );
    // The defaults of the table itself agree with each other, in every version: a test sees to it.
    if (problems.length === 0 && (given.length > 0 || options.table)) problems.push(...this.#missingDependencies());
    if (problems.length > 0) throw new FeatureGateError('BadGates', aggregateText(problems), { problems });
    this.warnings = given.flatMap(([name, value]) => warningFor(name, value, this.#gate(name)!));
  }

  /** Throws an `UnknownGate` error for a name that is in no table: a slip of whoever asks. */
  enabled(name: string): boolean {
    const gate = this.#gate(name);
    if (!gate) throw new FeatureGateError('UnknownGate', `feature "${name}" is not registered`, { name });
    return gate.enabled;
  }

  /** What the user set it to; `undefined` where it has its default. */
  explicit(name: string): boolean | undefined {
    return ownValue(this.#explicit, name);
  }

  /** Every gate the emulated version has, by name. */
  all(): readonly Gate[] {
    const gates = Object.keys(this.#table).map((name) => this.#gate(name)!);
    return gates.filter((gate) => gate.stage !== 'pre-alpha').toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  #gate(name: string): Gate | undefined {
    const known = this.#known.get(name);
    if (known) return known;
    const facts = Object.hasOwn(this.#table, name) ? ownValue(this.#table, name) : undefined;
    if (!facts) return undefined;
    const spec = specAt(facts, this.#emulated);
    const swept = name === ALL_ALPHA || name === ALL_BETA ? undefined : this.#sweep(spec.stage);
    const gate = { name, ...spec, enabled: ownValue(this.#explicit, name) ?? swept ?? spec.default };
    this.#known.set(name, gate);
    return gate;
  }

  #sweep(stage: Stage): boolean | undefined {
    if (stage === 'alpha') return this.#explicit[ALL_ALPHA];
    return stage === 'beta' ? this.#explicit[ALL_BETA] : undefined;
  }

  #missingDependencies(): string[] {
    return Object.entries(this.#table).flatMap(([name, { needs }]) => {
      const missing = needs && this.enabled(name) ? needs.filter((need) => !this.#gate(need)?.enabled) : [];
      return missing.length > 0
        ? [`${name} is enabled, but depends on features that are disabled: [${missing.join(' ')}]`]
        : [];
    });
  }
}

/** `kube:Name=true|false (BETA - default=true)` for every gate worth setting, as `--help` lists them. */
export function describeGates(table: GateTable = GATES, emulated: Version = KUBERNETES_VERSION): string[] {
  return Object.entries(table).flatMap(([name, facts]) => {
    const spec = specAt(facts, emulated);
    if (spec.stage !== 'alpha' && spec.stage !== 'beta') return [];
    return [`kube:${name}=true|false (${spec.stage.toUpperCase()} - default=${spec.default})`];
  });
}

function specAt(facts: GateFacts, version: Version): GateSpec {
  let spec: GateSpec = { stage: 'pre-alpha', default: false, locked: false };
  for (const text of facts.stages) {
    const [since, stage, fallback, locked] = text.split(' ') as [string, Stage, string, string?];
    // The table is ours: no need to check every version of it at every start.
    const [major, minor] = since.split('.').map(Number) as [number, number];
    if (compareVersions({ major, minor }, version) > 0) break;
    spec = { stage, default: fallback === 'on', locked: locked === 'locked' };
  }
  return spec;
}

function refusal(
  name: string,
  value: boolean,
  spec: GateSpec | undefined,
  emulated: Version,
  compatible: Version,
): string[] {
  if (!spec) return [`unrecognized feature gate: ${name}`];
  if (spec.locked && spec.default !== value) {
    return [`cannot set feature gate ${name} to ${value}, feature is locked to ${spec.default}`];
  }
  if (spec.stage !== 'pre-alpha') return [];
  const where = `emulated version ${formatVersion(emulated)}, min compatibility version ${formatVersion(compatible)}`;
  return [`cannot set feature gate ${name} to ${value}, feature is PreAlpha at ${where}`];
}

function warningFor(name: string, value: boolean, spec: GateSpec): string[] {
  if (spec.stage !== 'ga' && spec.stage !== 'deprecated') return [];
  const kind = spec.stage === 'ga' ? 'GA' : 'deprecated';
  return [`Setting ${kind} feature gate ${name}=${value}. It will be removed in a future release.`];
}

/** Joins messages as apimachinery's aggregate prints them: one alone, several in brackets. */
function aggregateText(texts: readonly string[]): string {
  const unique = [...new Set(texts)];
  return unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`;
}
