/** The commands that put a word on an object: label, annotate, taint. */
import { badInput } from '../../../base/errors.ts';
import type { KubectlCommand, Taint } from '../../../model/runbook.ts';
import { argument } from '../flags.ts';
import type { ParsedCommand } from '../flags.ts';
import { placeAt } from '../shell-words.ts';
import type { Word } from '../shell-words.ts';
import { namespaced, oneTarget } from './targets.ts';

export function marking(verb: 'label' | 'annotate', command: ParsedCommand): KubectlCommand {
  const [first] = command.args;
  const count = first?.text.includes('/') === true ? 1 : 2;
  const target = oneTarget({ ...command, args: command.args.slice(0, count) });
  const words = command.args.slice(count);
  if (words.length === 0) argument(command, count, `a ${verb} (key=value, or key-)`);
  const marks = Object.fromEntries(words.map((word) => markOf(command, word)));
  const common = { ...target, ...namespaced(command) };
  return verb === 'label'
    ? { action: 'label', ...common, labels: marks }
    : { action: 'annotate', ...common, annotations: marks };
}

function markOf(command: ParsedCommand, word: Word): readonly [string, string | null] {
  const [key = '', ...value] = word.text.split('=');
  if (value.length > 0) return [key, value.join('=')];
  if (key.endsWith('-')) return [key.slice(0, -1), null];
  throw badInput(
    `${command.name}: "${word.text}" is neither key=value nor key-`,
    placeAt(command.line.yaml, word.start),
  );
}

/** `kubectl taint nodes a key=value:NoExecute other:NoSchedule-` */
export function tainting(command: ParsedCommand): KubectlCommand {
  const count = command.args[0]?.text.includes('/') === true ? 1 : 2;
  const { kind, name } = oneTarget({ ...command, args: command.args.slice(0, count) });
  if (kind !== 'Node')
    throw badInput(`${command.name}: only nodes have taints`, placeAt(command.line.yaml, 0));
  const words = command.args.slice(count);
  if (words.length === 0) argument(command, count, 'a taint (key=value:NoSchedule, or key-)');
  const add: Taint[] = [];
  const remove: { key: string; effect?: string }[] = [];
  for (const word of words) {
    const removed = /^([^=:]+)(?::(\w+))?-$/.exec(word.text);
    if (removed !== null) {
      const [, key = '', effect] = removed;
      remove.push({ key, ...(effect === undefined ? {} : { effect }) });
    } else add.push(taintOf(command, word));
  }
  return { action: 'taint', node: name, add, remove };
}

function taintOf(command: ParsedCommand, word: Word): Taint {
  const [, key = '', value, effect] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(word.text) ?? [];
  if (effect === 'NoSchedule' || effect === 'PreferNoSchedule' || effect === 'NoExecute')
    return { key, ...(value === undefined ? {} : { value }), effect };
  throw badInput(
    `${command.name}: "${word.text}" is no taint`,
    placeAt(command.line.yaml, word.start),
    'Write key=value:Effect with NoSchedule, PreferNoSchedule or NoExecute, or key- to remove it.',
  );
}
