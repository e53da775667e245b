import type { Clock, Random } from '#pkg/base';
import { systemClock, systemRandom } from '#pkg/base';
import { type Logger, silentLogger } from '#pkg/log';
import { RbacAuthorizer } from './auth/authorizer.ts';
import { TokenIssuer } from './auth/tokens.ts';
import { admin } from './auth/users.ts';
import { bootstrap } from './bootstrap.ts';
import { CustomResources } from './custom-resources/index.ts';
import { removeEndpointsOfServices } from './endpoints-of-services.ts';
import { expireEvents } from './event-expiry.ts';
import type { RequestLog, User } from './exchange.ts';
import { Bookmarks } from './handler/bookmarks.ts';
import type { Core } from './handler/call.ts';
import { deleteEverything } from './handler/delete.ts';
import { type Handler, createHandler } from './handler/handler.ts';
import { Registry, indexes } from './registry/registry.ts';
import type { ClientName, KeyPair } from './server/certificates.ts';
import { type InProcessTransport, inProcessTransport } from './server/in-process.ts';
import { kubeconfig } from './server/kubeconfig.ts';
import { type Served, serve } from './server/serve.ts';
import { type Store, createStore } from './store/index.ts';

export interface ApiServerOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly log?: Logger;
  /** Told of every request when its answer begins. */
  readonly requestLog?: RequestLog;
  /** How many changes of each resource are remembered for watches to resume from. */
  readonly historyPerResource?: number;
  /** Freeze what is stored. For tests. */
  readonly freeze?: boolean;
}

export interface ListenOptions {
  /** 0, the default, lets the system choose. */
  readonly port?: number;
  /** Loopback where missing. */
  readonly host?: string;
}

/** A server that is being served over HTTPS. */
export interface RunningServer extends Served {
  /** PEM. */
  readonly ca: string;
  /** A client certificate for a user of this cluster. */
  clientCertificate(name: ClientName): Promise<KeyPair>;
  /** The text of a kubeconfig for a user of this cluster. */
  kubeconfig(name: ClientName): Promise<string>;
}

export interface ApiServer {
  readonly handler: Handler;
  readonly store: Store;
  readonly registry: Registry;
  readonly tokens: TokenIssuer;
  /** Requests without sockets, as `user` (who may do everything, where missing) unless they bring a token. */
  inProcessTransport(user?: User): InProcessTransport;
  serve(options?: ListenOptions): Promise<RunningServer>;
  /** Ends everything that is served or was carried in process. */
  close(): Promise<void>;
}

/** An API server with its own store; it holds what a new cluster holds. */
export function createApiServer(options: ApiServerOptions = {}): ApiServer {
  const { clock = systemClock, random = systemRandom, log = silentLogger } = options;
  const store = createStore({
    ...(options.historyPerResource === undefined ? {} : { historyPerResource: options.historyPerResource }),
    ...(options.freeze === undefined ? {} : { freeze: options.freeze }),
  });
  for (const [resource, { index }] of Object.entries(indexes)) store.define(resource, index);
  const registry = new Registry();
  bootstrap({ store, registry, clock, random }, {});
  const authorizer = new RbacAuthorizer(store);
  const tokens = new TokenIssuer(store, clock);
  const core: Core = { store, registry, clock, random, log, authorizer, tokens, bookmarks: new Bookmarks(clock) };
  const custom = new CustomResources({
    store,
    registry,
    clock,
    deleteAll: (resource) => deleteEverything(core, resource),
  });
  const handler = createHandler(core, options.requestLog);
  const stopExpiry = expireEvents(store, clock);
  const stopEndpoints = removeEndpointsOfServices(core);
  const closers: (() => Promise<void>)[] = [
    async () => authorizer.close(),
    async () => stopExpiry(),
    async () => stopEndpoints(),
    async () => custom.close(),
  ];
  return {
    handler,
    store,
    registry,
    tokens,
    inProcessTransport(user = admin) {
      const transport = inProcessTransport(handler, user);
      closers.push(() => transport.close());
      return transport;
    },
    async serve(listen = {}) {
      const running = await startServing(handler, core, listen, log);
      closers.push(() => running.close());
      return running;
    },
    async close() {
      await Promise.all(closers.splice(0).map((close) => close()));
    },
  };
}

async function startServing(handler: Handler, core: Core, listen: ListenOptions, log: Logger): Promise<RunningServer> {
  const host = listen.host ?? '127.0.0.1';
  // Loaded only where there is TLS: the certificate library takes longer to load than all of this package.
  const { CertificateAuthority } = await import('./server/certificates.ts');
  const authority = await CertificateAuthority.create(core.clock);
  const hosts = new Set([
    host,
    '127.0.0.1',
    '::1',
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    '10.96.0.1',
  ]);
  const tls = await authority.server([...hosts]);
  bootstrap(core, { clientCa: authority.cert });
  const served = await serve(handler, { port: listen.port ?? 0, host, tls, clientCa: authority.cert, log });
  return {
    ...served,
    ca: authority.cert,
    clientCertificate: (name) => authority.client(name),
    kubeconfig: async (name) =>
      kubeconfig({
        server: served.url,
        ca: authority.cert,
        user: name.commonName,
        certificate: await authority.client(name),
      }),
  };
}
