import {
  FeatureGates,
  FeatureGateError,
  KUBERNETES_VERSION,
  type Version,
  compareVersions,
  formatVersion,
  parseVersion,
} from '#pkg/featuregates';

import { ManagerError, joinMessages } from '../errors.ts';
import { parseBool } from './go-text.ts';
import type { ManagerFlagValues } from './sections.ts';

/** The one component whose version and gates can be set. */
const COMPONENT = 'kube';
const FLOOR: Version = { major: 1, minor: 33 };

export interface EffectiveVersion {
  readonly binary: Version;
  readonly emulated: Version;
  readonly minCompatibility: Version;
}

type VersionFlags = Pick<ManagerFlagValues, 'emulated-version' | 'min-compatibility-version'>;

/** `--emulated-version` and `--min-compatibility-version` (`component-base/compatibility`). Throws `BadOptions`. */
export function effectiveVersion(flags: VersionFlags): EffectiveVersion {
  const emulated = versionFrom('emulated-version', flags['emulated-version']) ?? minorOf(KUBERNETES_VERSION);
  const below = { major: emulated.major, minor: emulated.minor - 1 };
  const minCompatibility =
    versionFrom('min-compatibility-version', flags['min-compatibility-version']) ??
    (compareVersions(below, FLOOR) < 0 ? FLOOR : below);
  const problems: string[] = [];
  if (!between(emulated, FLOOR, KUBERNETES_VERSION)) {
    problems.push(
      `--emulated-version: emulation version ${formatVersion(emulated)} is not between [${formatVersion(FLOOR)}, ${formatVersion(KUBERNETES_VERSION)}]`,
    );
  }
  if (!between(minCompatibility, FLOOR, emulated)) {
    problems.push(
      `--min-compatibility-version: minCompatibilityVersion version ${formatVersion(minCompatibility)} is not between [${formatVersion(FLOOR)}, ${formatVersion(emulated)}]`,
    );
  }
  if (problems.length > 0) throw new ManagerError('BadOptions', joinMessages(problems), {});
  return { binary: KUBERNETES_VERSION, emulated, minCompatibility };
}

/** `--feature-gates` at a version. Throws `BadOptions`. */
export function gatesFrom(settings: ManagerFlagValues['feature-gates'], version: EffectiveVersion): FeatureGates {
  const named = settings[COMPONENT];
  const unnamed = settings[''];
  if (named && unnamed)
    throw refused('set kube feature gates with default empty prefix or kube: prefix consistently, do not mix use');
  const other = Object.keys(settings).find((component) => component !== COMPONENT && component !== '');
  if (other !== undefined) throw refused(`component not registered: ${other}`);
  const values = Object.fromEntries((named ?? unnamed ?? []).map(gateSetting));
  try {
    return new FeatureGates({ values, emulated: version.emulated, minCompatibility: version.minCompatibility });
  } catch (error) {
    if (error instanceof FeatureGateError) throw refused(error.message, error);
    throw error;
  }
}

function gateSetting(text: string): [string, boolean] {
  const at = text.indexOf('=');
  const name = (at < 0 ? text : text.slice(0, at)).trim();
  if (at < 0) throw refused(`missing bool value for ${name}`);
  const value = text.slice(at + 1).trim();
  try {
    return [name, parseBool(value)];
  } catch (error) {
    throw refused(`invalid value of ${name}=${value}, err: ${(error as Error).message}`, error);
  }
}

function refused(message: string, cause?: unknown): ManagerError {
  return new ManagerError('BadOptions', `--feature-gates: ${message}`, { flag: 'feature-gates' }, { cause });
}

function versionFrom(flag: string, texts: readonly string[]): Version | undefined {
  const fail = (message: string, cause?: unknown): never => {
    throw new ManagerError('BadOptions', `--${flag}: ${message}`, { flag }, { cause });
  };
  let found: Version | undefined;
  for (const text of texts) {
    const at = text.indexOf('=');
    const component = at < 0 ? COMPONENT : text.slice(0, at).trim();
    let version: Version;
    try {
      version = parseVersion(text.slice(at + 1));
    } catch (error) {
      return fail((error as Error).message, error);
    }
    if (version.patch) fail(`patch version not allowed, got: ${component}=${formatVersion(version)}`);
    if (component !== COMPONENT) fail(`component not registered: ${component}`);
    if (found)
      fail(`duplicate version flag, ${COMPONENT}=${formatVersion(found)} and ${COMPONENT}=${formatVersion(version)}`);
    found = minorOf(version);
  }
  return found;
}

const minorOf = ({ major, minor }: Version): Version => ({ major, minor });

function between(version: Version, low: Version, high: Version): boolean {
  return compareVersions(version, low) >= 0 && compareVersions(version, high) <= 0;
}
