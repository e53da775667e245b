import { ownValue } from '#pkg/base';
import { type Selector, SelectorError, parseSelector } from '#pkg/api';
import { type JsonObject, objectAt, stringAt } from '../json.ts';
import { badRequest } from '../refusals.ts';
import { type Resource, indexes } from '../registry/registry.ts';
import type { Entry, WatchScope } from '../store/index.ts';

/** Which objects of a resource a list or watch is about. */
export interface Selection {
  /** Everything in scope matches: counts need no filter. */
  readonly all: boolean;
  readonly scope: WatchScope;
  readonly matches: (entry: Entry) => boolean;
}

type FieldOf = (object: Readonly<JsonObject>) => string;

const path =
  (...names: readonly string[]): FieldOf =>
  (object) => {
    let value: unknown = object;
    for (const name of names) value = ownValue(value as JsonObject | undefined, name);
    return typeof value === 'string'
      ? value
      : typeof value === 'number' || typeof value === 'boolean'
        ? String(value)
        : '';
  };
const bool =
  (...names: readonly string[]): FieldOf =>
  (object) =>
    path(...names)(object) === 'true' ? 'true' : 'false';
const number =
  (...names: readonly string[]): FieldOf =>
  (object) =>
    path(...names)(object) || '0';

function paths(...labels: readonly string[]): Record<string, FieldOf> {
  return Object.fromEntries(labels.map((label) => [label, path(...label.split('.'))]));
}

const REFERENCE_FIELDS = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
const referencePaths = (label: string): Record<string, FieldOf> =>
  Object.fromEntries(REFERENCE_FIELDS.map((field) => [`${label}.${field}`, path('involvedObject', field)]));
const eventSource: FieldOf = (object) => path('source', 'component')(object) || path('reportingComponent')(object);

/** Field labels beyond name and namespace, by stored resource (`AddFieldLabelConversionFunc` of the API groups). */
const FIELDS: Readonly<Record<string, Readonly<Record<string, FieldOf>>>> = {
  pods: {
    ...paths(
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'status.phase',
      'status.podIP',
      'status.nominatedNodeName',
    ),
    'status.podIPs': path('status', 'podIP'),
    'spec.hostNetwork': bool('spec', 'hostNetwork'),
  },
  nodes: { 'spec.unschedulable': bool('spec', 'unschedulable') },
  namespaces: paths('status.phase'),
  secrets: paths('type'),
  services: paths('spec.clusterIP', 'spec.type'),
  replicationcontrollers: { 'status.replicas': number('status', 'replicas') },
  'replicasets.apps': { 'status.replicas': number('status', 'replicas') },
  'jobs.batch': { 'status.successful': number('status', 'succeeded') },
  'certificatesigningrequests.certificates.k8s.io': paths('spec.signerName'),
  'resourceslices.resource.k8s.io': paths('spec.nodeName', 'spec.driver'),
  events: {
    ...referencePaths('involvedObject'),
    ...referencePaths('regarding'),
    ...paths('reason', 'type'),
    reportingComponent: path('reportingComponent'),
    reportingController: path('reportingComponent'),
    source: eventSource,
  },
};

interface FieldTerm {
  readonly label: string;
  readonly value: string;
  readonly negated: boolean;
  readonly field: FieldOf;
}

export interface SelectionQuery {
  readonly namespace?: string;
  /** The object that a watch of a single one names. */
  readonly name?: string;
  readonly labelSelector?: string | null;
  readonly fieldSelector?: string | null;
}

/** Compiles what a query selects; 400 where the selectors cannot be read. */
export function select(resource: Resource, query: SelectionQuery): Selection {
  const labels = compileLabels(query.labelSelector);
  const fields = parseFieldSelector(query.fieldSelector ?? '', resource);
  const exact = (label: string): string | undefined =>
    fields.find((term) => term.label === label && !term.negated)?.value;
  const name = query.name ?? exact('metadata.name');
  const namespace = query.namespace ?? (resource.namespaced ? exact('metadata.namespace') : undefined);
  const indexed = exact(ownValue(indexes, resource.storage)?.field ?? '');
  const key =
    name === undefined
      ? undefined
      : resource.namespaced
        ? namespace === undefined
          ? undefined
          : `${namespace}/${name}`
        : name;
  return {
    all: labels.everything && fields.length === 0 && query.name === undefined,
    scope: {
      ...(namespace === undefined ? {} : { namespace }),
      ...(key === undefined ? {} : { key }),
      ...(indexed === undefined || indexed === '' ? {} : { indexed }),
    },
    matches: (entry) => {
      const metadata = objectAt(entry.object, 'metadata');
      if (namespace !== undefined && namespace !== metadata?.['namespace']) return false;
      if (name !== undefined && name !== metadata?.['name']) return false;
      for (const term of fields) if ((term.field(entry.object) === term.value) === term.negated) return false;
      return labels.everything || labels.matches(metadata?.['labels'] as Record<string, string> | undefined);
    },
  };
}

function compileLabels(text: string | null | undefined): Selector {
  try {
    return parseSelector(text ?? '');
  } catch (error) {
    if (error instanceof SelectorError) throw badRequest(error.message);
    throw error;
  }
}

function parseFieldSelector(text: string, resource: Resource): FieldTerm[] {
  return splitTerms(text).map((term) => {
    const match = /^((?:[^=!\\]|\\.)*?)(==|!=|=)(.*)$/s.exec(term);
    if (match === null) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
    const [, label, operator, value] = match as unknown as [string, string, string, string];
    return {
      label,
      value: value.replace(/\\(.)/gs, '$1'),
      negated: operator === '!=',
      field: fieldOf(label, resource),
    };
  });
}

function fieldOf(label: string, resource: Resource): FieldOf {
  if (label === 'metadata.name') return (object) => stringAt(object['metadata'], 'name') ?? '';
  if (label === 'metadata.namespace' && resource.namespaced)
    return (object) => stringAt(object['metadata'], 'namespace') ?? '';
  if (resource.custom !== undefined) {
    const field = resource.custom.fields.get(label);
    if (field === undefined) throw badRequest(`field label not supported: ${label}`);
    return field;
  }
  const own = ownValue(FIELDS, resource.storage);
  if (own === undefined)
    throw badRequest(`"${label}" is not a known field selector: only "metadata.name", "metadata.namespace"`);
  const field = ownValue(own, label);
  if (field === undefined) throw badRequest(`field label not supported: ${label}`);
  return field;
}

/** At commas that no backslash escapes. */
function splitTerms(text: string): string[] {
  return text
    .split(/(?<!\\),/)
    .map((term) => term.trim())
    .filter((term) => term !== '');
}
