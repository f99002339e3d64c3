/** `kubectl …` as typed to the command it is. */
import { badInput } from '../../base/errors.ts';
import type { KubectlCommand } from '../../model/runbook.ts';
import { isTable } from '../intake.ts';
import { parseYaml } from '../text/yaml-text.ts';
import { argument, isSet, noMoreArguments, parseFlags, secondsOf, valueOfFlag } from './flags.ts';
import type { FlagTable, ParsedCommand } from './flags.ts';
import { kindOf } from './resource-kinds.ts';
import type { FileResolver } from './resolver.ts';
import { placeAt } from './shell-words.ts';
import type { CommandLine, Word } from './shell-words.ts';

const EVERYWHERE: FlagTable = {
  '--namespace': 'value',
  '--context': 'ignored-value',
  '--kubeconfig': 'ignored-value',
  '--output': 'ignored-value',
  '--wait': 'ignored-switch',
  '--v': 'ignored-value',
};
const ALIASES = {
  '-n': '--namespace',
  '-o': '--output',
  '-l': '--selector',
  '-f': '--filename',
  '-p': '--patch',
  '-v': '--v',
};

const TABLES: Readonly<Record<string, FlagTable>> = {
  apply: {
    '--filename': 'value',
    '--server-side': 'ignored-switch',
    '--force-conflicts': 'ignored-switch',
    '--field-manager': 'ignored-value',
  },
  delete: {
    '--selector': 'value',
    '--force': 'switch',
    '--grace-period': 'value',
    '--ignore-not-found': 'ignored-switch',
    '--timeout': 'ignored-value',
  },
  patch: { '--type': 'value', '--patch': 'value' },
  rollout: {},
  label: { '--overwrite': 'ignored-switch' },
  scale: { '--replicas': 'value' },
  cordon: {},
  uncordon: {},
  drain: {
    '--ignore-daemonsets': 'switch',
    '--delete-emptydir-data': 'switch',
    '--delete-local-data': 'switch',
    '--force': 'switch',
    '--timeout': 'value',
    '--grace-period': 'ignored-value',
  },
};

/** Throws `bad-input` at the word that cannot be rehearsed. */
export function parseKubectl(line: CommandLine, files: FileResolver): KubectlCommand {
  const words = line.words[0]?.text === 'kubectl' ? line.words.slice(1) : line.words;
  const verbIndex = verbAt(words);
  const verb = words[verbIndex];
  const table =
    verb === undefined
      ? undefined
      : Object.hasOwn(TABLES, verb.text)
        ? TABLES[verb.text]
        : undefined;
  if (verb === undefined || table === undefined) {
    throw badInput(
      verb === undefined
        ? 'kubectl: the command is missing'
        : `kubectl: "${verb.text}" cannot be rehearsed`,
      placeAt(line.yaml, verb?.start ?? 0),
      `Commands that can be: ${Object.keys(TABLES).join(', ')}.`,
    );
  }
  const rest = [...words.slice(0, verbIndex), ...words.slice(verbIndex + 1)];
  const command = parseFlags(
    `kubectl ${verb.text}`,
    line,
    rest,
    { ...EVERYWHERE, ...table },
    ALIASES,
  );
  return build(verb.text, command, files);
}

/** Flags may stand before the verb: `kubectl -n longhorn-system delete pod …`. */
function verbAt(words: readonly Word[]): number {
  let at = 0;
  while (words[at]?.text.startsWith('-') === true)
    at += words[at]?.text.includes('=') === true ? 1 : 2;
  return at;
}

function build(verb: string, command: ParsedCommand, files: FileResolver): KubectlCommand {
  switch (verb) {
    case 'apply':
      return { action: 'apply', objects: appliedObjects(command, files) };
    case 'delete':
      return deletion(command);
    case 'patch':
      return patching(command);
    case 'rollout':
      return restart(command);
    case 'label':
      return labelling(command);
    case 'scale':
      return scaling(command);
    case 'drain':
      return drain(command);
    default:
      noMoreArguments(command, 1);
      return { action: verb === 'cordon' ? 'cordon' : 'uncordon', node: nodeName(command) };
  }
}

function appliedObjects(
  command: ParsedCommand,
  files: FileResolver,
): readonly Readonly<Record<string, unknown>>[] {
  noMoreArguments(command, 0);
  const names = command.flags.get('--filename') ?? [];
  if (names.length === 0)
    throw badInput('kubectl apply: -f is missing', placeAt(command.line.yaml, 0));
  return names.flatMap((word) => files.objects(word.text, placeAt(command.line.yaml, word.start)));
}

function deletion(command: ParsedCommand): KubectlCommand {
  const target = targetOf(command, false);
  const selector = valueOfFlag(command, '--selector');
  if (target.name === undefined && selector === undefined)
    argument(command, 1, 'the name, or -l with a selector,');
  const force = isSet(command, '--force') || valueOfFlag(command, '--grace-period') === '0';
  return {
    action: 'delete',
    kind: target.kind,
    ...namespaced(command),
    ...(target.name === undefined ? {} : { name: target.name }),
    ...(selector === undefined ? {} : { selector }),
    ...(force ? { force } : {}),
  };
}

