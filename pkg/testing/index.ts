/**
 * What tests and benchmarks share: a fake clock, contract suites, fault injection. Production code never imports it.
 *
 *     const clock = new FakeClock('2026-01-02T03:04:05Z');
 *     const waiting = sleep(clock, 1000);
 *     await clock.step(1000);
 *     await waiting;
 */
export { FakeClock, failureOf, settle } from './fake-clock.ts';
export { ScriptedCollection, type ScriptedRequest, refusal } from './scripted-collection.ts';
export * from './workloads.ts';
export * from './stateful-sets.ts';
export { RecordedEvents } from './recorded-events.ts';
export { type InformerWorld, informerWorld } from './informer-world.ts';
export { ReplicaHandler, versionsOf } from './replica-handler.ts';
export {
  type ClusterChange,
  type ClusterRequest,
  FakeCluster,
  type FakeClusterOptions,
  type Fault,
} from './fake-cluster.ts';
export { HOSTILE_DATA_KEYS, HOSTILE_KEYS, HOSTILE_NAME, hostileKey, withHostileKey } from './hostile-names.ts';
export { type FakeKubeletOptions, runFakeKubelet } from './fake-kubelet.ts';
export { LaggingInformers, type LaggingInformersOptions } from './lagging-informers.ts';
export { World, type WorldOptions, createWorld } from './world.ts';
export { type LockWorld, describeLockContract } from './lock-contract.ts';
export { MemoryLockStore } from './memory-lock.ts';
export { type IssueOptions, type KeyPair, type TestAuthority, testAuthority } from './test-certificates.ts';
export * from './transport-contract.ts';
export { type TestServer, type TestServerOptions, startTestServer } from './transport-server.ts';
export { QueueModel } from './queue-model.ts';
export { type CutKind, TcpProxy } from './tcp-proxy.ts';
export { type ControllerSettings, createControllers } from './create-controllers.ts';
export { ServerWorld, type ServerWorldOptions, createServerWorld } from './server-world.ts';
export { FastClock } from './fast-clock.ts';
export { FaultyTransport, corrupted, refusing, shuffledLines, truncated } from './faulty-transport.ts';
export { type StoreSettings, storeContract } from './store-contract.ts';
export { type JobKubeletOptions, type PodEnd, runJobKubelet } from './job-kubelet.ts';
export { type JobParts, job, newJob } from './jobs.ts';
export { Http2Peer, type PeerFrame, rawFrame, rawHeaders, rawNumber, rawSettings } from './http2-peer.ts';
