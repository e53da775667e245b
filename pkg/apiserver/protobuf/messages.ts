import { ownValue } from '#pkg/base';
import { allSchemas } from '../schema/index.ts';
import rows from './fields.json' with { type: 'json' };

/*
 * fields.json holds a line for each message (facts of the `generated.proto` files of k8s.io/api and k8s.io/apimachinery):
 * `number[^]name:type` apart by spaces. `^`: the message's fields belong to the parent in JSON. Types: s b i d y scalars,
 * t time, u micro time, n duration, q quantity, x int-or-string, a raw JSON, @message, [repeated, {map, w a message that is
 * nothing but a list.
 */
const lines: Readonly<Record<string, string>> = rows;

export interface MessageField {
  readonly name: string;
  readonly inline: boolean;
  readonly type: string;
}

export type Message = ReadonlyMap<number, MessageField>;

const messages = new Map<string, Message>();

/** By short name, `apps.v1.Deployment`; undefined where there is none. Read at first use. */
export function messageOf(name: string): Message | undefined {
  let message = messages.get(name);
  const line = ownValue(lines, name);
  if (message === undefined && line !== undefined) {
    message = new Map(
      line
        .split(' ')
        .filter((token) => token !== '')
        .map(parseField),
    );
    messages.set(name, message);
  }
  return message;
}

function parseField(token: string): [number, MessageField] {
  const [, number, inline, name, type] = /^(\d+)(\^?)([^:]+):(.*)$/.exec(token)!;
  return [Number(number), { name: name!, inline: inline !== '', type: type! }];
}

/** The message of a kind. Options and the like belong to every group. */
export function messageOfKind(apiVersion: string, kind: string): Message | undefined {
  if (kind === 'DeleteOptions') return messageOf('meta.v1.DeleteOptions');
  const long = allSchemas().kinds.get(`${apiVersion}/${kind}`);
  return long === undefined ? undefined : messageOf(long.split('.').slice(-3).join('.'));
}
