import { Command, CommanderError, Option } from 'commander';

import { ManagerError } from '../errors.ts';
import type { AllFlagValues, Flag, FlagSection } from './flag.ts';
import { FLAG_TYPES, type FlagTypeRules } from './flag-types.ts';
import { defaultText, formatHelp } from './help.ts';
import { normalizePflagForms } from './pflag-forms.ts';

type FlagValue = AllFlagValues[keyof AllFlagValues];

export interface ParsedFlags {
  /** Every flag's value by name, defaults included. */
  readonly values: Readonly<Record<string, FlagValue>>;
  /** Names of the flags that were given. */
  readonly given: ReadonlySet<string>;
  /** `--help` or `-h` was given. */
  readonly help: boolean;
  /** One line for each deprecated flag that was given. */
  readonly warnings: readonly string[];
}

/**
 * Reads a command line with commander, after {@link normalizePflagForms}. It takes flags only, no arguments. Throws a
 * {@link ManagerError} `BadFlag` worded as pflag words it.
 */
export function parseFlags(sections: readonly FlagSection[], argv: readonly string[], program: string): ParsedFlags {
  const flags = sections.flatMap((section) => section.flags);
  const given = new Map<string, FlagValue>();
  const command = declareFlags(new Command(program), sections, given);
  try {
    command.parse(normalizePflagForms(flags, argv), { from: 'user' });
  } catch (error) {
    throw error instanceof CommanderError ? inPflagsWords(error) : error;
  }
  // An empty word is no argument to the original either.
  const words = command.args.filter((word) => word !== '');
  if (words.length > 0) {
    const listed = words.map((word) => JSON.stringify(word)).join(' ');
    throw new ManagerError('BadFlag', `"${program}" does not take any arguments, got [${listed}]`, { words });
  }
  return {
    values: Object.fromEntries(flags.map((flag) => [flag.name, given.get(flag.name) ?? flag.default])),
    given: new Set(given.keys()),
    help: given.get('help') === true,
    warnings: flags
      .filter((flag) => flag.deprecated !== undefined && given.has(flag.name))
      .map((flag) => `Flag --${flag.name} has been deprecated, ${flag.deprecated}`),
  };
}

/** The text of `--help`: commander's usage with the flags under the headings of their sections, wrapped to `columns`. */
export function helpText(
  sections: readonly FlagSection[],
  {
    program,
    description,
    columns,
  }: { readonly program: string; readonly description: string; readonly columns: number },
): string {
  return declareFlags(new Command(program), sections, new Map())
    .description(description)
    .configureHelp({ formatHelp, helpWidth: columns })
    .helpInformation();
}

/** Declares every flag on `command`; the values that are read go into `given`, by the flag's name. */
function declareFlags(command: Command, sections: readonly FlagSection[], given: Map<string, FlagValue>): Command {
  command.usage('[flags]').helpOption(false).allowExcessArguments();
  // Errors are thrown and reported by whoever asked.
  command.exitOverride().configureOutput({ writeErr: () => {} });
  for (const section of sections) for (const flag of section.flags) command.addOption(optionOf(flag, section, given));
  return command;
}

function optionOf(flag: Flag, section: FlagSection, given: Map<string, FlagValue>): Option {
  const letter = flag.shorthand === undefined ? '' : `-${flag.shorthand}, `;
  return new Option(`${letter}--${flag.name} <${flag.type}>`, flag.help)
    .default(flag.default, defaultText(flag))
    .hideHelp(flag.hidden === true || flag.deprecated !== undefined)
    .helpGroup(section.name)
    .argParser((text: string) => {
      const value = readValue(flag, text, given.get(flag.name));
      given.set(flag.name, value);
      return value;
    });
}

function readValue(flag: Flag, text: string, previous: FlagValue | undefined): FlagValue {
  const rules = FLAG_TYPES[flag.type] as FlagTypeRules<FlagValue>;
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

/** What commander found wrong, in pflag's words, with commander's guess of what was intended. */
function inPflagsWords(error: CommanderError): ManagerError {
  const [, name, guess] = /^error: unknown option '--([^=']*)[^]*?'\s*(?:\((.*)\))?$/.exec(error.message) ?? [];
  if (name === undefined) return new ManagerError('BadFlag', error.message, {}, { cause: error });
  const hint = guess === undefined ? '' : ` (${guess})`;
  return new ManagerError('BadFlag', `unknown flag: --${name}${hint}`, { flag: name }, { cause: error });
}
