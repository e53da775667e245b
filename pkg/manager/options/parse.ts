import { ManagerError } from '../errors.ts';
import type { AllFlagValues, Flag, FlagSection } from './flag.ts';
import { FLAG_TYPES, type FlagTypeRules } from './flag-types.ts';

export interface ParsedFlags {
  /** Every flag's value by name, defaults included. */
  readonly values: Readonly<Record<string, AllFlagValues[keyof AllFlagValues]>>;
  /** Names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  /** `--help` or `-h` was given. */
  readonly help: boolean;
  /** One line for each deprecated flag that was given. */
  readonly warnings: readonly string[];
}

/**
 * Reads a command line as pflag does: `--flag=value` and `--flag value`, `--flag` alone for truth values only, `-v=2`,
 * `-v2`, underscores for dashes, lists that may be repeated; nothing but flags. Throws a {@link ManagerError} `BadFlag`
 * worded as pflag words it. (Commander knows few of these forms, and takes 5 ms of every start.)
 */
export function parseFlags(sections: readonly FlagSection[], argv: readonly string[], program: string): ParsedFlags {
  const flags = new Map(sections.flatMap((section) => section.flags).map((flag) => [flag.name, flag]));
  const words = takenApart(flags, argv);
  const given = new Map<string, AllFlagValues[keyof AllFlagValues]>();
  for (const { flag, text } of words.given) given.set(flag.name, readValue(flag, text, given.get(flag.name)));
  if (words.others.length > 0) {
    const listed = words.others.map((word) => JSON.stringify(word)).join(' ');
    throw new ManagerError('BadFlag', `"${program}" does not take any arguments, got [${listed}]`, {
      words: words.others,
    });
  }
  const values = Object.fromEntries(
    [...flags.values()].map((flag) => [flag.name, given.get(flag.name) ?? flag.default]),
  );
  const deprecated = [...flags.values()].filter((flag) => flag.deprecated !== undefined && given.has(flag.name));
  return {
    values,
    given: new Set(given.keys()),
    help: words.help,
    warnings: deprecated.map((flag) => `Flag --${flag.name} has been deprecated, ${flag.deprecated}`),
  };
}

function readValue(
  flag: Flag,
  text: string,
  previous: AllFlagValues[keyof AllFlagValues] | undefined,
): AllFlagValues[keyof AllFlagValues] {
  const rules = FLAG_TYPES[flag.type] as FlagTypeRules<AllFlagValues[keyof AllFlagValues]>;
  try {
    return rules.parse(text, previous);
  } catch (error) {
    const shown = flag.shorthand === undefined ? `--${flag.name}` : `-${flag.shorthand}, --${flag.name}`;
    const reason = (error as Error).message;
    throw new ManagerError(
      'BadFlag',
      `invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${reason}`,
      { flag: flag.name },
      { cause: error },
    );
  }
}

interface Words {
  readonly given: { readonly flag: Flag; readonly text: string }[];
  /** What is no flag. */
  readonly others: string[];
  readonly help: boolean;
}

/** Takes every form apart into flags and what is to be their values. */
function takenApart(flags: ReadonlyMap<string, Flag>, argv: readonly string[]): Words {
  const byLetter = new Map([...flags.values()].filter((flag) => flag.shorthand).map((flag) => [flag.shorthand!, flag]));
  const words: Words & { help: boolean } = { given: [], others: [], help: false };
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      words.others.push(...rest);
      break;
    }
    if (word === '-' || !word.startsWith('-')) {
      // An empty word is no argument to the original either.
      if (word !== '') words.others.push(word);
      continue;
    }
    const { flag, value, shown } = word.startsWith('--') ? longForm(flags, word) : shortForm(byLetter, word);
    const implied = FLAG_TYPES[flag.type].implied;
    const text = value ?? implied ?? rest.shift();
    if (text === undefined) throw bad(`flag needs an argument: ${shown}`, flag.name);
    if (flag.name === 'help') words.help = text !== 'false';
    else words.given.push({ flag, text });
  }
  return words;
}

interface Word {
  readonly flag: Flag;
  readonly value: string | undefined;
  /** As an error names it. */
  readonly shown: string;
}

function longForm(flags: ReadonlyMap<string, Flag>, word: string): Word {
  const at = word.indexOf('=');
  const name = (at < 0 ? word.slice(2) : word.slice(2, at)).replaceAll('_', '-');
  if (name === '' || name.startsWith('-')) throw bad(`bad flag syntax: ${word}`, name);
  const flag = flags.get(name);
  if (!flag) throw bad(`unknown flag: --${name}`, name);
  return { flag, value: at < 0 ? undefined : word.slice(at + 1), shown: `--${name}` };
}

function shortForm(byLetter: ReadonlyMap<string, Flag>, word: string): Word {
  const letter = word[1]!;
  const flag = byLetter.get(letter);
  if (!flag) throw bad(`unknown shorthand flag: '${letter}' in ${word}`, letter);
  const rest = word.slice(2);
  return { flag, value: rest === '' ? undefined : rest.replace(/^=/, ''), shown: `'${letter}' in ${word}` };
}

function bad(message: string, flag: string): ManagerError {
  return new ManagerError('BadFlag', message, { flag });
}