function patching(command: ParsedCommand): KubectlCommand {
  const word = command.flags.get('--patch')?.at(-1);
  if (word === undefined)
    throw badInput('kubectl patch: -p is missing', placeAt(command.line.yaml, 0));
  const type = valueOfFlag(command, '--type') ?? 'strategic';
  if (type !== 'merge' && type !== 'strategic') {
    throw badInput(
      `kubectl patch: --type ${type} cannot be rehearsed`,
      placeAt(command.line.yaml, word.start),
      'Write the patch as --type merge.',
    );
  }
  const target = targetOf(command, true);
  return {
    action: 'patch',
    kind: target.kind,
    ...namespaced(command),
    name: target.name ?? '',
    patch: patchOf(command, word),
  };
}

function patchOf(command: ParsedCommand, word: Word): Readonly<Record<string, unknown>> {
  const place = placeAt(command.line.yaml, word.start);
  const { line = 1, column = 1 } = place;
  const patch = parseYaml({
    file: place.file ?? '',
    text: word.text,
    placeOf: () => ({ line, column }),
  });
  if (isTable(patch?.value)) return patch.value;
  throw badInput('kubectl patch: the patch is no mapping', place);
}

function restart(command: ParsedCommand): KubectlCommand {
  const verb = argument(command, 0, 'restart');
  if (verb.text !== 'restart') {
    throw badInput(
      `kubectl rollout: "${verb.text}" cannot be rehearsed`,
      placeAt(command.line.yaml, verb.start),
      'Only "kubectl rollout restart" can be.',
    );
  }
  const { kind, name = '' } = targetOf({ ...command, args: command.args.slice(1) }, true);
  return {
    action: 'rollout-restart',
    kind,
    namespace: valueOfFlag(command, '--namespace') ?? 'default',
    name,
  };
}

function labelling(command: ParsedCommand): KubectlCommand {
  const [first] = command.args;
  const count = first?.text.includes('/') === true ? 1 : 2;
  const { kind, name = '' } = targetOf({ ...command, args: command.args.slice(0, count) }, true);
  const words = command.args.slice(count);
  if (words.length === 0) argument(command, count, 'a label (key=value, or key-)');
  return {
    action: 'label',
    kind,
    ...namespaced(command),
    name,
    labels: Object.fromEntries(words.map((word) => labelOf(command, word))),
  };
}

function labelOf(command: ParsedCommand, word: Word): readonly [string, string | null] {
  const [key = '', ...value] = word.text.split('=');
  if (value.length > 0) return [key, value.join('=')];
  if (key.endsWith('-')) return [key.slice(0, -1), null];
  throw badInput(
    `kubectl label: "${word.text}" is no label (key=value, or key-)`,
    placeAt(command.line.yaml, word.start),
  );
}

function scaling(command: ParsedCommand): KubectlCommand {
  const word = command.flags.get('--replicas')?.at(-1);
  if (word === undefined || !/^\d+$/.test(word.text)) {
    throw badInput(
      'kubectl scale: --replicas needs a number',
      placeAt(command.line.yaml, word?.start ?? 0),
    );
  }
  const { kind, name = '' } = targetOf(command, true);
  return {
    action: 'scale',
    kind,
    namespace: valueOfFlag(command, '--namespace') ?? 'default',
    name,
    replicas: Number(word.text),
  };
}

function drain(command: ParsedCommand): KubectlCommand {
  noMoreArguments(command, 1);
  const timeoutSeconds = secondsOf(command, '--timeout');
  return {
    action: 'drain',
    node: nodeName(command),
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    force: isSet(command, '--force'),
    ignoreDaemonsets: isSet(command, '--ignore-daemonsets'),
    deleteEmptydirData:
      isSet(command, '--delete-emptydir-data') || isSet(command, '--delete-local-data'),
  };
}

function nodeName(command: ParsedCommand): string {
  return argument(command, 0, 'the node').text.replace(/^nodes?\//, '');
}

/** `daemonset/cilium` or `daemonset cilium`. */
function targetOf(command: ParsedCommand, named: boolean): { kind: string; name?: string } {
  const first = argument(command, 0, 'the kind of object');
  const [resource = '', inline] = first.text.split('/');
  const kind = kindOf(resource);
  if (kind === undefined) {
    throw badInput(
      `${command.name}: unknown kind "${resource}"`,
      placeAt(command.line.yaml, first.start),
      'Write the kind as the API names it, e.g. DaemonSet.',
    );
  }
  noMoreArguments(command, inline === undefined ? 2 : 1);
  const name = inline ?? (named ? argument(command, 1, 'the name').text : command.args[1]?.text);
  return name === undefined ? { kind } : { kind, name };
}

function namespaced(command: ParsedCommand): { namespace?: string } {
  const namespace = valueOfFlag(command, '--namespace');
  return namespace === undefined ? {} : { namespace };
}
