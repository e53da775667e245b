import type { AllFlagValues, Flag, FlagSection } from './flag.ts';
import { FLAG_TYPES, type FlagTypeRules } from './flag-types.ts';

/** Usage as Kubernetes' components print it: flags under the headings of their sections, wrapped to `columns`. */
export function formatHelp(
  program: string,
  description: string,
  sections: readonly FlagSection[],
  columns: number,
): string {
  const shown = sections
    .map((section) => ({
      ...section,
      flags: section.flags.filter((flag) => !flag.hidden && flag.deprecated === undefined),
    }))
    .filter((section) => section.flags.length > 0);
  const parts = shown.map((section) => `${heading(section.name)} flags:\n\n${formatSection(section.flags, columns)}`);
  return `${description}\n\nUsage:\n  ${program} [flags]\n\n${parts.join('\n\n')}\n`;
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

function formatSection(flags: readonly Flag[], columns: number): string {
  const rows = flags
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((flag) => {
      const letter = flag.shorthand === undefined ? '      ' : `  -${flag.shorthand}, `;
      const type = flag.type === 'bool' ? '' : ` ${flag.type}`;
      return { usage: `${letter}--${flag.name}${type}`, help: `${flag.help}${defaultNote(flag)}` };
    });
  const width = Math.max(...rows.map((row) => row.usage.length)) + 3;
  return rows.map((row) => row.usage.padEnd(width) + wrap(row.help, width, columns)).join('\n');
}

function defaultNote(flag: Flag): string {
  const rules = rulesOf(flag);
  const text = rules.format(flag.default);
  if (text === rules.zero) return '';
  return ` (default ${flag.type === 'string' ? JSON.stringify(text) : text})`;
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
