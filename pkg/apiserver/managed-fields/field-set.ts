import { setOwnValue, parseJson } from '#pkg/base';
import { type JsonObject, isJsonObject } from '../json.ts';

/**
 * A set of paths into an object, as a tree. A path element is written as in `fieldsV1`: `f:name` for a field or key, `k:{...}` for
 * an item of a keyed list, `v:...` for an item of a set. Immutable once built; the operations share what they do not change.
 */
export class FieldSet {
  /** Whether the path that ends here is in the set; its parts below may be without it. */
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;

  constructor(member: boolean, children: ReadonlyMap<string, FieldSet>) {
    this.member = member;
    this.children = children;
  }

  static readonly empty = new FieldSet(false, new Map());

  static of(...paths: readonly (readonly string[])[]): FieldSet {
    const builder = new FieldSetBuilder();
    for (const path of paths) builder.insert(path);
    return builder.build();
  }

  /** From `fieldsV1`. */
  static parse(fields: unknown): FieldSet {
    return parseNode(fields, false);
  }

  toJson(): JsonObject {
    const result: JsonObject = {};
    if (this.member && this.children.size > 0) result['.'] = {};
    for (const [element, child] of sorted(this.children)) setOwnValue(result, element, child.toJson());
    return result;
  }

  get isEmpty(): boolean {
    return !this.member && this.children.size === 0;
  }

  has(path: readonly string[]): boolean {
    return path.reduce<FieldSet | undefined>((node, element) => node?.children.get(element), this)?.member ?? false;
  }

  /** What is below one element; empty where there is nothing. */
  below(element: string): FieldSet {
    const child = this.children.get(element);
    return child === undefined ? FieldSet.empty : new FieldSet(false, child.children);
  }

  union(other: FieldSet): FieldSet {
    if (other.isEmpty) return this;
    if (this.isEmpty) return other;
    const children = new Map(this.children);
    for (const [element, child] of other.children) children.set(element, children.get(element)?.union(child) ?? child);
    return new FieldSet(this.member || other.member, children);
  }

  intersection(other: FieldSet): FieldSet {
    return this.#combine(
      other,
      (child, twin) => (twin === undefined ? undefined : child.intersection(twin)),
      this.member && other.member,
    );
  }

  difference(other: FieldSet): FieldSet {
    return this.#combine(
      other,
      (child, twin) => (twin === undefined ? child : child.difference(twin)),
      this.member && !other.member,
    );
  }

  /** Without the paths of `other` and everything below them. */
  without(other: FieldSet): FieldSet {
    return this.#combine(
      other,
      (child, twin) => (twin === undefined ? child : twin.member ? undefined : child.without(twin)),
      this.member,
    );
  }

  /** Every path, parents before children, in order. */
  *paths(prefix: readonly string[] = []): Generator<readonly string[]> {
    const elements = sorted(this.children);
    for (const [element, child] of elements) if (child.member) yield [...prefix, element];
    for (const [element, child] of elements) yield* child.paths([...prefix, element]);
  }

  #combine(
    other: FieldSet,
    combine: (child: FieldSet, twin: FieldSet | undefined) => FieldSet | undefined,
    member: boolean,
  ): FieldSet {
    const children = new Map<string, FieldSet>();
    for (const [element, child] of this.children) {
      const kept = combine(child, other.children.get(element));
      if (kept !== undefined && !kept.isEmpty) children.set(element, kept);
    }
    return new FieldSet(member, children);
  }
}

interface OpenNode {
  member: boolean;
  readonly children: Map<string, OpenNode>;
}

export class FieldSetBuilder {
  readonly #root: OpenNode = { member: false, children: new Map() };

  insert(path: readonly string[]): void {
    if (path.length === 0) return;
    let node = this.#root;
    for (const element of path) {
      let child = node.children.get(element);
      if (child === undefined) {
        child = { member: false, children: new Map() };
        node.children.set(element, child);
      }
      node = child;
    }
    node.member = true;
  }

  build(): FieldSet {
    return close(this.#root);
  }
}

function close(node: OpenNode): FieldSet {
  return new FieldSet(node.member, new Map(Array.from(node.children, ([element, child]) => [element, close(child)])));
}

function parseNode(fields: unknown, inside: boolean): FieldSet {
  if (!isJsonObject(fields)) return inside ? new FieldSet(true, new Map()) : FieldSet.empty;
  const children = new Map<string, FieldSet>();
  for (const [element, child] of Object.entries(fields))
    if (element !== '.') children.set(element, parseNode(child, true));
  return new FieldSet(inside && ('.' in fields || children.size === 0), children);
}

function sorted(children: ReadonlyMap<string, FieldSet>): [string, FieldSet][] {
  return Array.from(children).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Prints a path as people read it: `.spec.containers[name="c"].image`. */
export function printPath(path: readonly string[]): string {
  return path.map(printElement).join('');
}

function printElement(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  const keys = Object.entries(parseJson(rest) as JsonObject).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return `[${keys.join(',')}]`;
}
