import type { ControllerDescription, RegisteredController } from '#pkg/controller';

import { ManagerError } from '../errors.ts';
import { KNOWN_CONTROLLERS, type KnownController } from './known-controllers.ts';

/** A controller by name, with its definition where it is here. */
export interface RegistryEntry extends KnownController {
  readonly definition: RegisteredController | undefined;
}

/** Every controller there is or will be, in the order in which they are built. */
export interface Registry {
  readonly entries: readonly RegistryEntry[];
  readonly names: readonly string[];
  readonly offByDefault: readonly string[];
  /** The canonical name of a name or alias; `undefined` for a name that nobody has. */
  canonicalName(name: string): string | undefined;
}

/**
 * Joins the definitions with what is fixed about them. Throws a {@link ManagerError} `BadRegistry` when two have one
 * name or alias, or when a definition says otherwise than the table: a slip to be found at the first start.
 */
export function createRegistry(
  definitions: readonly RegisteredController[],
  known: readonly KnownController[] = KNOWN_CONTROLLERS,
): Registry {
  const byName = new Map<string, RegisteredController>();
  for (const definition of definitions) {
    if (byName.has(definition.name))
      throw bad(`controller name "${definition.name}" was registered twice`, definition.name);
    byName.set(definition.name, definition);
  }
  const table = new Map(known.map((controller) => [controller.name, controller]));
  const others = definitions.filter(({ name }) => !table.has(name)).map(factsOf);
  const entries = [...known, ...others].map((facts) => {
    const definition = byName.get(facts.name);
    if (definition) checkAgreement(facts, definition);
    return { ...facts, definition };
  });
  const canonical = canonicalNames(entries);
  return {
    entries: entries.toSorted((a, b) => Number(b.first ?? false) - Number(a.first ?? false)),
    names: entries.map(({ name }) => name).toSorted(),
    offByDefault: entries
      .filter(({ offByDefault }) => offByDefault)
      .map(({ name }) => name)
      .toSorted(),
    canonicalName: (name) => canonical.get(name),
  };
}

function factsOf(definition: ControllerDescription): KnownController {
  return {
    name: definition.name,
    aliases: definition.aliases,
    gates: definition.requiredFeatureGates,
    ...(definition.enabledByDefault ? {} : { offByDefault: true as const }),
  };
}

function checkAgreement(facts: KnownController, definition: ControllerDescription): void {
  const differing = [
    ['aliases', facts.aliases ?? [], definition.aliases],
    ['required feature gates', facts.gates ?? [], definition.requiredFeatureGates],
    ['default', [String(!facts.offByDefault)], [String(definition.enabledByDefault)]],
  ] as const;
  for (const [what, expected, actual] of differing) {
    if (expected.join() !== actual.join())
      throw bad(`controller "${facts.name}" has other ${what} than upstream: ${actual.join()}`, facts.name);
  }
}

function canonicalNames(entries: readonly KnownController[]): ReadonlyMap<string, string> {
  const names = new Map(entries.map(({ name }) => [name, name]));
  for (const { name, aliases = [] } of entries) {
    for (const alias of aliases) {
      if (names.has(alias)) throw bad(`controller "${name}" has the alias "${alias}", which is taken`, name);
      names.set(alias, name);
    }
  }
  return names;
}

function bad(message: string, controller: string): ManagerError {
  return new ManagerError('BadRegistry', message, { controller });
}
