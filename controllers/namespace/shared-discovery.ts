import type { Clock } from '#pkg/base';
import { type Client, type Discovery, discover } from '#pkg/client';

/**
 * An answer younger than this serves another namespace, too, ms. It is shorter than the time that a namespace is left alone before
 * it is emptied: whatever is in there is of a resource that had been served before the answer was given.
 */
const FRESH = 2000;

/** What the server serves, asked once for namespaces that go together. An answer with gaps serves nobody else. */
export class SharedDiscovery {
  readonly #client: Pick<Client, 'request'>;
  readonly #clock: Clock;
  #known: { readonly at: number; readonly discovery: Discovery } | undefined;
  #asking: Promise<Discovery> | undefined;

  constructor(client: Pick<Client, 'request'>, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  async get(signal: AbortSignal): Promise<Discovery> {
    if (this.#known !== undefined && this.#clock.monotonic() - this.#known.at < FRESH) return this.#known.discovery;
    this.#asking ??= this.#ask(signal).finally(() => (this.#asking = undefined));
    return this.#asking;
  }

  async #ask(signal: AbortSignal): Promise<Discovery> {
    const at = this.#clock.monotonic();
    const discovery = await discover(this.#client, { signal });
    this.#known = discovery.failed.size === 0 ? { at, discovery } : undefined;
    return discovery;
  }
}
