import { quote } from '#pkg/log';

import { type Graph, dependentsOf } from './graph.ts';
import { type Vertex, all } from './vertex.ts';

/**
 * The graph in DOT, for people who ask why something is there or has gone: of those UIDs and all that they hang together
 * with, or of everything that owns or is owned (`dump.go`).
 *
 * A whole graph takes long to write: `breathe` is awaited time and again, and lets others go first.
 */
export async function toDot(graph: Graph, breathe: () => Promise<void>, uids: readonly string[] = []): Promise<string> {
  const vertices = uids.length > 0 ? connected(graph, uids) : [...graph.vertices()];
  const shown = vertices.filter((vertex) => vertex.owners !== undefined || vertex.claims !== undefined);
  const definitions = ['  // Node definitions.\n'];
  const edges: string[] = [];
  for (const [i, vertex] of shown.toSorted((a, b) => order(a.uid, b.uid)).entries()) {
    if (i > 0 && i % BREATH === 0) await breathe();
    definitions.push(definition(vertex));
    for (const { claim } of all(vertex.owners)) edges.push(`  ${quote(vertex.uid)} -> ${quote(claim.owner.uid)};\n`);
  }
  const lines = ['strict digraph full {\n', ...(shown.length > 0 ? [definitions.join('')] : [])];
  if (edges.length > 0) lines.push('  // Edge definitions.\n', edges.toSorted(order).join(''));
  return `${lines.join('')}}\n`;
}

/** Records written in one go. */
const BREATH = 500;

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function connected(graph: Graph, uids: readonly string[]): Vertex[] {
  const found = new Set<Vertex>();
  const open = uids.map((uid) => graph.get(uid));
  for (let vertex = open.pop(); open.length > 0 || vertex !== undefined; vertex = open.pop()) {
    if (vertex === undefined || found.has(vertex)) continue;
    found.add(vertex);
    open.push(...all(vertex.owners).map(({ claim }) => claim.owner), ...dependentsOf(vertex));
  }
  return [...found];
}

interface Identity {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** Of what has not been seen, as the first dependent claims it to be. */
function identityOf(vertex: Vertex): Identity {
  if (vertex.kind !== undefined) {
    const { group, version, kind } = vertex.kind.resource;
    return { group, version, kind, namespace: vertex.namespace, name: vertex.name };
  }
  const [claim] = all(vertex.claims);
  const slash = claim?.apiVersion.indexOf('/') ?? -1;
  const [group, version] =
    slash < 0 ? ['', claim?.apiVersion ?? ''] : [claim!.apiVersion.slice(0, slash), claim!.apiVersion.slice(slash + 1)];
  return { group, version, kind: claim?.kind ?? '', namespace: claim?.namespace ?? '', name: claim?.name ?? '' };
}

function definition(vertex: Vertex): string {
  const { group, version, kind, namespace, name } = identityOf(vertex);
  const isMissing = !vertex.observed && all(vertex.claims).every(({ absent }) => absent);
  const states = {
    beingDeleted: vertex.deleting,
    deletingDependents: vertex.awaitsDependents,
    virtual: !vertex.observed && !isMissing,
    missingFromGraph: isMissing,
  };
  const told = Object.entries(states).flatMap(([state, holds]) => (holds ? [state] : []));
  const full = `${kind}.${version}${group === '' ? '' : `.${group}`}/${name}`;
  const attributes = {
    label: [`uid=${vertex.uid}`, `namespace=${namespace}`, full, ...(told.length > 0 ? [told.join()] : []), ''].join(
      '\n',
    ),
    group,
    version,
    kind,
    namespace,
    name,
    uid: vertex.uid,
    missing: String(isMissing),
    beingDeleted: String(states.beingDeleted),
    deletingDependents: String(states.deletingDependents),
    virtual: String(states.virtual),
  };
  const body = Object.entries(attributes).map(([attribute, value]) => `    ${attribute}=${quote(value)}\n`);
  return `  ${quote(vertex.uid)} [\n${body.join('')}  ];\n`;
}
