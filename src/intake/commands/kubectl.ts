/** `kubectl …` as typed to the commands it is: one per object or node that it names. */
import { badInput } from '../../base/errors.ts';
import type { KubectlCommand } from '../../model/runbook.ts';
import { isTable } from '../intake.ts';
import { parseYaml } from '../text/yaml-text.ts';
import { argument, isSet, noMoreArguments, parseFlags, secondsOf, valueOfFlag } from './flags.ts';
import type { ParsedCommand } from './flags.ts';
import { ALIASES, EVERYWHERE, READING, TABLES } from './kubectl/flag-tables.ts';
import { marking, tainting } from './kubectl/marking.ts';
import {
  namespaced,
  namespaceOf,
  nodeNames,
  oneTarget,
  selected,
  targetsOf,
} from './kubectl/targets.ts';
import { rollout, waiting } from './kubectl/waiting.ts';
import type { FileResolver } from './resolver.ts';
import { placeAt } from './shell-words.ts';
import type { CommandLine, Word } from './shell-words.ts';

/** None for a command that only reads. Throws `bad-input` at the word that cannot be rehearsed. */
export function parseKubectl(line: CommandLine, files: FileResolver): readonly KubectlCommand[] {
  const words = line.words[0]?.text === 'kubectl' ? line.words.slice(1) : line.words;
  const verbIndex = verbAt(words);
  const verb = words[verbIndex];
  if (verb !== undefined && READING.includes(verb.text)) return [];
  const table =
    verb !== undefined && Object.hasOwn(TABLES, verb.text) ? TABLES[verb.text] : undefined;
  if (verb === undefined || table === undefined) {
    throw badInput(
      verb === undefined
        ? 'kubectl: the command is missing'
        : `kubectl: "${verb.text}" cannot be rehearsed`,
      placeAt(line.yaml, verb?.start ?? 0),
      `Commands that can be: ${Object.keys(TABLES).join(', ')}; and ${READING.join(', ')}, which change nothing.`,
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

function build(
  verb: string,
  command: ParsedCommand,
  files: FileResolver,
): readonly KubectlCommand[] {
  switch (verb) {
    case 'apply':
    case 'create':
      return [{ action: 'apply', objects: appliedObjects(command, files) }];
    case 'delete':
      return deletions(command);
    case 'patch':
      return [patching(command)];
    case 'rollout':
      return rollout(command);
    case 'wait':
      return waiting(command);
    case 'label':
    case 'annotate':
      return [marking(verb, command)];
    case 'taint':
      return [tainting(command)];
    case 'scale':
      return [scaling(command)];
    case 'drain':
      return nodeNames(command).map((node) => drain(command, node));
    default: {
      const action = verb === 'cordon' ? 'cordon' : 'uncordon';
      return nodeNames(command).map((node) => ({ action, node }));
    }
  }
}

function appliedObjects(
  command: ParsedCommand,
  files: FileResolver,
): readonly Readonly<Record<string, unknown>>[] {
  noMoreArguments(command, 0);
  const names = command.flags.get('--filename') ?? [];
  if (names.length === 0)
    throw badInput(`${command.name}: -f is missing`, placeAt(command.line.yaml, 0));
  return names.flatMap((word) => files.objects(word.text, placeAt(command.line.yaml, word.start)));
}

function deletions(command: ParsedCommand): readonly KubectlCommand[] {
  const force = isSet(command, '--force') || valueOfFlag(command, '--grace-period') === '0';
  const chosen = { ...selected(command), ...nodeChosen(command), ...allChosen(command) };
  return targetsOf(command).map((target) => {
    if (target.name === undefined && Object.keys(chosen).length === 0)
      argument(command, 1, 'the name, or -l with a selector, or --all,');
    return {
      action: 'delete',
      ...target,
      ...namespaced(command),
      ...chosen,
      ...(force ? { force } : {}),
    };
  });
}

function allChosen(command: ParsedCommand): { all?: true } {
  return isSet(command, '--all') ? { all: true } : {};
}

/** The one field selector that procedures use: the pods of a node. */
function nodeChosen(command: ParsedCommand): { onNode?: string } {
  const word = command.flags.get('--field-selector')?.at(-1);
  if (word === undefined) return {};
  const node = /^spec\.nodeName==?([^=,]+)$/.exec(word.text)?.[1];
  if (node !== undefined) return { onNode: node };
  throw badInput(
    `${command.name}: --field-selector ${word.text} cannot be rehearsed`,
    placeAt(command.line.yaml, word.start),
    'Only spec.nodeName=<node> can be.',
  );
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
  const patch = patchOf(command, word);
  return { action: 'patch', ...oneTarget(command), ...namespaced(command), patch };
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

function scaling(command: ParsedCommand): KubectlCommand {
  const word = command.flags.get('--replicas')?.at(-1);
  if (word === undefined || !/^\d+$/.test(word.text)) {
    throw badInput(
      'kubectl scale: --replicas needs a number',
      placeAt(command.line.yaml, word?.start ?? 0),
    );
  }
  const replicas = Number(word.text);
  return { action: 'scale', ...oneTarget(command), namespace: namespaceOf(command), replicas };
}

function drain(command: ParsedCommand, node: string): KubectlCommand {
  const timeoutSeconds = secondsOf(command, '--timeout');
  return {
    action: 'drain',
    node,
    ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }),
    force: isSet(command, '--force'),
    ignoreDaemonsets: isSet(command, '--ignore-daemonsets'),
    deleteEmptydirData:
      isSet(command, '--delete-emptydir-data') || isSet(command, '--delete-local-data'),
  };
}
