import { ownValue } from '#pkg/base';
import type { ControllerDescription, FlagDefinition } from '#pkg/controller';
import { describeGates } from '#pkg/featuregates';

import { ManagerError } from '../errors.ts';
import type { Registry } from '../registry/registry.ts';
import {
  besideFlags,
  debuggingFlags,
  genericFlags,
  globalFlags,
  leaderMigrationFlags,
  miscFlags,
} from './generic-flags.ts';
import type { Flag, FlagSection, ValuesOf } from './flag.ts';
import { logsFlags, metricsFlags } from './observability-flags.ts';
import { authenticationFlags, authorizationFlags, secureServingFlags } from './serving-flags.ts';

type ManagerFlags = readonly [
  ...typeof debuggingFlags,
  ...typeof leaderMigrationFlags,
  ...typeof genericFlags,
  ...typeof secureServingFlags,
  ...typeof authenticationFlags,
  ...typeof authorizationFlags,
  ...typeof metricsFlags,
  ...typeof logsFlags,
  ...typeof miscFlags,
  ...typeof besideFlags,
  ...typeof globalFlags,
];

/** The manager's own flags, parsed, by name. */
export type ManagerFlagValues = ValuesOf<ManagerFlags>;

/** Order of the controllers' headings in upstream's `--help`; the ones it does not have follow. */
const CONTROLLER_SECTIONS = [
  'persistentvolume-attach-detach-controller',
  'certificatesigningrequest-signing-controller',
  'deployment-controller',
  'device-taint-eviction-controller',
  'resourceclaim-controller',
  'statefulset-controller',
  'daemonset-controller',
  'endpoints-controller',
  'endpointslice-controller',
  'endpointslice-mirroring-controller',
  'ephemeral-volume-controller',
  'garbage-collector-controller',
  'horizontal-pod-autoscaler-controller',
  'job-controller',
  'cronjob-controller',
  'legacy-serviceaccount-token-cleaner-controller',
  'namespace-controller',
  'node-ipam-controller',
  'node-lifecycle-controller',
  'persistentvolume-binder-controller',
  'pod-garbage-collector-controller',
  'replicaset-controller',
  'replicationcontroller-controller',
  'resourcequota-controller',
  'serviceaccount-controller',
  'ttl-after-finished-controller',
  'validatingadmissionpolicy-status-controller',
] as const;

/** Its heading stands before those of serving, for no reason worth knowing. */
const EARLY_SECTION = 'service-lb-controller';

/** Flags of controllers that are not here yet, by controller. */
export type PendingFlags = Readonly<Record<string, readonly FlagDefinition[]>>;

/** Every flag under its heading, in upstream's order. Throws a {@link ManagerError} `BadRegistry` when two have one name. */
export function flagSections(registry: Registry, pending: PendingFlags): FlagSection[] {
  const definitions = registry.entries.flatMap(({ definition }) => (definition ? [definition] : []));
  const ofController = (name: string): FlagSection => ({ name, flags: controllerFlags(name, definitions, pending) });
  const listed = new Set<string>([EARLY_SECTION, ...CONTROLLER_SECTIONS]);
  const unlisted = [...new Set([...definitions.map(({ name }) => name), ...Object.keys(pending)])].filter(
    (name) => !listed.has(name),
  );
  const sections: FlagSection[] = [
    { name: 'debugging', flags: debuggingFlags },
    { name: 'leader-migration', flags: leaderMigrationFlags },
    { name: 'generic', flags: genericFlags },
    ofController(EARLY_SECTION),
    { name: 'secure serving', flags: secureServingFlags },
    { name: 'authentication', flags: authenticationFlags },
    { name: 'authorization', flags: authorizationFlags },
    ...[...CONTROLLER_SECTIONS, ...unlisted.toSorted()].map(ofController),
    { name: 'metrics', flags: metricsFlags },
    { name: 'logs', flags: logsFlags },
    { name: 'misc', flags: miscFlags },
    { name: 'other manager', flags: besideFlags },
    { name: 'global', flags: globalFlags },
  ];
  refuseDuplicates(sections);
  return sections;
}

function controllerFlags(
  name: string,
  definitions: readonly ControllerDescription[],
  pending: PendingFlags,
): readonly Flag[] {
  const definition = definitions.find((candidate) => candidate.name === name);
  if (definition && ownValue(pending, name)) {
    throw new ManagerError(
      'BadRegistry',
      `flags of "${name}" stand both in its definition and among the pending ones`,
      { name },
    );
  }
  return definition?.flags ?? ownValue(pending, name) ?? [];
}

/** With the help of the two flags that lists what there is to choose from: too long to be made at every start. */
export function withLongHelp(sections: readonly FlagSection[], registry: Registry): FlagSection[] {
  const longer = (flag: Flag): Flag => {
    switch (flag.name) {
      case 'controllers':
        return {
          ...flag,
          help: `${flag.help}.\nAll: ${registry.names.join(', ')}\nOff by default: ${registry.offByDefault.join(', ')}`,
        };
      case 'feature-gates':
        return { ...flag, help: `${flag.help}:\n${describeGates().join('\n')}` };
      default:
        return flag;
    }
  };
  return sections.map((section) => ({ ...section, flags: section.flags.map(longer) }));
}

function refuseDuplicates(sections: readonly FlagSection[]): void {
  const seen = new Set<string>();
  for (const { name } of sections.flatMap(({ flags }) => flags)) {
    if (seen.has(name)) throw new ManagerError('BadRegistry', `flag --${name} is defined twice`, { flag: name });
    seen.add(name);
  }
}
