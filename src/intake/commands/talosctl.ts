/** `talosctl …` as typed to the command it is. */
import { badInput } from '../../base/errors.ts';
import type { TalosCommand } from '../../model/runbook.ts';
import { argument, isSet, noMoreArguments, parseFlags, valueOfFlag } from './flags.ts';
import type { FlagTable, ParsedCommand } from './flags.ts';
import type { FileResolver } from './resolver.ts';
import { placeAt } from './shell-words.ts';
import type { CommandLine, Word } from './shell-words.ts';

const FLAGS: FlagTable = {
  '--nodes': 'value',
  '--endpoints': 'ignored-value',
  '--talosconfig': 'ignored-value',
  '--context': 'ignored-value',
  '--cluster': 'ignored-value',
  '--image': 'value',
  '--preserve': 'switch',
  '--wait': 'switch',
  '--mode': 'value',
  '--patch': 'value',
  '--patch-file': 'value',
  '--to': 'value',
  '--timeout': 'ignored-value',
  '--debug': 'ignored-switch',
};
const ALIASES = {
  '-n': '--nodes',
  '-e': '--endpoints',
  '-i': '--image',
  '-p': '--patch',
  '-m': '--mode',
};

const MODES = ['auto', 'no-reboot', 'reboot', 'staged', 'try'] as const;

/** Commands that only read. Their flags are not looked at. */
const READING =
  /^(containers|dashboard|disks|dmesg|events|get|health|image|list|ls|logs|memory|mounts|netstat|processes|read|stats|support|time|version)$/;

/** Undefined for a command that only reads. Throws `bad-input` at the word that cannot be rehearsed. */
export function parseTalosctl(line: CommandLine, files: FileResolver): TalosCommand | undefined {
  const words = line.words[0]?.text === 'talosctl' ? line.words.slice(1) : line.words;
  if (isReading(words)) return undefined;
  const command = parseFlags('talosctl', line, words, FLAGS, ALIASES);
  const verb = argument(command, 0, 'the command');
  switch (verb.text) {
    case 'upgrade':
      noMoreArguments(command, 1);
      return upgrade(command);
    case 'reboot':
      noMoreArguments(command, 1);
      return { action: 'reboot', nodes: nodesOf(command), ...waiting(command) };
    case 'patch':
      return patch(command, files);
    case 'service':
    case 'services':
      return service(command);
    case 'upgrade-k8s': {
      noMoreArguments(command, 1);
      const to = valueOfFlag(command, '--to');
      return to === undefined ? { action: 'upgrade-k8s' } : { action: 'upgrade-k8s', to };
    }
    default:
      throw badInput(
        `talosctl: "${verb.text}" cannot be rehearsed`,
        placeAt(line.yaml, verb.start),
        'Commands that can be: patch machineconfig, upgrade, reboot, service <id> restart, upgrade-k8s.',
      );
  }
}

/** The verb is the first word that is neither a flag nor the value of `-n`, `-e` and their like. */
function isReading(words: readonly Word[]): boolean {
  const plain = words.filter(
    ({ text }, index) => !text.startsWith('-') && !takesNext(words[index - 1]?.text ?? ''),
  );
  const [verb = '', ...rest] = plain.map(({ text }) => text);
  if (verb === 'etcd') return /^(members|status|snapshot|alarm)$/.test(rest[0] ?? '');
  if (/^services?$/.test(verb)) return !rest.some((word) => /^(start|stop|restart)$/.test(word));
  return READING.test(verb);
}

function takesNext(word: string): boolean {
  const flag = new Map(Object.entries(ALIASES)).get(word) ?? word;
  const kind = Object.hasOwn(FLAGS, flag) ? FLAGS[flag] : undefined;
  return kind === 'value' || kind === 'ignored-value';
}

function upgrade(command: ParsedCommand): TalosCommand {
  const image = valueOfFlag(command, '--image');
  if (image === undefined)
    throw badInput('talosctl upgrade: --image is missing', placeAt(command.line.yaml, 0));
  const preserve = command.flags.has('--preserve')
    ? { preserve: isSet(command, '--preserve') }
    : {};
  return { action: 'upgrade', nodes: nodesOf(command), image, ...preserve, ...waiting(command) };
}

function patch(command: ParsedCommand, files: FileResolver): TalosCommand {
  const what = argument(command, 1, 'machineconfig');
  if (!/^(mc|machineconfigs?)$/.test(what.text)) {
    throw badInput(
      `talosctl patch: "${what.text}" cannot be rehearsed`,
      placeAt(command.line.yaml, what.start),
      'Only "talosctl patch machineconfig" can be.',
    );
  }
  noMoreArguments(command, 2);
  const [word, ...more] = [
    ...(command.flags.get('--patch') ?? []),
    ...(command.flags.get('--patch-file') ?? []),
  ];
  if (word === undefined)
    throw badInput('talosctl patch: --patch is missing', placeAt(command.line.yaml, 0));
  if (more[0] !== undefined)
    throw badInput(
      'talosctl patch: more than one patch',
      placeAt(command.line.yaml, more[0].start),
      'Write one step per patch.',
    );
  const named = word.text.startsWith('@') || command.flags.has('--patch-file');
  const text = named
    ? files.file(word.text.replace(/^@/, ''), placeAt(command.line.yaml, word.start)).text
    : word.text;
  return { action: 'patch', nodes: nodesOf(command), patch: text, ...modeOf(command) };
}

function modeOf(command: ParsedCommand): { mode?: (typeof MODES)[number] } {
  const word = command.flags.get('--mode')?.at(-1);
  if (word === undefined) return {};
  const mode = MODES.find((candidate) => candidate === word.text);
  if (mode !== undefined) return { mode };
  throw badInput(
    `talosctl patch: unknown mode "${word.text}"`,
    placeAt(command.line.yaml, word.start),
    `Modes: ${MODES.join(', ')}.`,
  );
}

/** `service kubelet restart` and `service restart kubelet` are both taken by talosctl's users. */
function service(command: ParsedCommand): TalosCommand {
  noMoreArguments(command, 3);
  const first = argument(command, 1, 'the service');
  const second = argument(command, 2, '"restart"');
  if (second.text !== 'restart') {
    throw badInput(
      `talosctl service: "${second.text}" cannot be rehearsed`,
      placeAt(command.line.yaml, second.start),
      'Only "service <id> restart" can be.',
    );
  }
  return { action: 'service-restart', nodes: nodesOf(command), service: first.text };
}

function nodesOf(command: ParsedCommand): readonly string[] {
  const words = command.flags.get('--nodes') ?? [];
  const nodes = words.flatMap(({ text }) => text.split(',')).filter((node) => node !== '');
  if (nodes.length > 0) return nodes;
  throw badInput(
    'talosctl: -n is missing',
    placeAt(command.line.yaml, 0),
    'Name the nodes, or "all", "control-planes", "workers".',
  );
}

function waiting(command: ParsedCommand): { wait?: boolean } {
  return command.flags.has('--wait') ? { wait: isSet(command, '--wait') } : {};
}
