import { type Endpoints, type NewObject, type Pod, type Service, type StringMap, resources } from '#pkg/api';
import { semanticEqual } from '#pkg/base';

import {
  HEADLESS,
  LAST_CHANGE_TRIGGER_TIME,
  type EndpointAddress,
  type Subset,
  isHeadless,
  repackSubsets,
} from '../internal/endpoints/index.ts';
import { desiredSubsets } from './desired.ts';
import { truncate } from './truncate.ts';

/** On all Endpoints that this controller keeps. */
export const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
export const MANAGER = 'endpoint-controller';
/** Annotation of Endpoints that leave addresses out because there are too many. */
export const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
const TRUNCATED = 'truncated';

export interface Snapshot {
  readonly service: Service;
  /** All that the Service's selector matches. */
  readonly pods: readonly Pod[];
  /** The Endpoints of the Service's name, whoever made them. */
  readonly current: Endpoints | undefined;
  /** When what is to be made known happened; undefined for nothing new. */
  readonly triggerTime: string | undefined;
}

export type Decision =
  | { readonly verb: 'create'; readonly endpoints: NewObject<Endpoints> }
  /** Under the resource version that was read. */
  | { readonly verb: 'update'; readonly endpoints: Endpoints }
  | undefined;

/**
 * What to write, if anything. The time of the trigger alone is no reason, nor is the headless label: both come along when
 * something else is written (`syncService` in `pkg/controller/endpoint`).
 */
export function decide({ service, pods, current, triggerTime }: Snapshot): Decision {
  const all = desiredSubsets(service, pods);
  const fewer = truncate(all);
  const subsets = fewer ?? all;
  const labels = labelsFor(service);
  const given = current?.metadata.annotations;
  const truncated = fewer ? TRUNCATED : undefined;
  if (
    current &&
    given?.[OVER_CAPACITY] === truncated &&
    sameLabels(current.metadata.labels, labels) &&
    saysSame(current.subsets, subsets)
  ) {
    return undefined;
  }
  const annotations = withEntries(given, { [LAST_CHANGE_TRIGGER_TIME]: triggerTime, [OVER_CAPACITY]: truncated });
  const said = subsets.length > 0 ? { subsets } : {};
  if (current) {
    const { metadata, subsets: _, ...rest } = current;
    const { annotations: _given, ...others } = metadata;
    return { verb: 'update', endpoints: { ...rest, metadata: { ...others, labels, ...annotations }, ...said } };
  }
  const { name, namespace } = service.metadata;
  const { kind } = resources.endpoints;
  return {
    verb: 'create',
    endpoints: { apiVersion: 'v1', kind, metadata: { name, namespace: namespace!, labels, ...annotations }, ...said },
  };
}

/** The Service's own, and what this controller adds. */
function labelsFor(service: Service): StringMap {
  const { [HEADLESS]: _, ...labels } = service.metadata.labels ?? {};
  return { ...labels, ...(isHeadless(service) ? { [HEADLESS]: '' } : {}), [MANAGED_BY]: MANAGER };
}

function sameLabels(current: StringMap = {}, desired: StringMap): boolean {
  const { [HEADLESS]: _current, ...a } = current;
  const { [HEADLESS]: _desired, ...b } = desired;
  return semanticEqual(a, b);
}

/** Also where the order is another, as older versions made it, or versions of Pods are named, as they once were. */
function saysSame(current: readonly Subset[] = [], desired: readonly Subset[]): boolean {
  return semanticEqual(current, desired) || semanticEqual(repackSubsets(current.map(withoutVersions)), desired);
}

function withoutVersions({ addresses = [], notReadyAddresses = [], ports }: Subset): Subset {
  const plain = (address: EndpointAddress): EndpointAddress => {
    if (address.targetRef?.resourceVersion === undefined) return address;
    const { resourceVersion: _, ...targetRef } = address.targetRef;
    return { ...address, targetRef };
  };
  return {
    addresses: addresses.map(plain),
    notReadyAddresses: notReadyAddresses.map(plain),
    ...(ports ? { ports } : {}),
  };
}

/** As a field of metadata: entries set, or taken out where undefined; no field where none is left. */
function withEntries(
  map: StringMap = {},
  entries: Readonly<Record<string, string | undefined>>,
): { readonly annotations?: StringMap } {
  const kept = Object.entries({ ...map, ...entries }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return kept.length > 0 ? { annotations: Object.fromEntries(kept) } : {};
}
