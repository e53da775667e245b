import { type ControllerContext, type ReconcileResult, aggregate, inParallel } from '#pkg/controller';

import { type PropagationPolicy, type Situation, decide } from './decide.ts';
import { CollectorError, isCollectorError } from './errors.ts';
import { type Graph, dependentsOf, isBlocked } from './graph.ts';
import type { Monitors } from './monitors.ts';
import type { Owners } from './owners.ts';
import { type Judged, type Outcome, type Writer, judged } from './write.ts';
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER, type Vertex, all } from './vertex.ts';

export interface CollectorParts {
  readonly context: Pick<ControllerContext, 'log'>;
  readonly graph: Graph;
  readonly monitors: Pick<Monitors, 'settling'>;
  readonly owners: Owners;
  readonly requests: Writer;
}

/** As soon as may be, with a delay that grows each time. */
const AGAIN: ReconcileResult = { requeueAfter: 0 };
/** So long the graph mostly takes to show what the server has refused a request for, ms. */
const CATCHING_UP = 25;
/** Time for what a new monitor sees first, ms. */
const SETTLING = 500;
/** An object that changes so often in a row while it is being deleted is left alone for a while. */
const DELETE_TRIES = 5;

/** Works on one vertex of the graph at a time: deletes it, lets it go, or finds out whether it is there at all. */
export class Collector {
  readonly #parts: CollectorParts;
  /** The version at which the server refused to delete it; of objects that are about to be looked at again. */
  readonly #refused = new Map<string, string>();

  constructor(parts: CollectorParts) {
    this.#parts = parts;
  }

  /** An object that may have to go, for its owners' sake or its own (`attemptToDeleteWorker`). */
  async collect(uid: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { graph, context } = this.#parts;
    const vertex = graph.get(uid);
    const object = vertex && judged(vertex);
    const refused = this.#refused.get(uid);
    this.#refused.delete(uid);
    if (vertex === undefined) return undefined;
    try {
      if (object === undefined) return await this.#verify(vertex, signal);
      if (vertex.awaitsDependents && !vertex.awaitsOrphans) return await this.#finishForeground(vertex, object, signal);
      // Being deleted is for good; its dependents are looked at when it has gone.
      if (!vertex.deleting) return await this.#judge(vertex, object, refused, signal);
    } catch (error) {
      // It will not be otherwise by itself, and nothing is to be done about it.
      if (isCollectorError(error, 'OwnerInNamespace'))
        context.log.v(2)?.info('Item is cluster-scoped, but refers to a namespaced owner', { item: describe(vertex) });
      // Of a kind that is to come, or that nobody ever comes to know.
      else if (isCollectorError(error, 'UnknownKind') || isCollectorError(error, 'Undecided')) {
        context.log.v(5)?.info('Error syncing item', { item: describe(vertex), err: error });
        return AGAIN;
      } else throw error;
    }
  }

  /** Lets the dependents live on, and then the object go (`attemptToOrphanWorker`). */
  async orphan(uid: string, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { graph, monitors, requests } = this.#parts;
    const vertex = graph.get(uid);
    const object = vertex && judged(vertex);
    if (!vertex?.awaitsOrphans || object === undefined) return undefined;
    if (monitors.settling) return { requeueAfter: SETTLING };
    const done = new Set<Vertex>();
    for (;;) {
      // Some may come to be seen while the others are let go.
      const dependents = [...dependentsOf(vertex)].filter((dependent) => !done.has(dependent));
      if (dependents.length === 0) break;
      const { errors } = await inParallel(dependents, async (dependent) => {
        const letGo = judged(dependent);
        if (letGo && (await requests.dropOwners(letGo, [uid], signal)) === 'changed') throw changed(letGo);
        done.add(dependent);
      });
      if (errors.length > 0) throw aggregate(errors);
    }
    return (await requests.removeFinalizer(object, ORPHAN_FINALIZER, signal)) === 'changed' ? AGAIN : undefined;
  }

