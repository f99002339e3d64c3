/** `helm …` as typed to the command it is; values files are looked for among the given files. */
import { badInput } from '../../base/errors.ts';
import type { Source } from '../../base/source.ts';
import type { HelmCommand } from '../../model/runbook.ts';
import { readDocuments } from '../documents.ts';
import { isTable } from '../intake.ts';
import { argument, isSet, noMoreArguments, parseFlags, secondsOf, valueOfFlag } from './flags.ts';
import type { FlagTable, ParsedCommand } from './flags.ts';
import { mergeValues, setValue } from './helm-set.ts';
import type { Values } from './helm-set.ts';
import type { FileResolver } from './resolver.ts';
import { placeAt } from './shell-words.ts';
import type { CommandLine } from './shell-words.ts';

const FLAGS: FlagTable = {
  '--namespace': 'value',
  '--version': 'value',
  '--values': 'value',
  '--set': 'value',
  '--set-string': 'value',
  '--install': 'switch',
  '--repo': 'ignored-value',
  '--create-namespace': 'ignored-switch',
  '--wait': 'switch',
  '--atomic': 'switch',
  '--reuse-values': 'switch',
  '--reset-values': 'switch',
  '--timeout': 'value',
  '--kube-context': 'ignored-value',
  '--kubeconfig': 'ignored-value',
  '--debug': 'ignored-switch',
};
const ALIASES = { '-n': '--namespace', '-f': '--values', '-i': '--install' };

/** Commands that change no cluster. Their flags are not looked at. */
const READING = /^(get|history|lint|list|ls|pull|repo|search|show|status|template|version)$/;

export interface ParsedHelm {
  readonly command: HelmCommand;
  /** The values files it used: their chart version is told by this command. */
  readonly valuesFiles: readonly string[];
}

/** Undefined for a command that only reads. Throws `bad-input` at the word that cannot be rehearsed. */
export function parseHelm(line: CommandLine, files: FileResolver): ParsedHelm | undefined {
  const words = line.words[0]?.text === 'helm' ? line.words.slice(1) : line.words;
  if (READING.test(words[0]?.text ?? '')) return undefined;
  const command = parseFlags('helm', line, words, FLAGS, ALIASES);
  const verb = argument(command, 0, 'the command');
  switch (verb.text) {
    case 'install':
    case 'upgrade':
      return installation(verb.text, command, files);
    case 'uninstall':
    case 'delete':
      noMoreArguments(command, 2);
      return { command: { action: 'uninstall', ...releaseOf(command) }, valuesFiles: [] };
    case 'rollback':
      noMoreArguments(command, 3);
      return {
        command: { action: 'rollback', ...releaseOf(command), ...revisionOf(command) },
        valuesFiles: [],
      };
    default:
      throw badInput(
        `helm: "${verb.text}" cannot be rehearsed`,
        placeAt(line.yaml, verb.start),
        'Commands that can be: install, upgrade, uninstall, rollback.',
      );
  }
}

function installation(
  verb: 'install' | 'upgrade',
  command: ParsedCommand,
  files: FileResolver,
): ParsedHelm {
  noMoreArguments(command, 3);
  const chart = argument(command, 2, 'the chart').text;
  const version = valueOfFlag(command, '--version')?.replace(/^v/, '');
  if (version === undefined) {
    throw badInput(
      `helm ${verb}: --version is missing`,
      placeAt(command.line.yaml, 0),
      'Without it the newest chart of that day is installed, which nobody can rehearse.',
    );
  }
  const { values, used } = valuesOf(command, files);
  return {
    command: {
      action: verb,
      ...releaseOf(command),
      chart,
      version,
      values,
      ...reuseOf(verb, command, values),
      ...patienceOf(command),
    },
    valuesFiles: used,
  };
}

/** An upgrade that is told no values keeps the release's own (helm:pkg/action/upgrade.go, reuseValues). */
function reuseOf(verb: string, command: ParsedCommand, values: Values): { reuseValues?: true } {
  const untold = Object.keys(values).length === 0 && !isSet(command, '--reset-values');
  return verb === 'upgrade' && (untold || isSet(command, '--reuse-values'))
    ? { reuseValues: true }
    : {};
}

/** `--atomic` waits too (helm upgrade --help). */
function patienceOf(command: ParsedCommand): {
  wait?: true;
  atomic?: true;
  timeoutSeconds?: number;
} {
  const atomic = isSet(command, '--atomic');
  const seconds = secondsOf(command, '--timeout');
  return {
    ...(atomic || isSet(command, '--wait') ? { wait: true } : {}),
    ...(atomic ? { atomic } : {}),
    ...(seconds === undefined ? {} : { timeoutSeconds: seconds }),
  };
}

/** Files in order, then --set, later over earlier (helm docs, "Values files"). */
function valuesOf(
  command: ParsedCommand,
  files: FileResolver,
): { values: Values; used: readonly string[] } {
  const used: string[] = [];
  let values: Values = {};
  for (const word of command.flags.get('--values') ?? []) {
    const usedAt = placeAt(command.line.yaml, word.start);
    const file = files.file(word.text, usedAt);
    used.push(file.path);
    for (const { tree } of readDocuments(file))
      values = mergeValues(values, tableOf(tree.value, tree.source));
  }
  for (const [flag, typed] of [
    ['--set', true],
    ['--set-string', false],
  ] as const) {
    for (const word of command.flags.get(flag) ?? []) {
      values = setValue(values, word.text, typed, placeAt(command.line.yaml, word.start));
    }
  }
  return { values, used };
}

function tableOf(value: unknown, source: Source): Values {
  if (isTable(value)) return value;
  throw badInput('Helm values must be a mapping', source);
}

function releaseOf(command: ParsedCommand): { release: string; namespace: string } {
  return {
    release: argument(command, 1, 'the release').text,
    namespace: valueOfFlag(command, '--namespace') ?? 'default',
  };
}

function revisionOf(command: ParsedCommand): { revision?: number } {
  const word = command.args[2];
  if (word === undefined) return {};
  if (/^\d+$/.test(word.text)) return { revision: Number(word.text) };
  throw badInput(
    'helm rollback: the revision is no number',
    placeAt(command.line.yaml, word.start),
  );
}
