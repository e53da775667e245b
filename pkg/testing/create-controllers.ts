import type { Controller, ControllerContext, ControllerDefinition, FlagDefinition } from '#pkg/controller';
import { FeatureGates } from '#pkg/featuregates';

export interface ControllerSettings {
  readonly controllers: readonly ControllerDefinition[];
  /** Feature gates other than their defaults. */
  readonly gates?: Readonly<Record<string, boolean>>;
  /** Values of flags other than their defaults, by name. */
  readonly options?: Readonly<Record<string, unknown>>;
}

type Shared = Omit<ControllerContext, 'name' | 'client' | 'options' | 'featureGates'>;

/** Builds controllers as the manager does, with what a test gives them. */
export function createControllers(
  { controllers, gates = {}, options = {} }: ControllerSettings,
  shared: Shared,
  clientFor: (definition: ControllerDefinition) => ControllerContext['client'],
): readonly Controller[] {
  const featureGates = new FeatureGates({ values: gates });
  return controllers.flatMap((definition) => {
    const controller = definition.create({
      ...shared,
      name: definition.name,
      client: clientFor(definition),
      featureGates,
      options: flagValues(definition.flags, options),
    });
    return controller ?? [];
  });
}

function flagValues(
  flags: readonly FlagDefinition[],
  values: Readonly<Record<string, unknown>>,
): ControllerContext['options'] {
  return Object.fromEntries(
    flags.map((flag) => [flag.name, values[flag.name] ?? flag.default]),
  ) as ControllerContext['options'];
}
