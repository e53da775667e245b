import type { ResourceType } from '#pkg/api';

import type { CallOptions, Client } from './client.ts';

/** A resource as the server offers it in one version; subresources are not among them. */
export interface DiscoveredResource extends ResourceType {
  readonly verbs: readonly string[];
  /** This is the version to use where none is asked for. */
  readonly preferred: boolean;
}

export interface Discovery {
  /** Group by group, the preferred version of each first as the server lists them. */
  readonly resources: readonly DiscoveredResource[];
  /** Group versions (`metrics.k8s.io/v1beta1`) of which the server could not say what they have, and why. */
  readonly failed: ReadonlyMap<string, unknown>;
}

/**
 * What the server serves at this moment. Two requests where the server aggregates its answer (KEP-3352), else one for
 * each group version. A part that fails is told in `failed`; rejects only where the groups themselves cannot be had
 * (`ServerPreferredResources` and `GroupsAndMaybeResources` of client-go).
 */
export async function discover(client: Pick<Client, 'request'>, options: CallOptions = {}): Promise<Discovery> {
  const [core, others] = await Promise.all([entrance(client, '/api', options), entrance(client, '/apis', options)]);
  const groups = [...core.groups, ...others.groups];
  const failed = new Map([...core.failed, ...others.failed]);
  await Promise.all(
    groups.flatMap((group) =>
      group.versions.map(async (version) => {
        if (version.resources !== undefined) return;
        const groupVersion = versionName(group.name, version.name);
        try {
          version.resources = await resourcesOf(client, group.name, version.name, options);
        } catch (error) {
          options.signal?.throwIfAborted();
          failed.set(groupVersion, error);
        }
      }),
    ),
  );
  return { resources: groups.flatMap(describe), failed };
}

interface Group {
  readonly name: string;
  readonly versions: readonly Version[];
  readonly preferred: string | undefined;
}

interface Version {
  readonly name: string;
  /** Missing until asked for, and where they could not be had. */
  resources: readonly Offered[] | undefined;
}

interface Offered {
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

function describe({ name: group, versions, preferred }: Group): DiscoveredResource[] {
  const best = new Map<string, string>();
  for (const { name, resources = [] } of versions) {
    for (const { resource } of resources) if (!best.has(resource) || name === preferred) best.set(resource, name);
  }
  return versions.flatMap(({ name: version, resources = [] }) =>
    resources.map((offered) => ({ group, version, ...offered, preferred: best.get(offered.resource) === version })),
  );
}

const versionName = (group: string, version: string): string => (group === '' ? version : `${group}/${version}`);

/** Newest form first; servers know one of them. */
const ACCEPT = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');

interface Entrance {
  readonly groups: readonly Group[];
  readonly failed: ReadonlyMap<string, unknown>;
}

type EntranceAnswer =
  | AggregatedAnswer
  | { readonly kind: 'APIVersions'; readonly versions: readonly string[] }
  | GroupListAnswer;

async function entrance(
  client: Pick<Client, 'request'>,
  path: '/api' | '/apis',
  options: CallOptions,
): Promise<Entrance> {
  const answer = await client.request<EntranceAnswer>({ method: 'GET', path, accept: ACCEPT }, options);
  switch (answer.kind) {
    case 'APIGroupDiscoveryList':
      return aggregated(answer);
    case 'APIVersions': {
      const versions = answer.versions.map((name): Version => ({ name, resources: undefined }));
      return { groups: [{ name: '', versions, preferred: answer.versions[0] }], failed: new Map() };
    }
    case 'APIGroupList': {
      const groups = answer.groups.map(({ name, versions, preferredVersion }) => ({
        name,
        versions: versions.map(({ version }): Version => ({ name: version, resources: undefined })),
        preferred: preferredVersion?.version,
      }));
      return { groups, failed: new Map() };
    }
    default:
      throw new TypeError(`GET ${path}: the answer is no discovery document`);
  }
}

interface GroupListAnswer {
  readonly kind: 'APIGroupList';
  readonly groups: readonly {
    readonly name: string;
    readonly versions: readonly { readonly version: string }[];
    readonly preferredVersion?: { readonly version: string };
  }[];
}

interface AggregatedAnswer {
  readonly kind: 'APIGroupDiscoveryList';
  readonly items: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly freshness?: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind?: { readonly kind: string };
        readonly scope: string;
        readonly verbs?: readonly string[];
      }[];
    }[];
  }[];
}

/** A version that the aggregator knows only from before (`Stale`) is one that failed; of the others the first is preferred. */
function aggregated({ items }: AggregatedAnswer): Entrance {
  const failed = new Map<string, unknown>();
  const groups = items.map(({ metadata, versions = [] }) => {
    const name = metadata?.name ?? '';
    const fresh = versions.filter(({ version, freshness }) => {
      if (freshness === 'Stale')
        failed.set(
          versionName(name, version),
          new Error(`stale GroupVersion discovery: ${versionName(name, version)}`),
        );
      return freshness !== 'Stale';
    });
    const offered = fresh.map(({ version, resources = [] }) => ({
      name: version,
      resources: resources.flatMap(({ resource, responseKind, scope, verbs = [] }) =>
        responseKind ? [{ resource, kind: responseKind.kind, namespaced: scope === 'Namespaced', verbs }] : [],
      ),
    }));
    return { name, versions: offered, preferred: offered[0]?.name };
  });
  return { groups, failed };
}

interface ResourceListAnswer {
  readonly resources?: readonly {
    readonly name: string;
    readonly kind: string;
    readonly namespaced: boolean;
    readonly verbs?: readonly string[];
  }[];
}

async function resourcesOf(
  client: Pick<Client, 'request'>,
  group: string,
  version: string,
  options: CallOptions,
): Promise<readonly Offered[]> {
  const path = `${group === '' ? '/api' : '/apis'}/${versionName(group, version)}`;
  const { resources = [] } = await client.request<ResourceListAnswer>({ method: 'GET', path }, options);
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map(({ name, kind, namespaced, verbs = [] }) => ({ resource: name, kind, namespaced, verbs }));
}
