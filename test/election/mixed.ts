/**
 * The original manager and ours on one lease of a real API server, in turn: each leader is killed, told to stop, or
 * stopped past its lease and continued, and the other kind takes over. Each term has to do its work, the Lease has to
 * stay one that both understand, and of a leader of ours that wakes up behind its lease the server's record of requests
 * must show no write at all.
 *
 *     KUBEBUILDER_ASSETS=... node test/election/mixed.ts [terms, 12]
 *
 * Each process has a user of its own, so that the record says who wrote. Skipped where there is no original to stand against.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { type Lease, isNotFound, resources } from '#pkg/api';
import { describeError } from '#pkg/base';

import { AuditLog, type RecordedRequest } from '../harness/audit-log.ts';
import { type ControlPlane, originalManager, startControlPlane } from '../harness/control-plane.ts';
import { MAIN } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { Child } from '../harness/processes.ts';
import { type TestClient, createTestClient } from '../harness/test-client.ts';
import { type Workspace, namespacesOf, template } from '../harness/workspace.ts';

const LEASE = { namespace: 'kube-system', name: 'kube-controller-manager' };
const DURATION = 6000;
const FLAGS = [
  '--secure-port=0',
  '--controllers=deployment-controller,replicaset-controller',
  `--leader-elect-lease-duration=${DURATION}ms`,
  '--leader-elect-renew-deadline=4s',
  '--leader-elect-retry-period=1s',
];
/** Longer than a lease and its takeover on a busy machine, ms. */
const TAKEOVER = 45_000;
const MICRO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

type Kind = 'original' | 'ours';
type End = 'SIGKILL' | 'SIGTERM' | 'SIGSTOP';

interface Candidate {
  readonly kind: Kind;
  readonly user: string;
  readonly child: Child;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

class Contest {
  readonly wrong: string[] = [];
  readonly #plane: ControlPlane;
  readonly #access: TestClient;
  readonly #audit: AuditLog;
  readonly #original: string;
  readonly #candidates: Candidate[] = [];
  #image = 1;

  constructor(plane: ControlPlane, access: TestClient, audit: AuditLog, original: string) {
    this.#plane = plane;
    this.#access = access;
    this.#audit = audit;
    this.#original = original;
  }

