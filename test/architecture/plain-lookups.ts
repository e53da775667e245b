import { type Node, type SourceFile, SyntaxKind, computeLineStarts } from 'typescript/unstable/ast';
import {
  isAsExpression,
  isBinaryExpression,
  isCallExpression,
  isElementAccessExpression,
  isParenthesizedExpression,
} from 'typescript/unstable/ast/is';
import { type Checker, type Type, type UnionType, TypeFlags } from 'typescript/unstable/sync';

/** A place where a key that may come from outside meets the properties of a plain object. */
interface Candidate {
  readonly node: Node;
  /** What has to be of the program's own making: a key, or the objects that are copied. */
  readonly tested: Node;
  readonly isSafe: (type: Type, checker: Checker) => boolean;
}

/**
 * Finds where a property of an object is looked up or set under a key that may be any string: `labels[key]`,
 * `key in object`, and `Object.assign` of an object with any keys, which obeys a `__proto__` among them. Each plain object
 * has `constructor` and `toString` for such a key. Keys of literal types are the program's own, and arrays have none.
 * Returns a line for each: `pkg/api/selectors.ts:40: labels?.[needed.key]`.
 */
export function plainLookups(checker: Checker, file: SourceFile, path: string): readonly string[] {
  const candidates = candidatesIn(file);
  if (candidates.length === 0) return [];
  const types = checker.getTypeAtLocation(candidates.map(({ tested }) => tested));
  const lines = computeLineStarts(file.text);
  return candidates
    .filter(({ isSafe }, i) => types[i] !== undefined && !isSafe(types[i], checker))
    .map(({ node }) => {
      const line = lines.findLastIndex((start) => start <= node.getStart(file)) + 1;
      return `${path}:${line}: ${node.getText(file).replaceAll(/\s+/g, ' ')}`;
    });
}

function candidatesIn(file: SourceFile): readonly Candidate[] {
  const candidates: Candidate[] = [];
  const visit = (node: Node): void => {
    candidates.push(...candidatesAt(node, file));
    node.forEachChild(visit);
  };
  file.forEachChild(visit);
  return candidates;
}

function candidatesAt(node: Node, file: SourceFile): readonly Candidate[] {
  if (isElementAccessExpression(node)) {
    // To delete an inherited property does nothing.
    if (node.parent.kind === SyntaxKind.DeleteExpression) return [];
    return [{ node, tested: withoutAssertion(node.argumentExpression), isSafe: isOwnKey }];
  }
  if (isBinaryExpression(node) && node.operatorToken.kind === SyntaxKind.InKeyword)
    return [{ node, tested: withoutAssertion(node.left), isSafe: isOwnKey }];
  if (isCallExpression(node) && node.expression.getText(file) === 'Object.assign')
    return node.arguments.slice(1).map((tested) => ({ node, tested, isSafe: hasKnownKeys }));
  return [];
}

/** What `key as keyof Table` is without the assertion, which proves nothing. */
function withoutAssertion(node: Node): Node {
  return isAsExpression(node) || isParenthesizedExpression(node) ? withoutAssertion(node.expression) : node;
}

/** Literal and numeric types, symbols, and unions of them. */
function isOwnKey(type: Type): boolean {
  if (type.flags & TypeFlags.Union) return (type as UnionType).getTypes().every(isOwnKey);
  const { Number, NumberLiteral, StringLiteral, EnumLiteral, UniqueESSymbol, ESSymbol, Index } = TypeFlags;
  const own =
    Number | NumberLiteral | StringLiteral | EnumLiteral | UniqueESSymbol | ESSymbol | Index | TypeFlags.Never;
  return (type.flags & own) !== 0;
}

function hasKnownKeys(type: Type, checker: Checker): boolean {
  return (type.flags & TypeFlags.Any) === 0 && checker.getIndexInfosOfType(type).length === 0;
}
