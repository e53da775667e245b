import { ManagerError } from '../errors.ts';
import type { Flag } from './flag.ts';
import { FLAG_TYPES } from './flag-types.ts';

/**
 * Rewrites the forms that pflag takes and commander does not into forms that both take: `-v2` and `-v=2` become `--v=2`,
 * underscores in names become dashes, and a truth value given without `=value` becomes `--flag=true`, because pflag never
 * takes the next word for it. Everything else is passed on as it is. Throws a {@link ManagerError} `BadFlag`, worded as
 * pflag words it, for what is no flag in either form.
 */
export function normalizePflagForms(flags: readonly Flag[], argv: readonly string[]): readonly string[] {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const byLetter = new Map(flags.flatMap((flag) => (flag.shorthand === undefined ? [] : [[flag.shorthand, flag]])));
  const words: string[] = [];
  const rest = argv.values();
  for (const word of rest) {
    if (word === '--') return [...words, word, ...rest];
    if (word === '-' || !word.startsWith('-')) {
      words.push(word);
      continue;
    }
    const { flag, name, value } = word.startsWith('--') ? longForm(byName, word) : shortForm(byLetter, word);
    const given = value ?? (flag && FLAG_TYPES[flag.type].implied);
    if (given !== undefined) {
      words.push(`--${name}=${given}`);
      continue;
    }
    words.push(`--${name}`);
    if (!flag) continue;
    // The next word is the value, whatever it looks like.
    const { done, value: next } = rest.next();
    if (done)
      throw bad(`flag needs an argument: ${word.startsWith('--') ? word : `'${flag.shorthand}' in ${word}`}`, name);
    words.push(next);
  }
  return words;
}

interface Word {
  /** Undefined for an unknown long flag, which commander reports. */
  readonly flag: Flag | undefined;
  readonly name: string;
  readonly value: string | undefined;
}

function longForm(flags: ReadonlyMap<string, Flag>, word: string): Word {
  const at = word.indexOf('=');
  const name = (at < 0 ? word.slice(2) : word.slice(2, at)).replaceAll('_', '-');
  if (name === '' || name.startsWith('-')) throw bad(`bad flag syntax: ${word}`, name);
  return { flag: flags.get(name), name, value: at < 0 ? undefined : word.slice(at + 1) };
}

function shortForm(byLetter: ReadonlyMap<string, Flag>, word: string): Word {
  const letter = word[1]!;
  const flag = byLetter.get(letter);
  if (!flag) throw bad(`unknown shorthand flag: '${letter}' in ${word}`, letter);
  const rest = word.slice(2);
  return { flag, name: flag.name, value: rest === '' ? undefined : rest.replace(/^=/, '') };
}

function bad(message: string, flag: string): ManagerError {
  return new ManagerError('BadFlag', message, { flag });
}
