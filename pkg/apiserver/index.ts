/**
 * An API server in this process: a store, the API's verbs and semantics over it, HTTPS for kubectl and others, and
 * simulated nodes that make workloads move.
 *
 *     const server = createApiServer();
 *     const running = await server.serve({ port: 6443 });
 *     const text = await running.kubeconfig({ commonName: 'me', organizations: ['system:masters'] });
 *
 * For laptops, tests and examples. Nothing is kept when the process ends, no container is ever started, and the yardstick
 * of behaviour is a real kube-apiserver: use one where it is at hand and it matters.
 */
export {
  type ApiServer,
  type ApiServerOptions,
  type ListenOptions,
  type RunningServer,
  createApiServer,
} from './api-server.ts';
export type { ApiRequest, ApiResponse, RequestLog, RequestRecord, User } from './exchange.ts';
export type { Handler } from './handler/handler.ts';
export type { CertificateAuthority, ClientName, KeyPair } from './server/certificates.ts';
export type { InProcessRequest, InProcessResponse, InProcessTransport } from './server/in-process.ts';
export { type KubeconfigOptions, kubeconfig, writePrivate } from './server/kubeconfig.ts';
export {
  Entry,
  type ResourceName,
  type Store,
  StoreError,
  type StoreEvent,
  type StoreOptions,
  createStore,
} from './store/index.ts';
export { type Simulation, type SimulationOptions, startSimulation } from './simulation/simulation.ts';
