import { FeatureGateError } from './errors.ts';

/** A Kubernetes version; the patch is kept only where it was given. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch?: number;
}

/** `1.36`, `v1.36.2` (`k8s.io/apimachinery/pkg/util/version.Parse`, without pre-releases). */
export function parseVersion(text: string): Version {
  const match = /^\s*v?(0|[1-9]\d*)\.(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?\s*$/.exec(text);
  if (!match) throw new FeatureGateError('BadVersion', `could not parse "${text}" as version`, { text });
  const [, major, minor, patch] = match;
  return { major: Number(major), minor: Number(minor), ...(patch === undefined ? {} : { patch: Number(patch) }) };
}

export function formatVersion(version: Version): string {
  return `${version.major}.${version.minor}${version.patch === undefined ? '' : `.${version.patch}`}`;
}

/** Below, equal or above zero, by major and minor. */
export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor;
}
