import type { Command, Help, Option } from 'commander';

import type { AllFlagValues, Flag } from './flag.ts';
import { FLAG_TYPES, type FlagTypeRules } from './flag-types.ts';

/** Formats the usage as Kubernetes' components print it: flags under the headings of their sections. */
export function formatHelp(command: Command, helper: Help): string {
  const sections = Map.groupBy(helper.visibleOptions(command), (option) => option.helpGroupHeading ?? '');
  const columns = helper.helpWidth ?? 80;
  const parts = [...sections].map(([name, options]) => `${heading(name)} flags:\n\n${formatSection(options, columns)}`);
  return `${helper.commandDescription(command)}\n\nUsage:\n  ${helper.commandUsage(command)}\n\n${parts.join('\n\n')}\n`;
}

/** The text of a flag's default as Go prints it. */
export function formatDefault(flag: Flag): string {
  return rulesOf(flag).format(flag.default);
}

/** The text of a value of a flag as Go prints it. */
export function formatValue(flag: Flag, value: AllFlagValues[keyof AllFlagValues]): string {
  return rulesOf(flag).format(value);
}

function rulesOf(flag: Flag): FlagTypeRules<AllFlagValues[keyof AllFlagValues]> {
  return FLAG_TYPES[flag.type];
}

function heading(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function formatSection(options: readonly Option[], columns: number): string {
  const rows = options
    .toSorted((a, b) => (a.name() < b.name() ? -1 : 1))
    .map((option) => {
      const letter = option.short === undefined ? '      ' : `  ${option.short}, `;
      const type = / <(?<type>.*)>$/.exec(option.flags)?.groups?.['type'];
      const shown = type === 'bool' ? '' : ` ${type}`;
      const note = option.defaultValueDescription === undefined ? '' : ` (default ${option.defaultValueDescription})`;
      return { usage: `${letter}${option.long}${shown}`, help: `${option.description}${note}` };
    });
  const width = Math.max(...rows.map((row) => row.usage.length)) + 3;
  return rows.map((row) => row.usage.padEnd(width) + wrap(row.help, width, columns)).join('\n');
}

/** The default of a flag as its help shows it; undefined where it is the zero value of its type. */
export function defaultText(flag: Flag): string | undefined {
  const rules = rulesOf(flag);
  const text = rules.format(flag.default);
  if (text === rules.zero) return undefined;
  return flag.type === 'string' ? JSON.stringify(text) : text;
}

/** Lines of `text` from column `indent` on; the first line is not indented. A narrow terminal gets unwrapped text. */
function wrap(text: string, indent: number, columns: number): string {
  const room = columns - indent;
  const lines = text.split('\n').flatMap((line) => (room < 24 ? [line] : wrapLine(line, room)));
  return lines.join(`\n${' '.repeat(indent)}`);
}

function wrapLine(line: string, room: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > room) {
      lines.push(current);
      current = word;
    } else {
      current = current === '' ? word : `${current} ${word}`;
    }
  }
  return [...lines, current];
}
