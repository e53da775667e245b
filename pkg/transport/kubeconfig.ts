import { ownValue, yamlProblem } from '#pkg/base';
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { ConfigError, type ConfigErrorCode } from './config-error.ts';

type Node = Readonly<Record<string, unknown>>;

/** Fields of one cluster, user or context, read with the file and field in every complaint. */
export class Section {
  readonly #file: string;
  readonly #path: string;
  readonly #values: Node;

  constructor(file: string, path: string, values: Node) {
    this.#file = file;
    this.#path = path;
    this.#values = values;
  }

  has(name: string): boolean {
    const value = ownValue(this.#values, name);
    return value !== undefined && value !== null && value !== '' && value !== false;
  }

  text(name: string): string | undefined {
    const value = ownValue(this.#values, name);
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string') throw this.error('invalid', name, 'must be a string');
    return value;
  }

  flag(name: string): boolean {
    const value = ownValue(this.#values, name);
    if (value === undefined || value === null) return false;
    if (typeof value !== 'boolean') throw this.error('invalid', name, 'must be true or false');
    return value;
  }

  texts(name: string): readonly string[] | undefined {
    const value = ownValue(this.#values, name);
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
      throw this.error('invalid', name, 'must be a list of strings');
    }
    return value;
  }

  list(name: string): readonly Section[] {
    const value = ownValue(this.#values, name);
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) throw this.error('invalid', name, 'must be a list');
    return value.map(
      (item: unknown, i) => new Section(this.#file, `${this.#field(name)}[${i}]`, this.#object(`${name}[${i}]`, item)),
    );
  }

  section(name: string): Section | undefined {
    const value = ownValue(this.#values, name);
    if (value === undefined || value === null) return undefined;
    return new Section(this.#file, this.#field(name), this.#object(name, value));
  }

  /** A map of strings to lists of strings. */
  lists(name: string): Readonly<Record<string, readonly string[]>> | undefined {
    const own = this.section(name);
    if (own === undefined) return undefined;
    return Object.fromEntries(Object.keys(own.#values).map((key) => [key, own.texts(key) ?? []]));
  }

  /** Text that stands here in base64. */
  data(name: string): string | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const compact = value.replaceAll(/\s/g, '');
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) throw this.error('invalid', name, 'is not base64');
    return Buffer.from(compact, 'base64').toString('utf8');
  }

  /** An existing file, absolute; relative ones count from the kubeconfig's folder. */
  async file(name: string): Promise<string | undefined> {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const path = this.resolve(value);
    try {
      await access(path, constants.R_OK);
    } catch (cause) {
      throw this.error('unreadable', name, `${whyUnreadable(cause)}: ${path}`, cause);
    }
    return path;
  }

  resolve(path: string): string {
    return resolve(dirname(this.#file), path);
  }

  error(code: ConfigErrorCode, name: string, what: string, cause?: unknown): ConfigError {
    return new ConfigError(code, `kubeconfig ${this.#file}: ${this.#field(name)}: ${what}`, { cause });
  }

  get values(): Node {
    return this.#values;
  }

  #field(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #object(name: string, value: unknown): Node {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.error('invalid', name, 'must be an object');
    return value as Node;
  }
}

export interface SelectedContext {
  readonly cluster: Section | undefined;
  readonly user: Section | undefined;
  readonly namespace: string;
  /** The file's text, for credential providers that want all of it. */
  readonly text: string;
  readonly name: string;
}

/** Reads a kubeconfig and picks out what `context`, or its own current context, means. */
export async function readKubeconfig(file: string, context: string | undefined): Promise<SelectedContext> {
  const path = resolve(file);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new ConfigError('unreadable', `kubeconfig ${path}: ${whyUnreadable(cause)}`, { cause });
  });
  const root = new Section(path, '', await parse(path, text));
  const name = context ?? root.text('current-context');
  if (name === undefined) throw root.error('invalid', 'current-context', 'is not set, and no context is chosen');
  const chosen = named(root, 'contexts', 'context', name);
  if (chosen === undefined) throw root.error('invalid', 'contexts', `there is no context ${JSON.stringify(name)}`);

  const clusterName = chosen.text('cluster');
  const cluster = clusterName === undefined ? undefined : named(root, 'clusters', 'cluster', clusterName);
  if (clusterName !== undefined && cluster === undefined) {
    throw chosen.error('invalid', 'cluster', `there is no cluster ${JSON.stringify(clusterName)}`);
  }
  const userName = chosen.text('user');
  const user = userName === undefined ? undefined : named(root, 'users', 'user', userName);
  if (userName !== undefined && user === undefined)
    throw chosen.error('invalid', 'user', `there is no user ${JSON.stringify(userName)}`);
  return { cluster, user, namespace: chosen.text('namespace') ?? 'default', text, name };
}

async function parse(path: string, text: string): Promise<Node> {
  if (text.trim() === '') throw new ConfigError('invalid', `kubeconfig ${path}: is empty`);
  // In a Pod there is no kubeconfig, and nothing to read it with is loaded.
  const { load } = await import('js-yaml');
  let value: unknown;
  try {
    value = load(text);
  } catch (cause) {
    throw new ConfigError('invalid', `kubeconfig ${path}: not YAML: ${yamlProblem(cause)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ConfigError('invalid', `kubeconfig ${path}: must be an object`);
  }
  return value as Node;
}

/** The first entry with the name counts, as in client-go; an empty body is a body. */
function named(root: Section, list: string, body: string, name: string): Section | undefined {
  const entry = root.list(list).find((section) => section.text('name') === name);
  return entry && (entry.section(body) ?? new Section('', '', {}));
}

export function whyUnreadable(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  if (code === 'ENOENT') return 'no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied';
  if (code === 'EISDIR') return 'is a folder';
  return error instanceof Error ? error.message : String(error);
}
