/**
 * The fields of built-in kinds, by name and by number in protobuf: what a typed client sends, what an
 * object may hold, what `kubectl explain` shows. A type is `string`, `boolean`, `integer`, `number`,
 * `bytes`, `time`, `duration`, `quantity`, `intOrString`, `json`, `strings` (a list that is a message of its own)
 * or another message, of another group behind `group/`; before it `[]` a list, `{}` a map, `*` a field
 * whose zero is told apart from its absence. `...` is a message whose fields stand in its place.
 */
import { CORE_FIELDS } from './core-fields.ts';
import { GROUP_FIELDS } from './group-fields.ts';

export type Holding = 'one' | 'list' | 'map';

export interface MessageField {
  /** As in JSON; undefined for a message whose fields stand in its place. */
  readonly name: string | undefined;
  readonly number: number;
  readonly holding: Holding;
  /** Zero and empty are values, not absence. */
  readonly isOptional: boolean;
  /** A scalar's type, or a message as `group/Message`. */
  readonly type: string;
}

export interface Message {
  /** `core/PodSpec`. */
  readonly id: string;
  readonly byNumber: ReadonlyMap<number, MessageField>;
  /** With those of messages that stand in place. */
  readonly byName: ReadonlyMap<string, MessageField>;
}

const TEXTS = { ...CORE_FIELDS, ...GROUP_FIELDS };
const messages = new Map<string, Message>();
let definitions: ReadonlyMap<string, string> | undefined;

/** The message of a built-in kind; undefined for a custom one. */
export function messageOfKind(apiVersion: string, kind: string): Message | undefined {
  const group = groupOf(apiVersion);
  return group === undefined ? undefined : messageOf(`${group}/${kind}`);
}

/** By its name behind its group. */
export function messageOf(id: string): Message | undefined {
  const known = messages.get(id);
  if (known !== undefined) return known;
  definitions ??= new Map(Object.entries(TEXTS).flatMap(([group, text]) => readGroup(group, text)));
  const text = definitions.get(id);
  if (text === undefined) return undefined;
  const [group = ''] = id.split('/');
  const fields = text.split(' ').flatMap((word) => fieldOf(group, word));
  const message = {
    id,
    byNumber: new Map(fields.map((field) => [field.number, field])),
    byName: new Map(fields.flatMap(namedFields)),
  };
  messages.set(id, message);
  return message;
}

function namedFields(field: MessageField): readonly (readonly [string, MessageField])[] {
  if (field.name !== undefined) return [[field.name, field]];
  return [...(messageOf(field.type)?.byName ?? [])];
}

/** A definition is a line and those below it that begin with a space. */
function readGroup(group: string, text: string): readonly (readonly [string, string])[] {
  return text
    .replaceAll('\n  ', ' ')
    .split('\n')
    .flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[`${group}/${line.slice(0, colon)}`, line.slice(colon + 1).trim()]];
    });
}

const HOLDINGS: Readonly<Record<string, Holding>> = { '[]': 'list', '{}': 'map' };

function fieldOf(group: string, word: string): readonly MessageField[] {
  const parts = /^([^=]+)=(\d+):(\[\]|\{\}|\*)?(.+)$/.exec(word);
  if (parts === null) return [];
  const [, name, number, mark = '', type = ''] = parts;
  return [
    {
      name: name === '...' ? undefined : name,
      number: Number(number),
      holding: HOLDINGS[mark] ?? 'one',
      isOptional: mark === '*',
      type: /^[A-Z]/.test(type) ? `${group}/${type}` : type,
    },
  ];
}

function groupOf(apiVersion: string): string | undefined {
  if (apiVersion === 'v1') return 'core';
  if (apiVersion === 'autoscaling/v1') return 'scale';
  if (apiVersion === 'autoscaling/v2') return 'autoscaling';
  const [group = '', version] = apiVersion.split('/');
  const name = group.replace(/\.(authorization\.)?k8s\.io$/, '');
  return version === 'v1' && name in TEXTS ? name : undefined;
}
