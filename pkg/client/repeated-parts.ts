import { parseJson } from '#pkg/base';
import type { KubeObject } from '#pkg/api';

import type { WatchOptions } from './client.ts';
import { type Cut, METADATA, asciiBytes, findMember, managedFieldsOf, skipValue, textWithout } from './json-bytes.ts';

const NAME = asciiBytes('name');
const NAMESPACE = asciiBytes('namespace');
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const CLOSE_BRACE = 0x7d;

/** How Kubernetes begins the events of objects that there were before. */
const BEGINNINGS = ['MODIFIED', 'DELETED'].map((type) => asciiBytes(`{"type":"${type}","object":`));

/** Where the type begins. */
const TYPE = '{"type":"'.length;

/** How far luck is remembered, in events, and how often one without any is given another chance. */
const LONGEST_MEMORY = 8;
const NEXT_CHANCE = 32;

interface RepeatedPart extends Cut {
  readonly member: string;
}

/**
 * Parses the events of one watch along the objects that its reader holds. What an event repeats of its object is taken
 * from there instead of being built anew: most events change the status and repeat the spec to the byte. Comparing it as
 * text costs half of parsing it, and leaves no second copy to be found equal and thrown away.
 */
export class RepetitionParser {
  readonly #known: NonNullable<WatchOptions['known']>;
  readonly #dropManagedFields: boolean;
  /** By member of the objects: above zero where it was repeated more often than not. */
  readonly #luck = new Map<string, number>();
  #count = 0;

  constructor(known: NonNullable<WatchOptions['known']>, dropManagedFields: boolean) {
    this.#known = known;
    this.#dropManagedFields = dropManagedFields;
  }

  /**
   * The event in `line`; undefined where nothing is known or repeated, or the event is written in another way than usual:
   * then it is for the ordinary parser. Throws a SyntaxError.
   */
  parse(line: Buffer): unknown {
    const beginning = BEGINNINGS.find((one) => startsWith(line, one));
    const metadata = beginning && findMember(line, beginning.length, line.length, METADATA)?.value;
    const name = metadata && textMember(line, metadata, NAME);
    const held = name && this.#known(name, textMember(line, metadata, NAMESPACE));
    if (!held) return undefined;
    const managedFields = managedFieldsOf(line, metadata, line.length);
    const repeated = this.#repeated(line, endOfObject(line, metadata, managedFields), held);
    if (repeated.length === 0) return undefined;
    const cuts = managedFields && this.#dropManagedFields ? [managedFields, ...repeated] : repeated;
    const event = parseJson(textWithout(line, 0, line.length, cuts)) as { readonly object: Record<string, unknown> };
    const { object } = event;
    // A name that stands there twice means its last value.
    for (const { member } of repeated) if (object[member] === null) object[member] = held[member as keyof KubeObject];
    return event;
  }

  /** The values behind `at` that `held` has, too, up to the first that it has not. */
  #repeated(bytes: Buffer, at: number, held: object): RepeatedPart[] {
    const parts: RepeatedPart[] = [];
    this.#count++;
    while (bytes[at] === COMMA && bytes[at + 1] === QUOTE) {
      const quote = afterQuote(bytes, at + 2) - 1;
      const member = bytes.toString('utf8', at + 2, quote);
      const luck = this.#luck.get(member) ?? 0;
      if (bytes[quote + 1] !== COLON || !Object.hasOwn(held, member) || (luck < 0 && this.#count % NEXT_CHANCE !== 0))
        break;
      const value: unknown = held[member as keyof object];
      const text = typeof value === 'object' ? JSON.stringify(value) : '';
      const from = quote + 2;
      at = from + text.length;
      // Text with anything but ASCII in it is longer in bytes, and so never found.
      const found = text !== '' && bytes.toString('utf8', from, at) === text;
      this.#luck.set(member, Math.max(-LONGEST_MEMORY, Math.min(LONGEST_MEMORY, luck + (found ? 1 : -1))));
      if (!found) break;
      parts.push({ member, from, to: at, filler: 'null' });
    }
    return parts;
  }
}

/** Looks at the type's letter first: in a first list all are additions. */
function startsWith(bytes: Buffer, beginning: Buffer): boolean {
  if (bytes[TYPE] !== beginning[TYPE]) return false;
  for (let i = 0; i < beginning.length; i++) if (bytes[i] !== beginning[i]) return false;
  return true;
}

/** The index behind the next quote from `at` on. */
function afterQuote(bytes: Buffer, at: number): number {
  while (at < bytes.length && bytes[at] !== QUOTE) at++;
  return at + 1;
}

/** A text without escapes among the members of the object at `at`. */
function textMember(bytes: Buffer, at: number, key: Buffer): string | undefined {
  const value = findMember(bytes, at, bytes.length, key)?.value;
  return value !== undefined && bytes[value] === QUOTE
    ? bytes.toString('utf8', value + 1, afterQuote(bytes, value + 1) - 1)
    : undefined;
}

/** The index after the object that opens at `at`. What is known of its inside is not read twice, if it stands last as usual. */
function endOfObject(bytes: Buffer, at: number, { to } = { to: -1 }): number {
  return bytes[to] === CLOSE_BRACE ? to + 1 : skipValue(bytes, at, bytes.length);
}
