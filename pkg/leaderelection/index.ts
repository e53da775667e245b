/**
 * Leader election with the names and rules of client-go: of several processes one leads, and another takes over when it
 * ends or falls silent. Candidates written in Go and these may stand for one lease.
 *
 * Beyond client-go: candidates watch the lease, so that one given back is taken up within a fraction of the retry period,
 * and an expired one when it expires; and the leader's writes can be fenced, so that a process which was stopped past its
 * lease writes nothing more. Give `fence` to the client with which the guarded work writes, and a client without it to
 * the lock.
 *
 *     const elector = new LeaderElector({
 *       lock: new LeaseLock({ client, namespace: 'kube-system', name: 'my-controller', identity, recorder }),
 *       leaseDuration: 15_000,
 *       renewDeadline: 10_000,
 *       retryPeriod: 2_000,
 *       releaseOnCancel: true,
 *       callbacks: {
 *         onStartedLeading: (signal) => runControllers(signal),
 *         onStoppedLeading: () => log.info('leader election lost'),
 *         onNewLeader: (identity) => log.info('new leader', { identity }),
 *       },
 *       clock: systemClock,
 *       random: systemRandom,
 *       log,
 *     });
 *     await elector.run(signal);
 *
 * It does not make two leaders impossible for things outside its reach: what a write sets going elsewhere is not undone
 * by losing the lease.
 */
export { type LeaderCallbacks, type LeaderElectionConfig } from './config.ts';
export { LeaderElector, runOrDie } from './elector.ts';
export { LeaderElectionError, type LeaderElectionErrorCode } from './errors.ts';
export { type CheckedElection, HealthzAdaptor } from './healthz-adaptor.ts';
export { LeaseLock, type LeaseLockOptions, type LockEventRecorder } from './lease-lock.ts';
export type { LeaderElectionRecord, LockCallOptions, ResourceLock } from './lock.ts';
