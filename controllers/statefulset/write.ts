import {
  type NewObject,
  type PersistentVolumeClaim,
  type Pod,
  type StatefulSet,
  isAlreadyExists,
  isConflict,
  isNamespaceTerminating,
  isNotFound,
  keyOf,
  makeKey,
} from '#pkg/api';
import { describeError } from '#pkg/base';
import { aggregate, slowStart } from '#pkg/controller';

import { claimNames, hasForeignController, isClaimOwnerUpToDate, newClaims, withClaimOwners } from './claims.ts';
import { departing } from './departures.ts';
import { StatefulSetError } from './errors.ts';
import type { Readers } from './read.ts';
import { identityLabels, identityMatches, ordinalOf, podName } from './identity.ts';
import { storageMatches, volumesPatch } from './pod.ts';
import type { Plan, Snapshot, Step } from './snapshot.ts';

/** Carries out a plan for one set, tells of it by events, and knows afterwards which Pods there are. */
export class Writer {
  readonly #readers: Readers;
  readonly #snapshot: Snapshot;
  readonly #set: StatefulSet;
  readonly #signal: AbortSignal;
  readonly #pods: Readers['pods'];
  readonly #claims: Readers['claims'];
  readonly #created: Pod[] = [];
  readonly #deleted = new Set<Pod>();

  constructor(readers: Readers, snapshot: Snapshot, signal: AbortSignal) {
    this.#readers = readers;
    this.#snapshot = snapshot;
    this.#set = snapshot.set;
    this.#signal = signal;
    this.#pods = readers.pods;
    this.#claims = readers.claims;
  }

  /** Throws at the first phase of which something failed. */
  async carryOut(plan: Plan): Promise<void> {
    for (const { steps, parallel } of plan) {
      let next = 0;
      if (!parallel) for (const one of steps) await this.#inOrder(one);
      else {
        const { errors } = await slowStart(steps.length, () => this.#inOrder(steps[next++]!));
        if (errors.length > 0) throw aggregate(errors);
      }
    }
  }

  /** The set's Pods as the server must have them by now. */
  pods(): readonly Pod[] {
    const { pods, now } = this.#snapshot;
    return [...pods.map((pod) => (this.#deleted.has(pod) ? departing(pod, now) : pod)), ...this.#created];
  }

  async #inOrder(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      this.#signal.throwIfAborted();
      await this.#step(step);
    }
  }

  #step(step: Step): Promise<void> {
    switch (step.kind) {
      case 'create':
        return this.#create(step.pod, step.ordinal);
      case 'delete':
        return this.#delete(step.pod, step.why);
      case 'create-claims':
        return this.#completeClaims(step.pod);
      case 'repair':
        return this.#repair(step.pod);
      case 'own-claims':
        return this.#ownClaims(step.pod);
    }
  }

  async #create(draft: NewObject<Pod>, ordinal: number): Promise<void> {
    const name = podName(this.#set, ordinal);
    await this.#told('create', name, () => this.#createClaims(ordinal));
    let pod: Pod;
    try {
      pod = await this.#pods.create(this.#set, draft, { signal: this.#signal });
    } catch (error) {
      // Someone else has the name: a Pod of another owner, or one that the cache does not show yet.
      if (!isAlreadyExists(error)) this.#podEvent('create', name, error);
      throw error;
    }
    this.#created.push(pod);
    // Claims that were there before it may have to change hands.
    await this.#told('update', name, () => this.#ownClaims(pod));
    this.#podEvent('create', name);
  }

  async #delete(pod: Pod, why: string): Promise<void> {
    const { context, departures } = this.#readers;
    const { name, uid } = pod.metadata;
    context.log
      .v(2)
      ?.info('Pod of StatefulSet is to be deleted', { statefulSet: keyOf(this.#set), pod: keyOf(pod), why });
    try {
      await this.#pods.delete(pod.metadata, { preconditions: { uid }, signal: this.#signal });
    } catch (error) {
      // Another Pod of that name by now: none of what was decided holds for it.
      if (isConflict(error)) throw error;
      if (!isNotFound(error)) {
        this.#podEvent('delete', name, error);
        throw error;
      }
    }
    departures.deleted(pod, this.#pods.lister.get(keyOf(pod)));
    this.#deleted.add(pod);
    this.#podEvent('delete', name);
  }

  async #completeClaims(pod: Pod): Promise<void> {
    await this.#createClaims(ordinalOf(pod));
    await this.#told('update', pod.metadata.name, () => this.#ownClaims(pod));
  }

  /** Event `SuccessfulUpdate` also where only claims were put right, as upstream, which then writes the Pod as it is. */
  async #repair(pod: Pod): Promise<void> {
    const { name, uid } = pod.metadata;
    await this.#told('update', name, async () => {
      const set = this.#set;
      const ordinal = ordinalOf(pod);
      if (name !== podName(set, ordinal)) {
        throw new StatefulSetError('WrongName', `the name of the Pod must be ${podName(set, ordinal)}`, { name });
      }
      const fitsStorage = storageMatches(set, pod);
      if (!fitsStorage) await this.#createClaims(ordinal);
      await this.#ownClaims(pod);
      const fitsIdentity = identityMatches(set, pod);
      if (fitsIdentity && fitsStorage) return;
      const body = {
        metadata: { uid, ...(fitsIdentity ? {} : { labels: identityLabels(set, ordinal) }) },
        ...(fitsStorage ? {} : { spec: { volumes: volumesPatch(set, ordinal) } }),
      };
      await this.#pods.patch(set, pod.metadata, 'strategic', body, { signal: this.#signal });
    });
    this.#podEvent('update', name);
  }

