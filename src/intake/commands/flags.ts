/** Words to flags and arguments, by a table per command; what the table does not know is an error. */
import { badInput } from '../../base/errors.ts';
import type { RegaugeError } from '../../base/errors.ts';
import { placeAt } from './shell-words.ts';
import type { CommandLine, Word } from './shell-words.ts';

/** `switch`: on by being there, or `=false`. `value`: takes the next word. `ignored…`: no effect here. */
type FlagKind = 'switch' | 'value' | 'ignored-switch' | 'ignored-value';
export type FlagTable = Readonly<Record<string, FlagKind>>;

export interface ParsedCommand {
  /** Name of the program and command, for messages. */
  readonly name: string;
  readonly line: CommandLine;
  readonly args: readonly Word[];
  readonly flags: ReadonlyMap<string, readonly Word[]>;
}

/** `aliases`: `-n` → `--namespace`. A lone `--` ends the flags. */
export function parseFlags(
  name: string,
  line: CommandLine,
  words: readonly Word[],
  table: FlagTable,
  aliases: Readonly<Record<string, string>> = {},
): ParsedCommand {
  const args: Word[] = [];
  const flags = new Map<string, Word[]>();
  const queue = [...words];
  for (let word = queue.shift(); word !== undefined; word = queue.shift()) {
    if (word.text === '-' || !word.text.startsWith('-')) {
      args.push(word);
      continue;
    }
    if (word.text === '--')
      throw badInput(`${name}: words after "--" are not run`, placeAt(line.yaml, word.start));
    const [written = '', ...values] = word.text.split('=');
    const flag = aliases[written] ?? written;
    const kind = Object.hasOwn(table, flag) ? table[flag] : undefined;
    if (kind === undefined) throw unknownFlag(name, line, word, written, table);
    const value =
      values.length > 0
        ? { text: values.join('='), start: word.start }
        : valueAfter(kind, queue, name, line, word);
    flags.set(flag, [...(flags.get(flag) ?? []), value]);
  }
  return { name, line, args, flags };
}

function valueAfter(
  kind: FlagKind,
  queue: Word[],
  name: string,
  line: CommandLine,
  flag: Word,
): Word {
  if (kind === 'switch' || kind === 'ignored-switch') return { text: 'true', start: flag.start };
  const next = queue.shift();
  if (next !== undefined) return next;
  throw badInput(`${name}: ${flag.text} needs a value`, placeAt(line.yaml, flag.start));
}

function unknownFlag(
  name: string,
  line: CommandLine,
  word: Word,
  flag: string,
  table: FlagTable,
): RegaugeError {
  const flags = Object.keys(table).filter((known) => !table[known]?.startsWith('ignored'));
  return badInput(
    `${name}: unknown flag ${flag}`,
    placeAt(line.yaml, word.start),
    `Flags that can be rehearsed: ${flags.join(', ')}.`,
  );
}

export function valueOfFlag(command: ParsedCommand, flag: string): string | undefined {
  return command.flags.get(flag)?.at(-1)?.text;
}

export function isSet(command: ParsedCommand, flag: string): boolean {
  const value = valueOfFlag(command, flag);
  return value !== undefined && value !== 'false';
}

/** The argument, or `bad-input` that names what is missing. */
export function argument(command: ParsedCommand, index: number, what: string): Word {
  const word = command.args[index];
  if (word !== undefined) return word;
  const last = command.line.words.at(-1);
  throw badInput(
    `${command.name}: ${what} is missing`,
    placeAt(command.line.yaml, last?.start ?? 0),
  );
}

export function noMoreArguments(command: ParsedCommand, count: number): void {
  const extra = command.args[count];
  if (extra === undefined) return;
  throw badInput(
    `${command.name}: unexpected "${extra.text}"`,
    placeAt(command.line.yaml, extra.start),
  );
}

/** `90`, `90s`, `5m`, `1h30m` to seconds (Go's time.ParseDuration, whole units). */
export function secondsOf(command: ParsedCommand, flag: string): number | undefined {
  const word = command.flags.get(flag)?.at(-1);
  if (word === undefined) return undefined;
  const seconds = durationSeconds(word.text);
  if (seconds !== undefined) return seconds;
  throw badInput(
    `${command.name}: ${flag} is not a duration: "${word.text}"`,
    placeAt(command.line.yaml, word.start),
    'Write it as 90s, 5m or 1h30m.',
  );
}

export function durationSeconds(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const match = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (match === null || text === '') return undefined;
  const [, hours = '0', minutes = '0', seconds = '0'] = match;
  return Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
}
