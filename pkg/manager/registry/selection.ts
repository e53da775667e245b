import type { Registry, RegistryEntry } from './registry.ts';

/** Why a controller runs or does not; checked in this order, as upstream does. */
export type Verdict = 'run' | 'disabled' | 'gated' | 'cloud-provider' | 'not-available';

/** `--controllers` with aliases replaced by the names they stand for; unknown names stay as they are. */
export function resolveAliases(registry: Registry, selectors: readonly string[]): string[] {
  return selectors.map((selector) => {
    const off = selector.startsWith('-');
    const name = off ? selector.slice(1) : selector;
    return `${off ? '-' : ''}${registry.canonicalName(name) ?? name}`;
  });
}

/**
 * Whether `--controllers` lets a controller run: the first mention of its name counts, `name` before a later `-name`;
 * else `*` brings it if it is on by default (`IsControllerEnabled` of `k8s.io/controller-manager/app`).
 */
export function isControllerEnabled(
  entry: Pick<RegistryEntry, 'name' | 'offByDefault'>,
  selectors: readonly string[],
): boolean {
  const mention = selectors.find((selector) => selector === entry.name || selector === `-${entry.name}`);
  if (mention !== undefined) return mention === entry.name;
  return selectors.includes('*') && !entry.offByDefault;
}

export function judge(
  entry: RegistryEntry,
  selectors: readonly string[],
  gateEnabled: (gate: string) => boolean,
): Verdict {
  if (!entry.first && !isControllerEnabled(entry, selectors)) return 'disabled';
  if (!(entry.gates ?? []).every(gateEnabled)) return 'gated';
  if (entry.cloudProvider) return 'cloud-provider';
  return entry.definition ? 'run' : 'not-available';
}
