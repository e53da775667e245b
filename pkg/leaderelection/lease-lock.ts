import { type KubeObject, type Lease, type NewObject, type StringMap, isNotFound, resources } from '#pkg/api';
import type { Client, ResourceClient } from '#pkg/client';
import { LeaderElectionError } from './errors.ts';
import type { LeaderElectionRecord, LockCallOptions, ResourceLock } from './lock.ts';

/** The part of an event recorder that a lock needs. */
export interface LockEventRecorder {
  event(about: KubeObject, type: 'Normal', reason: string, message: string): void;
}

export interface LeaseLockOptions {
  readonly client: Client;
  readonly namespace: string;
  readonly name: string;
  /** Unique among all candidates: `<hostname>_<uuid>`. */
  readonly identity: string;
  /** Its client must not be fenced: it tells of the end of leading, too. */
  readonly recorder?: LockEventRecorder;
  /** Set on the Lease by every write, beside what labels it has. */
  readonly labels?: StringMap;
}

/**
 * The lock as a `coordination.k8s.io/v1` Lease, shared with managers written in Go. All requests go over the lane
 * `lease`, which no other load can fill.
 */
export class LeaseLock implements ResourceLock {
  readonly identity: string;
  readonly #options: LeaseLockOptions;
  readonly #leases: ResourceClient<Lease>;
  /** The lease as it was last read or written. */
  #lease: Lease | undefined;

  constructor(options: LeaseLockOptions) {
    this.identity = options.identity;
    this.#options = options;
    this.#leases = options.client.resource(resources.leases);
  }

  describe(): string {
    return `${this.#options.namespace}/${this.#options.name}`;
  }

  async get(options: LockCallOptions): Promise<LeaderElectionRecord | undefined> {
    try {
      const { namespace, name } = this.#options;
      const lease = await this.#leases.get({ namespace, name }, { ...options, lane: 'lease' });
      return recordOf(this.#keep(lease, options));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async create(record: LeaderElectionRecord, options: LockCallOptions): Promise<void> {
    const { namespace, name, labels } = this.#options;
    const lease: NewObject<Lease> = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace, ...(labels === undefined ? {} : { labels }) },
      spec: specOf(record, undefined),
    };
    this.#keep(await this.#leases.create(lease, { ...options, lane: 'lease' }), options);
  }

  async update(record: LeaderElectionRecord, options: LockCallOptions): Promise<void> {
    const known = this.#lease;
    if (known === undefined)
      throw new LeaderElectionError('lock-not-read', 'lease not initialized, call get or create first');
    const { labels } = this.#options;
    const lease: Lease = {
      ...known,
      metadata:
        labels === undefined ? known.metadata : { ...known.metadata, labels: { ...known.metadata.labels, ...labels } },
      spec: specOf(record, known.spec),
    };
    this.#keep(await this.#leases.update(lease, { ...options, lane: 'lease' }), options);
  }

  recordEvent(message: string): void {
    if (this.#options.recorder === undefined || this.#lease === undefined) return;
    const about: KubeObject = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: this.#lease.metadata };
    this.#options.recorder.event(about, 'Normal', 'LeaderElection', `${this.identity} ${message}`);
  }

  async *watch(signal: AbortSignal): AsyncGenerator<LeaderElectionRecord | undefined> {
    const { namespace, name } = this.#options;
    // Without a resource version the stream begins with the Lease as it is.
    const events = this.#leases.watch({ namespace, fieldSelector: `metadata.name=${name}`, signal, lane: 'lease' });
    for await (const event of events) {
      if (event.type === 'ADDED' || event.type === 'MODIFIED') yield recordOf(event.object);
      else if (event.type === 'DELETED') yield undefined;
    }
  }

  #keep(lease: Lease, { signal }: LockCallOptions): Lease {
    signal.throwIfAborted();
    this.#lease = lease;
    return lease;
  }
}

/** A Lease may lack anything: nobody has to hold it. */
function recordOf({ spec }: Lease): LeaderElectionRecord {
  return {
    holderIdentity: spec?.holderIdentity ?? '',
    leaseDurationSeconds: spec?.leaseDurationSeconds ?? 0,
    acquireTime: spec?.acquireTime ?? '',
    renewTime: spec?.renewTime ?? '',
    leaderTransitions: spec?.leaseTransitions ?? 0,
    ...(spec?.strategy ? { strategy: spec.strategy } : {}),
    ...(spec?.preferredHolder ? { preferredHolder: spec.preferredHolder } : {}),
  };
}

function specOf(record: LeaderElectionRecord, known: Lease['spec']): Lease['spec'] {
  return {
    ...known,
    holderIdentity: record.holderIdentity,
    leaseDurationSeconds: record.leaseDurationSeconds,
    acquireTime: record.acquireTime,
    renewTime: record.renewTime,
    leaseTransitions: record.leaderTransitions,
    ...(record.strategy === undefined ? {} : { strategy: record.strategy }),
    ...(record.preferredHolder === undefined ? {} : { preferredHolder: record.preferredHolder }),
  };
}
