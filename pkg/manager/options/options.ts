import { ownValue } from '#pkg/base';
import type { ControllerDescription, FlagDefinition, OptionsOf } from '#pkg/controller';
import { type FeatureGates, KUBERNETES_VERSION, formatVersion } from '#pkg/featuregates';
import type { LoggerOptions } from '#pkg/log';

import { ManagerError, joinMessages } from '../errors.ts';
import type { Registry } from '../registry/registry.ts';
import { resolveAliases } from '../registry/selection.ts';
import type { FlagSection, VersionRequest } from './flag.ts';
import { formatValue } from './help.ts';
import { type LeaderMigration, readLeaderMigration } from './leader-migration.ts';
import { loggerOptions } from './logging.ts';
import { type ParsedFlags, helpText, parseFlags } from './parse.ts';
import { type ManagerFlagValues, type PendingFlags, flagSections, withLongHelp } from './sections.ts';
import { problemsOf } from './validate.ts';
import { type EffectiveVersion, effectiveVersion, gatesFrom } from './versions.ts';

export const PROGRAM = 'kube-controller-manager';

const DESCRIPTION = `Runs the control loops of a Kubernetes cluster: each watches some of the cluster's objects through the
API server and makes the changes that bring what is closer to what was asked for.`;

/** What the command line asks for once it has been read. */
export type Request =
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version'; readonly text: string }
  | { readonly kind: 'run'; readonly line: CommandLine };

/** A command line whose logging flags are known to be good; {@link completeOptions} checks the rest. */
export interface CommandLine {
  readonly flags: ManagerFlagValues;
  readonly values: ParsedFlags['values'];
  readonly given: ReadonlySet<string>;
  readonly sections: readonly FlagSection[];
  readonly registry: Registry;
  readonly version: EffectiveVersion;
  /** What `--version=vX.Y.Z` wants reported, else the version itself. */
  readonly reportedVersion: string;
  readonly gates: FeatureGates;
  readonly logging: LoggerOptions;
  /** To be logged once there is a log. */
  readonly warnings: readonly string[];
}

/** Options that can be obeyed. */
export interface Options extends CommandLine {
  /** `--controllers` with aliases resolved. */
  readonly controllers: readonly string[];
  readonly leaderMigration: LeaderMigration;
}

/**
 * Reads the command line up to where the log can be set up, so that everything after is told in the asked form. Throws a
 * {@link ManagerError} whose message names the flag.
 */
export function readCommandLine(
  argv: readonly string[],
  registry: Registry,
  pending: PendingFlags,
  columns: number,
): Request {
  const sections = flagSections(registry, pending);
  const parsed = parseFlags(sections, argv, PROGRAM);
  if (parsed.help)
    return {
      kind: 'help',
      text: helpText(withLongHelp(sections, registry), { program: PROGRAM, description: DESCRIPTION, columns }),
    };
  // Every flag was given its own type's value by the parser, which cannot say so name by name.
  const flags = parsed.values as unknown as ManagerFlagValues;
  const reportedVersion = versionToReport(flags.version);
  if (flags.version === 'true') return { kind: 'version', text: `Kubernetes ${reportedVersion}` };
  if (flags.version === 'raw') return { kind: 'version', text: rawVersion(reportedVersion) };
  const version = effectiveVersion(flags);
  const gates = gatesFrom(flags['feature-gates'], version);
  const logging = loggerOptions(flags, gates);
  const warnings = [...parsed.warnings, ...gates.warnings];
  return {
    kind: 'run',
    line: {
      flags,
      values: parsed.values,
      given: parsed.given,
      sections,
      registry,
      version,
      reportedVersion,
      gates,
      logging,
      warnings,
    },
  };
}

/** Checks what is left to check. Throws a {@link ManagerError} `BadOptions` that names everything wrong, or `BadFile`. */
export async function completeOptions(line: CommandLine): Promise<Options> {
  const problems = problemsOf(line);
  if (problems.length > 0) throw new ManagerError('BadOptions', joinMessages(problems), {});
  const leaderMigration = await readLeaderMigration(
    line.flags['enable-leader-migration'],
    line.flags['leader-migration-config'],
  );
  return { ...line, controllers: resolveAliases(line.registry, line.flags.controllers), leaderMigration };
}

/** The values of a definition's own flags, for its context. */
export function controllerOptions(
  options: Pick<CommandLine, 'values'>,
  definition: ControllerDescription,
): OptionsOf<readonly FlagDefinition[]> {
  // The parser gave each flag a value of its type.
  return Object.fromEntries(definition.flags.map(({ name }) => [name, ownValue(options.values, name)!])) as OptionsOf<
    readonly FlagDefinition[]
  >;
}

/** Every flag with its value as Go prints it, by name. */
export function flagTexts(line: Pick<CommandLine, 'values' | 'sections'>): [name: string, text: string][] {
  return line.sections
    .flatMap(({ flags }) => flags)
    .map((flag): [string, string] => [flag.name, formatValue(flag, ownValue(line.values, flag.name)!)])
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
}

const DEFAULT_VERSION = `v${formatVersion(KUBERNETES_VERSION)}`;

function versionToReport(request: VersionRequest): string {
  if (!request.startsWith('v')) return DEFAULT_VERSION;
  const core = /^(v\d+\.\d+\.\d+)(?:[-+].*)?$/.exec(request)?.[1];
  if (core !== DEFAULT_VERSION) {
    throw new ManagerError(
      'BadFlag',
      `invalid argument "${request}" for "--version" flag: version "${request}" must match major/minor/patch of default version "${DEFAULT_VERSION}"`,
      { flag: 'version' },
    );
  }
  return request;
}

function rawVersion(gitVersion: string): string {
  const { major, minor } = KUBERNETES_VERSION;
  return `version.Info{Major:"${major}", Minor:"${minor}", GitVersion:"${gitVersion}", NodeVersion:"${process.version}", Platform:"${process.platform}/${process.arch}"}`;
}