  /** Asks whether there is what others claim as their owner, until it is seen or proven not to be there. */
  async #verify(vertex: Vertex, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { owners } = this.#parts;
    const claims = all(vertex.claims).filter(({ absent }) => !absent);
    const { errors } = await inParallel(claims, async (claim) => void (await owners.ask(claim, signal)));
    const open = errors.filter((error) => !isCollectorError(error, 'OwnerInNamespace'));
    if (open.length > 0) throw open.find((error) => !isCollectorError(error, 'UnknownKind')) ?? open[0];
    // It is there and has not been seen: it may have been and gone while nobody looked (kubernetes issue 56121).
    const isThere = all(vertex.claims).some(({ absent }) => !absent);
    return isThere && !vertex.observed && errors.length === 0 ? AGAIN : undefined;
  }

  /** Its end waits for dependents (`processDeletingDependentsItem`). */
  async #finishForeground(vertex: Vertex, object: Judged, signal: AbortSignal): Promise<ReconcileResult | void> {
    const { monitors, requests, context } = this.#parts;
    if (isBlocked(vertex)) return undefined;
    if (monitors.settling) return { requeueAfter: SETTLING };
    context.log.v(2)?.info('remove DeleteDependents finalizer for item', { item: describe(vertex) });
    return (await requests.removeFinalizer(object, FOREGROUND_FINALIZER, signal)) === 'changed' ? AGAIN : undefined;
  }

  async #judge(
    vertex: Vertex,
    object: Judged,
    refused: string | undefined,
    signal: AbortSignal,
  ): Promise<ReconcileResult | void> {
    const { owners, requests, context } = this.#parts;
    if (object.ownerships.length === 0) return undefined;
    const standings = await owners.standings(object.ownerships, signal);
    // What has been found out is about the owners that it had.
    if (vertex.owners === undefined || all(vertex.owners).some((each, i) => each !== object.ownerships[i]))
      return AGAIN;
    const verdict = decide(situationOf(vertex, standings));
    switch (verdict.kind) {
      case 'keep':
        return undefined;
      case 'drop-owners': {
        context.log.v(2)?.info('remove dangling references and waiting references for item', {
          item: describe(vertex),
          owners: verdict.uids,
        });
        return this.#settle(object, await requests.dropOwners(object, verdict.uids, signal));
      }
      case 'delete':
        context.log.v(2)?.info('Deleting item', { item: describe(vertex), propagationPolicy: verdict.policy });
        if (verdict.unblock && (await requests.unblockOwners(object, signal)) === 'gone')
          return this.#settle(object, 'gone');
        return this.#delete(object, verdict.policy, refused, signal);
    }
  }

  /**
   * Deletes what is as it was judged. After a refusal the graph is mostly about to show what changed; only where it does
   * not the server is asked.
   */
  async #delete(
    object: Judged,
    policy: PropagationPolicy,
    refused: string | undefined,
    signal: AbortSignal,
  ): Promise<ReconcileResult | void> {
    const { requests } = this.#parts;
    const { uid, version } = object;
    if (refused !== version) {
      const outcome = await requests.delete(object, policy, signal);
      if (outcome !== 'changed') return this.#settle(object, outcome);
      this.#refused.set(uid, version);
      return { requeueAfter: CATCHING_UP };
    }
    for (let attempt = 0; attempt < DELETE_TRIES; attempt++) {
      const renewed = await requests.renewed(object, signal);
      if (typeof renewed === 'string') return this.#settle(object, renewed);
      const outcome = await requests.delete(renewed, policy, signal);
      if (outcome !== 'changed') return this.#settle(object, outcome);
    }
    return AGAIN;
  }

  #settle(object: Judged, outcome: Outcome): ReconcileResult | void {
    const { graph } = this.#parts;
    if (outcome === 'changed') return AGAIN;
    // The event of its end may have been missed, or be long in coming.
    if (outcome === 'gone') graph.remove(object.kind, object.uid);
    return undefined;
  }
}

function situationOf(vertex: Vertex, owners: Situation['owners']): Situation {
  const dependents = [...dependentsOf(vertex)];
  return {
    owners,
    orphans: vertex.orphans,
    foreground: vertex.foreground,
    hasDependents: dependents.length > 0,
    hasWaitingDependent: dependents.some((dependent) => dependent.awaitsDependents),
  };
}

function changed({ kind: { apiVersion, resource } }: Judged): CollectorError {
  return new CollectorError('Undecided', 'the object has changed meanwhile', { apiVersion, kind: resource.kind });
}

/** As upstream writes an identity (`objectReference.String`). */
export function describe(vertex: Vertex | undefined): string {
  if (vertex === undefined) return '[]';
  const { kind, namespace, name, uid } = vertex;
  return `[${kind?.apiVersion ?? ''}/${kind?.resource.kind ?? ''}, namespace: ${namespace}, name: ${name}, uid: ${uid}]`;
}
