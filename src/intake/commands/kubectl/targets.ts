/** What a kubectl command is about: kinds, names, selectors and namespaces, as typed. */
import { badInput } from '../../../base/errors.ts';
import { argument, noMoreArguments, valueOfFlag } from '../flags.ts';
import type { ParsedCommand } from '../flags.ts';
import { placeAt } from '../shell-words.ts';
import type { Word } from '../shell-words.ts';
import { kindOf } from './resource-kinds.ts';

export interface Target {
  readonly kind: string;
  readonly name?: string;
}

/** `daemonset/cilium` or `daemonset cilium`: one object. */
export function oneTarget(command: ParsedCommand): Required<Target> {
  const first = argument(command, 0, 'the kind of object');
  const inline = first.text.includes('/');
  noMoreArguments(command, inline ? 1 : 2);
  const [target] = targetsOf(command);
  if (target?.name !== undefined) return { kind: target.kind, name: target.name };
  return { kind: target?.kind ?? '', name: argument(command, 1, 'the name').text };
}

/** `ds/a deploy/b`, `ds a b`, or a kind alone: that is one target without a name. */
export function targetsOf(command: ParsedCommand): readonly Target[] {
  const first = argument(command, 0, 'the kind of object');
  if (first.text.includes('/')) {
    return command.args.map((word) => {
      const [resource = '', name = ''] = word.text.split('/');
      return { kind: kindAt(command, word, resource), name };
    });
  }
  const kind = kindAt(command, first, first.text);
  const names = command.args.slice(1).map(({ text }) => text);
  return names.length === 0 ? [{ kind }] : names.map((name) => ({ kind, name }));
}

function kindAt(command: ParsedCommand, word: Word, resource: string): string {
  const kind = kindOf(resource);
  if (kind !== undefined) return kind;
  throw badInput(
    `${command.name}: unknown kind "${resource}"`,
    placeAt(command.line.yaml, word.start),
    'Write the kind as the API names it, e.g. DaemonSet.',
  );
}

/** The nodes named; `node/a` is `a`. */
export function nodeNames(command: ParsedCommand): readonly string[] {
  argument(command, 0, 'the node');
  return command.args.map(({ text }) => text.replace(/^nodes?\//, ''));
}

export function namespaced(command: ParsedCommand): { namespace?: string } {
  const namespace = valueOfFlag(command, '--namespace');
  return namespace === undefined ? {} : { namespace };
}

export function namespaceOf(command: ParsedCommand): string {
  return valueOfFlag(command, '--namespace') ?? 'default';
}

export function selected(command: ParsedCommand): { selector?: string } {
  const selector = valueOfFlag(command, '--selector');
  return selector === undefined ? {} : { selector };
}
