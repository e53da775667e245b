import { readFile } from 'node:fs/promises';

import { type Clock, type Timer, describeError } from '#pkg/base';
import type { Logger } from '#pkg/log';

/** Between two looks at a file, ms. Polling also works over symbolic links that are swapped, and over networks. */
const PERIOD = 5000;

export interface FileWatchOptions {
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Files that belong together (a certificate and its key) and may be replaced while we run: `onChange` gets all of them
 * when any has changed. Contents it throws at are logged once, and the last good ones stay in use.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #onChange: (contents: readonly string[]) => void;
  #seen: string;
  #complained = '';
  #timer: Timer | undefined;

  constructor(options: FileWatchOptions, contents: readonly string[], onChange: (contents: readonly string[]) => void) {
    this.#options = options;
    this.#onChange = onChange;
    this.#seen = contents.join('\0');
    this.#arm();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#options.clock.setTimeout(() => void this.#look(), PERIOD);
  }

  async #look(): Promise<void> {
    const { paths, log } = this.#options;
    try {
      const contents = await Promise.all(paths.map((path) => readFile(path, 'utf8')));
      const together = contents.join('\0');
      if (this.#timer === undefined) return;
      if (together !== this.#seen) {
        this.#onChange(contents);
        this.#seen = together;
        log.info('Reloaded', { files: paths });
      }
      this.#complained = '';
    } catch (error) {
      // A certificate and its key are seldom replaced at one instant, so the next look may find them well.
      const complaint = describeError(error);
      if (complaint !== this.#complained)
        log.error('Cannot reload, keeping what was loaded before', error, { files: paths });
      this.#complained = complaint;
    }
    if (this.#timer !== undefined) this.#arm();
  }
}
