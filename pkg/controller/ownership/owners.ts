import {
  type KubeObject,
  type LabelSelector,
  type ResourceType,
  type Selector,
  SelectorError,
  compileSelector,
  controllerOf,
  makeKey,
  nothing,
} from '#pkg/api';
import type { Lister, SharedInformer } from '#pkg/cache';

import { requiredPair } from './dependents.ts';

/** Index of owners by namespace and a label that their selector requires. */
const SELECTOR_INDEX = 'selector';

interface Compiled {
  readonly generation: number | undefined;
  readonly selector: Selector | SelectorError;
}

/** Reads an owner's selector, pure; a plain map as `{ matchLabels }`. */
export type SelectorOf<Owner extends KubeObject> = (owner: Owner) => LabelSelector | undefined;

interface Selecting extends KubeObject {
  readonly spec?: { readonly selector?: LabelSelector };
}

/** The selector of most owners. Controllers that share an informer must share this function, too: an index is made of it. */
export const specSelector = (owner: Selecting): LabelSelector | undefined => owner.spec?.selector;

/** For owners that select nothing: their dependents are made by them, and never adopted. */
export const noSelector = (): undefined => undefined;

/** Whether a selector selects every object, or is missing: most controllers refuse to own everything in a namespace. */
export function selectsAll(selector: LabelSelector | undefined): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

/** An index takes one function for good, and several controllers may ask for it. */
const indexFunctions = new WeakMap<object, (owner: KubeObject) => readonly string[]>();

function indexBySelector<Owner extends KubeObject>(
  selectorOf: SelectorOf<Owner>,
): (owner: KubeObject) => readonly string[] {
  const known = indexFunctions.get(selectorOf);
  if (known) return known;
  const index = (owner: KubeObject): readonly string[] => {
    const namespace = owner.metadata.namespace ?? '';
    const pair = requiredPair((selectorOf as SelectorOf<KubeObject>)(owner));
    return [pair ? requiring(namespace, pair[0], pair[1]) : anywhere(namespace)];
  };
  indexFunctions.set(selectorOf, index);
  return index;
}

const anywhere = (namespace: string): string => `${namespace}/`;
const requiring = (namespace: string, key: string, value: string): string => `${namespace}/${key}=${value}`;

export interface OwnersOptions {
  /** An empty selector selects all of its namespace, as that of a PodDisruptionBudget does; nothing where missing. */
  readonly emptySelectsAll?: boolean;
}

/**
 * Finds the owners of dependents: the one that a dependent names, and those whose selectors match an orphan. The latter
 * costs one index look-up a label, not a selector evaluation for every owner of the namespace; selectors are compiled
 * once for each generation.
 */
export class Owners<Owner extends KubeObject> {
  readonly resource: ResourceType<Owner>;
  readonly lister: Lister<Owner>;
  readonly #selectorOf: SelectorOf<Owner>;
  readonly #emptySelectsAll: boolean;
  readonly #selects: boolean;
  readonly #compiled = new Map<string, Compiled>();

  /** `selectorOf`: a function that lives as long as the program; `spec.selector` where missing. */
  constructor(
    informer: SharedInformer<Owner>,
    selectorOf: SelectorOf<Owner> = specSelector,
    { emptySelectsAll = false }: OwnersOptions = {},
  ) {
    this.#selectorOf = selectorOf;
    this.#emptySelectsAll = emptySelectsAll;
    this.resource = informer.resource;
    this.lister = informer.lister;
    this.#selects = selectorOf !== noSelector;
    if (!this.#selects) return;
    informer.addIndex(SELECTOR_INDEX, indexBySelector(selectorOf));
    informer.addEventHandler({ onDelete: (owner) => this.#compiled.delete(owner.metadata.uid) }, { resyncPeriod: 0 });
  }

  /** The owner that manages `dependent`, if it is of this kind and still the same object. */
  controllerOf(dependent: KubeObject): Owner | undefined {
    const reference = controllerOf(dependent);
    if (reference?.kind !== this.resource.kind) return undefined;
    const owner = this.lister.get(makeKey(dependent.metadata.namespace, reference.name));
    return owner?.metadata.uid === reference.uid ? owner : undefined;
  }

  /** Owners in the namespace of `dependent` that select it. Missing and invalid selectors select nothing, empty ones as told. */
  matching(dependent: KubeObject): readonly Owner[] {
    if (!this.#selects) return [];
    const { namespace = '', labels = {} } = dependent.metadata;
    const values = [
      anywhere(namespace),
      ...Object.entries(labels).map(([key, value]) => requiring(namespace, key, value)),
    ];
    return values.flatMap((value) =>
      this.lister.byIndex(SELECTOR_INDEX, value).filter((owner) => {
        const { selector } = this.#compile(owner);
        return (
          !(selector instanceof SelectorError) &&
          (this.#emptySelectsAll || !selector.everything) &&
          selector.matches(labels)
        );
      }),
    );
  }

  /** The owner's selector as it stands on the wire. */
  labelSelectorOf(owner: Owner): LabelSelector | undefined {
    return this.#selectorOf(owner);
  }

  /** The owner's selector, compiled; throws a SelectorError for an invalid one. */
  selectorOf(owner: Owner): Selector {
    const { selector } = this.#compile(owner);
    if (selector instanceof SelectorError) throw selector;
    return selector;
  }

  #compile(owner: Owner): Compiled {
    const { uid, generation } = owner.metadata;
    const known = this.#compiled.get(uid);
    if (known && known.generation === generation) return known;
    const compiled = { generation, selector: tryCompile(this.#selectorOf(owner)) };
    this.#compiled.set(uid, compiled);
    return compiled;
  }
}

function tryCompile(selector: LabelSelector | undefined): Selector | SelectorError {
  if (selector === undefined) return nothing;
  try {
    return compileSelector(selector);
  } catch (error) {
    if (error instanceof SelectorError) return error;
    throw error;
  }
}