  async start(kind: Kind): Promise<Candidate> {
    const user = `${kind}-${this.#candidates.length + 1}`;
    const flags = [`--kubeconfig=${await this.#plane.member!(user)}`, ...FLAGS];
    const child =
      kind === 'original'
        ? new Child(user, this.#original, flags)
        : new Child(user, process.execPath, [MAIN, ...flags]);
    const candidate = { kind, user, child };
    this.#candidates.push(candidate);
    await child.prints(/attempting to acquire leader lease/i, TAKEOVER);
    return candidate;
  }

  async lease(): Promise<Lease['spec']> {
    try {
      return (await this.#access.client.resource(resources.leases).get(LEASE)).spec;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** The lease once somebody other than `before` holds it. */
  next(before: string): Promise<NonNullable<Lease['spec']>> {
    return eventually(async () => {
      const spec = await this.lease();
      if (!spec?.holderIdentity || spec.holderIdentity === before)
        throw new Error(`nobody leads after ${before || 'the start'}`);
      return spec;
    }, TAKEOVER);
  }

  /** A new image is rolled out, and by this leader. */
  async work(leader: Candidate, at: Workspace): Promise<void> {
    const from = this.#audit.records().length;
    await at.update({ template: template(`app:v${++this.#image}`) });
    await eventually(async () => {
      await at.complete();
    }, TAKEOVER);
    const writers = new Set(
      this.#writes(from)
        .filter(({ resource }) => resource !== 'leases' && resource !== 'events')
        .map(({ user }) => user),
    );
    if ([...writers].join(' ') !== leader.user)
      this.wrong.push(`${[...writers].join(' ') || 'nobody'} wrote while ${leader.user} led`);
  }

  /** What the record shows of all candidates' requests that change something. */
  #writes(from: number): RecordedRequest[] {
    const users = new Set(this.#candidates.map(({ user }) => user));
    return this.#audit
      .records()
      .slice(from)
      .filter(({ user, verb }) => users.has(user) && WRITES.has(verb));
  }

  /** Its writes since it woke up, and how it ended. */
  async afterwards({ kind, user, child }: Candidate, at: Workspace): Promise<string> {
    const from = this.#audit.records().length;
    // Something to do, for one who believes to lead.
    await at.update({ replicas: 2 + (this.#image % 2) });
    child.process.kill('SIGCONT');
    await child.until(() => !child.running, 'end', TAKEOVER);
    await pause(1000);
    const writes = this.#writes(from).filter((one) => one.user === user);
    const done = writes.map(({ verb, resource, code }) => `${verb} ${resource} ${code}`);
    if (kind === 'ours' && done.length > 0) this.wrong.push(`${user} wrote after its lease: ${done.join(', ')}`);
    return `ended with ${child.process.exitCode}, ${done.length} writes after waking${done.length > 0 ? `: ${done.join(', ')}` : ''}`;
  }

  async close(): Promise<void> {
    for (const { child } of this.#candidates) if (child.running) await child.stop('SIGKILL');
  }
}

async function play(contest: Contest, at: Workspace, terms: number): Promise<void> {
  let leader = await contest.start('original');
  let spec = await contest.next('');
  await at.createDeployment({ replicas: 3 });
  for (let term = 1; term <= terms; term++) {
    const standby = await contest.start(leader.kind === 'original' ? 'ours' : 'original');
    await contest.work(leader, at);
    // Both kinds meet every end.
    const end: End = (['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const)[Math.floor((term - 1) / 2) % 3]!;
    const start = performance.now();
    if (end === 'SIGSTOP') await at.update({ template: template(`app:stop-${term}`) });
    leader.child.process.kill(end);
    const next = await contest.next(spec.holderIdentity!);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    const after =
      end === 'SIGSTOP' ? await contest.afterwards(leader, at) : `ended with ${await leader.child.stop('SIGCONT')}`;
    print(
      `term ${term}: ${leader.user} ${end} -> ${standby.user} after ${seconds} s, transitions ${next.leaseTransitions}; ${after}`,
    );
    if (next.leaseTransitions !== (spec.leaseTransitions ?? 0) + 1)
      contest.wrong.push(`transitions went from ${spec.leaseTransitions} to ${next.leaseTransitions}`);
    if (next.leaseDurationSeconds !== DURATION / 1000)
      contest.wrong.push(`the lease's duration is ${next.leaseDurationSeconds}`);
    for (const time of [next.acquireTime, next.renewTime])
      if (!MICRO_TIME.test(String(time))) contest.wrong.push(`${time} is no MicroTime`);
    if (end === 'SIGTERM' && leader.kind === 'ours' && leader.child.process.exitCode !== 0)
      contest.wrong.push(`${leader.user} ended with ${leader.child.process.exitCode}`);
    [leader, spec] = [standby, next];
  }
  await contest.work(leader, at);
}

async function main(original: string): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'mixed-'));
  const audit = new AuditLog(join(folder, 'audit.log'));
  const plane = await startControlPlane({ auditLog: audit.path });
  const access = await createTestClient(plane.adminKubeconfig);
  const contest = new Contest(plane, access, audit, original);
  try {
    await play(contest, await namespacesOf(access.client)('mixed election'), Number(process.argv[2] ?? 12));
    return contest.wrong;
  } finally {
    await contest.close();
    await access.close();
    await plane.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const original = originalManager();
if (original === undefined) {
  print(
    'mixed election: skipped, set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kube-controller-manager',
  );
} else {
  try {
    const wrong = await main(original);
    for (const line of wrong) print(`FAILED: ${line}`);
    print(
      wrong.length === 0 ? 'every term did its work, and nobody wrote behind its lease' : `${wrong.length} failures`,
    );
    process.exitCode = wrong.length === 0 ? 0 : 1;
  } catch (error) {
    print(`FAILED: ${describeError(error)}`);
    process.exitCode = 1;
  }
}
