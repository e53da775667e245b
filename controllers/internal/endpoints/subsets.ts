import { fnv128a } from '#pkg/base';

import type { EndpointAddress, Subset, SubsetPort } from './types.ts';

/** An address that serves a port, or none at all: Services without an address of their own need no ports. */
export interface Served {
  readonly address: EndpointAddress;
  readonly ready: boolean;
  readonly port?: SubsetPort | undefined;
}

/** One of the addresses, in the order in which the first of its kind came. */
interface Member {
  readonly address: EndpointAddress;
  readonly id: number;
}

type Readiness = Map<Member, boolean>;

interface PortGroup {
  readonly port: SubsetPort | undefined;
  readonly members: Readiness;
}

/** The subsets anew, in canonical form. */
export function repackSubsets(subsets: readonly Subset[]): readonly Subset[] {
  return packSubsets(subsets.flatMap(servedBy));
}

function servedBy({ addresses = [], notReadyAddresses = [], ports = [] }: Subset): Served[] {
  const all = [
    ...addresses.map((address) => ({ address, ready: true })),
    ...notReadyAddresses.map((address) => ({ address, ready: false })),
  ];
  const every: readonly (SubsetPort | undefined)[] = ports.length === 0 ? [undefined] : ports;
  return every.flatMap((port) => all.map((one) => ({ ...one, port })));
}

/**
 * The fewest subsets that say the same, in the one order that there is: ports that all of the same addresses serve, as
 * ready or as not, share a subset. An address is one by its IP and the uid of its object, and is described as where it
 * came first; where a port has it both ready and not, it is not (`RepackSubsets` in `pkg/api/v1/endpoints`).
 */
export function packSubsets(served: readonly Served[]): readonly Subset[] {
  const subsets = groupByAddresses(groupByPort(served)).map(({ ports, members }) => subsetOf(ports, members));
  if (subsets.length < 2) return subsets;
  return byHash(subsets, (subset) => struct('v1.EndpointSubset', subsetFields(subset)));
}

function groupByPort(served: readonly Served[]): PortGroup[] {
  const members = new Map<string, Member>();
  const groups = new Map<string, PortGroup>();
  for (const { address, ready, port } of served) {
    const identity = `${address.ip} ${address.targetRef?.uid ?? ''}`;
    let member = members.get(identity);
    if (!member) members.set(identity, (member = { address, id: members.size }));
    const key = port ? portText(port) : '';
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { port, members: new Map() }));
    group.members.set(member, ready && group.members.get(member) !== false);
  }
  return [...groups.values()];
}

function groupByAddresses(
  groups: readonly PortGroup[],
): { readonly ports: SubsetPort[]; readonly members: Readiness }[] {
  const byAddresses = new Map<string, { readonly ports: SubsetPort[]; readonly members: Readiness }>();
  for (const { port, members } of groups) {
    const ids = Array.from(members, ([{ id }, ready]) => (ready ? id : -1 - id));
    const key = groups.length < 2 ? '' : ids.toSorted((a, b) => a - b).join();
    let group = byAddresses.get(key);
    if (!group) byAddresses.set(key, (group = { ports: [], members }));
    if (port) group.ports.push(port);
  }
  return [...byAddresses.values()];
}

function subsetOf(ports: readonly SubsetPort[], members: Readiness): Subset {
  const addresses = Array.from(members).toSorted(([a], [b]) => compareAddresses(a.address, b.address));
  const where = (state: boolean): EndpointAddress[] =>
    addresses.filter(([, ready]) => ready === state).map(([{ address }]) => address);
  const ready = where(true);
  const notReady = where(false);
  return {
    ...(ready.length > 0 ? { addresses: ready } : {}),
    ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
    ...(ports.length > 0 ? { ports: ports.length < 2 ? ports : byHash(ports, portText) } : {}),
  };
}

/** By text, not by number; then those without an object, then by its uid (`LessEndpointAddress`). */
function compareAddresses(a: EndpointAddress, b: EndpointAddress): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1;
  if (!a.targetRef || !b.targetRef) return Number(a.targetRef !== undefined) - Number(b.targetRef !== undefined);
  const [first, second] = [a.targetRef.uid ?? '', b.targetRef.uid ?? ''];
  return first < second ? -1 : Number(first > second);
}

function byHash<T>(items: readonly T[], text: (item: T) => string): T[] {
  const hashed = items.map((item) => ({ item, hash: fnv128a(text(item)) }));
  return hashed.toSorted((a, b) => (a.hash < b.hash ? -1 : Number(a.hash > b.hash))).map(({ item }) => item);
}

// Texts to hash, as `dump.ForHash` of `k8s.io/utils` prints the types of Go: each field with its type, nothing as <nil>.

type Text = string | number;

const struct = (type: string, fields: Text): string => `(${type})${fields}`;
const string = (value: string | undefined): string => `(string)${value ?? ''}`;
const pointer = (value: string | undefined): string => `(*string)${value ?? '<nil>'}`;

function list<T>(type: string, items: readonly T[] | undefined, text: (item: T) => string): string {
  return `([]${type})${items?.length ? `[${items.map(text).join(' ')}]` : '<nil>'}`;
}

function subsetFields({ addresses, notReadyAddresses, ports }: Subset): string {
  const shown = (some: readonly EndpointAddress[] | undefined): string =>
    list('v1.EndpointAddress', some, addressFields);
  return `{Addresses:${shown(addresses)} NotReadyAddresses:${shown(notReadyAddresses)} Ports:${list('v1.EndpointPort', ports, portFields)}}`;
}

function addressFields({ ip, hostname, nodeName, targetRef }: EndpointAddress): string {
  return `{IP:${string(ip)} Hostname:${string(hostname)} NodeName:${pointer(nodeName)} TargetRef:(*v1.ObjectReference)${referenceFields(targetRef)}}`;
}

function referenceFields(reference: EndpointAddress['targetRef']): string {
  if (!reference) return '<nil>';
  const { kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath } = reference;
  const object = `Kind:${string(kind)} Namespace:${string(namespace)} Name:${string(name)} UID:(types.UID)${uid ?? ''}`;
  return `{${object} APIVersion:${string(apiVersion)} ResourceVersion:${string(resourceVersion)} FieldPath:${string(fieldPath)}}`;
}

function portFields({ name, port, protocol, appProtocol }: SubsetPort): string {
  return `{Name:${string(name)} Port:(int32)${port} Protocol:(v1.Protocol)${protocol ?? ''} AppProtocol:${pointer(appProtocol)}}`;
}

function portText(port: SubsetPort): string {
  return struct('v1.EndpointPort', portFields(port));
}
