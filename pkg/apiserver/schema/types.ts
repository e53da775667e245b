/** Names a kind in one version: what every function of the object semantics is asked about. */
export interface ObjectType {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export interface ServedSubresource {
  /** `status`, `scale`, ... */
  readonly name: string;
  readonly kind: string;
  /** Group and version of the kind, where they are not the parent's: `autoscaling`/`v1` for `scale`. */
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

export interface ServedResource extends ObjectType {
  /** Plural name in paths. */
  readonly resource: string;
  readonly singular: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** Whether this is the version that discovery prefers in its group. */
  readonly preferred: boolean;
  readonly subresources: readonly ServedSubresource[];
}

export type ScalarKind =
  | 'string'
  | 'int32'
  | 'int64'
  | 'double'
  | 'boolean'
  | 'bytes'
  | 'quantity'
  | 'int-or-string'
  | 'time'
  | 'micro-time';

/** The type of a value. `any` takes every JSON value as it is (raw extensions, JSON schema parts, managed fields). */
export type ValueType =
  | { readonly type: 'scalar'; readonly scalar: ScalarKind; /** As Go names it in errors. */ readonly goType: string }
  | {
      readonly type: 'any';
      /** Merged as what is there suggests: the parts of objects one by one. */ readonly deduced?: boolean;
    }
  | { readonly type: 'object'; readonly schema: ObjectSchema }
  | { readonly type: 'list'; readonly items: ValueType }
  | { readonly type: 'map'; readonly values: ValueType };

export interface FieldSchema {
  readonly name: string;
  readonly value: ValueType;
  readonly required: boolean;
  /** How lists merge in server-side apply; atomic where nothing is said. */
  readonly listType: 'atomic' | 'set' | 'map';
  readonly listMapKeys: readonly string[];
  /** The map or struct is replaced as a whole. */
  readonly atomic: boolean;
  /** Strategic merge patch: the key that tells the list's items apart. */
  readonly patchMergeKey?: string;
  readonly patchStrategy: readonly ('merge' | 'replace' | 'retainKeys')[];
  readonly enum?: readonly string[];
  /** A default that the schema itself carries (the protocol of a port); it completes the keys of list items. */
  readonly default?: unknown;
  /**
   * How Go writes the field: `always` with its zero value when missing, `omitempty` not when it is the zero value,
   * `pointer` not when it is missing, so that a zero is kept; `null` writes null when it is missing.
   */
  readonly presence: 'always' | 'omitempty' | 'pointer' | 'null';
}

/** A struct of the API. `fields` is read off the data at first use. */
export interface ObjectSchema {
  /** `io.k8s.api.apps.v1.Deployment`. */
  readonly name: string;
  /** The type's name in Go's errors: `v1.Deployment`. */
  readonly goType: string;
  readonly fields: ReadonlyMap<string, FieldSchema>;
  readonly atomic: boolean;
  /** Takes fields that it does not know. */
  readonly open?: boolean;
  /** For a custom resource: whether its status is a subresource, whatever its fields. */
  readonly custom?: { readonly hasStatus: boolean };
}