  async #createClaims(ordinal: number): Promise<void> {
    const errors: unknown[] = [];
    for (const claim of newClaims(this.#set, ordinal)) {
      const name = claim.metadata.name!;
      const known = this.#cachedClaim(name);
      if (known === undefined) await this.#createClaim(claim, ordinal).catch((error: unknown) => errors.push(error));
      else if (known.metadata.deletionTimestamp !== undefined)
        errors.push(new StatefulSetError('ClaimDeleted', `pvc ${name} is being deleted`, { name }));
    }
    if (errors.length > 0) throw aggregate(errors);
  }

  async #createClaim(claim: NewObject<PersistentVolumeClaim>, ordinal: number): Promise<void> {
    const name = claim.metadata.name!;
    const pod = podName(this.#set, ordinal);
    const { name: set } = this.#set.metadata;
    try {
      await this.#claims.create(this.#set, claim, { signal: this.#signal });
    } catch (error) {
      if (this.#signal.aborted || isNamespaceTerminating(error)) throw error;
      const text = describeError(error);
      if (!isAlreadyExists(error)) {
        this.#event(
          'Warning',
          'FailedCreate',
          `Create Claim ${name} for Pod ${pod} in StatefulSet ${set} failed error: ${text}`,
        );
      }
      throw new StatefulSetError(
        'ClaimNotCreated',
        `failed to create PVC ${name}: ${text}`,
        { name },
        { cause: error },
      );
    }
    this.#event('Normal', 'SuccessfulCreate', `Create Claim ${name} Pod ${pod} in StatefulSet ${set} success`);
  }

  async #ownClaims(pod: Pod): Promise<void> {
    for (const name of claimNames(this.#set, ordinalOf(pod))) {
      const claim = this.#cachedClaim(name);
      if (!claim) continue;
      if (hasForeignController(claim, this.#set, pod)) {
        const conflict =
          'has a conflicting OwnerReference that acts as a manging controller, the retention policy is ignored for this claim';
        this.#event('Warning', 'ConflictingController', `PersistentVolumeClaim ${name} ${conflict}`);
      }
      if (isClaimOwnerUpToDate(claim, this.#set, pod)) continue;
      try {
        const owned = withClaimOwners(claim, this.#set, pod);
        await this.#claims.update(this.#set, owned, { signal: this.#signal });
      } catch (error) {
        if (this.#signal.aborted || isConflict(error)) throw error;
        const text = `could not update claim ${name} for delete policy ownerRefs: ${describeError(error)}`;
        throw new StatefulSetError('ClaimNotUpdated', text, { name }, { cause: error });
      }
    }
  }

  #cachedClaim(name: string): PersistentVolumeClaim | undefined {
    return this.#claims.lister.get(makeKey(this.#set.metadata.namespace, name));
  }

  /** Runs `action`; its failure is told as one of the Pod's. */
  async #told(verb: 'create' | 'update', name: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.#podEvent(verb, name, error);
      throw error;
    }
  }

  /** Nothing of what is no news to anybody: a stop, a conflict, a namespace that goes away. */
  #podEvent(verb: 'create' | 'update' | 'delete', name: string, error?: unknown): void {
    const title = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}`;
    const what = `${title} Pod ${name} in StatefulSet ${this.#set.metadata.name}`;
    if (error === undefined) this.#event('Normal', `Successful${title}`, `${what} successful`);
    else if (!this.#signal.aborted && !isConflict(error) && !isNamespaceTerminating(error)) {
      this.#event('Warning', `Failed${title}`, `${what} failed error: ${describeError(error)}`);
    }
  }

  #event(type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#readers.context.recorder.event(this.#set, type, reason, message);
  }
}
