import { ownValue, setOwnValue } from '#pkg/base';
import { formatDuration } from './duration.ts';
import type { Options } from './options.ts';
import { textOf } from './validate.ts';

type Tree = { [key: string]: unknown };

/** Name under which `/configz` shows the configuration. */
export const CONFIG_NAME = 'kubecontrollermanager.config.k8s.io';

/** Fields that no flag sets, and the order of the sections; the flags that say where they are shown fill in the rest. */
function skeleton(options: Options): Tree {
  const [service = '', secondaryService = ''] = textOf(options.values, 'service-cluster-ip-range').split(',');
  return {
    kind: 'KubeControllerManagerConfiguration',
    apiVersion: `${CONFIG_NAME}/v1alpha1`,
    Generic: {
      Port: 0,
      Address: '0.0.0.0',
      MinResyncPeriod: '',
      ClientConnection: { kubeconfig: '', acceptContentTypes: '' },
      LeaderMigration: options.leaderMigration,
    },
    KubeCloudShared: { CloudProvider: {} },
    DeprecatedController: {},
    GarbageCollectorController: {
      GCIgnoredResources: [
        { Group: '', Resource: 'events' },
        { Group: 'events.k8s.io', Resource: 'events' },
      ],
    },
    NodeIPAMController: { ServiceCIDR: service, SecondaryServiceCIDR: secondaryService },
    NodeLifecycleController: { PodEvictionTimeout: '0s' },
    PersistentVolumeBinderController: {
      VolumeConfiguration: { PersistentVolumeRecyclerConfiguration: { MaximumRetry: 3 } },
    },
  };
}

/** The `KubeControllerManagerConfiguration` (v1alpha1) that the options amount to, as `/configz` shows it. */
export function componentConfig(options: Options): Tree {
  const config = skeleton(options);
  for (const flag of options.sections.flatMap(({ flags }) => flags)) {
    if (flag.config === undefined) continue;
    const value = ownValue(options.values, flag.name)!;
    set(config, flag.config.split('.'), flag.type === 'duration' ? formatDuration(value as number) : value);
  }
  set(config, ['Generic', 'Controllers'], options.controllers);
  return config;
}

function set(tree: Tree, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path as [string, ...string[]];
  if (rest.length === 0) {
    setOwnValue(tree, key, value);
    return;
  }
  const below = (ownValue(tree, key) ?? {}) as Tree;
  setOwnValue(tree, key, below);
  set(below, rest, value);
}
