/**
 * Kinds that users define (`apiextensions.k8s.io/v1` CustomResourceDefinition): read off the stored definitions, served beside
 * the built-in kinds for as long as their definition is there.
 *
 *     const custom = new CustomResources({ store, registry, clock, deleteAll });
 *
 * Structure, defaults, value rules, list types, printer columns, selectable fields, and the status and scale subresources work as
 * in the original; several versions of a kind differ in what each knows (strategy None). Conversion webhooks are never called,
 * and rules in CEL (`x-kubernetes-validations`) are kept but not evaluated.
 */
export { CustomResources, type CustomResourcesOptions } from './custom-resources.ts';
export { DEFINITIONS } from './definition.ts';
export { beginRetirement } from './retirement.ts';
