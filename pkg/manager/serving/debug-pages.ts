import type { Controller } from '#pkg/controller';

import { type HttpAnswer, type HttpRequest, notFound, text } from './http.ts';

export const DEBUG_PREFIX = '/debug/controllers/';

/** What controllers show of their inside, while this process leads: `/debug/controllers/<name>/...`. */
export class DebugPages {
  readonly #controllers = new Map<string, Controller>();

  show(controllers: readonly Controller[]): void {
    for (const controller of controllers) if (controller.debug) this.#controllers.set(controller.name, controller);
  }

  async answer({ path, query }: Pick<HttpRequest, 'path' | 'query'>): Promise<HttpAnswer> {
    const [, name = '', below = ''] = /^([^/]*)(.*)$/s.exec(path.slice(DEBUG_PREFIX.length)) ?? [];
    const controller = this.#controllers.get(name);
    if (!controller) return notFound;
    return (await controller.debug?.(below, query)) ?? text(404, '\n');
  }
}
