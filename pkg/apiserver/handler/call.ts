import type { Clock, Random } from '#pkg/base';
import type { Logger } from '#pkg/log';
import type { Authorizer } from '../auth/authorizer.ts';
import type { TokenIssuer } from '../auth/tokens.ts';
import type { ApiRequest, User } from '../exchange.ts';
import type { Registry, Resource } from '../registry/registry.ts';
import type { Store } from '../store/index.ts';
import type { Bookmarks } from './bookmarks.ts';
import type { Output } from './negotiate.ts';

/** What every handler works with. */
export interface Core {
  readonly store: Store;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly authorizer: Authorizer;
  readonly tokens: TokenIssuer;
  readonly bookmarks: Bookmarks;
}

/** One request for a resource, as far as it has been understood. */
export interface Call {
  readonly core: Core;
  readonly request: ApiRequest;
  readonly user: User;
  readonly verb: string;
  readonly query: URLSearchParams;
  readonly output: Output;
  readonly resource: Resource;
  readonly namespace?: string;
  readonly name?: string;
  readonly subresource?: string;
  /** Texts for Warning headers. */
  readonly warnings: string[];
}

/** The key under which the call's object is stored. */
export function keyOf(call: Call, name: string): string {
  return call.resource.namespaced ? `${call.namespace}/${name}` : name;
}
