/**
 * A Runbook document to the model: each step in its structured form, or as the command line that a
 * person would type. Strict: an unknown key or command is an error at its place, since a step that
 * is not understood must not be left out of a rehearsal.
 */
import { badInput } from '../base/errors.ts';
import type { Source } from '../base/source.ts';
import type { Runbook, RunbookStep } from '../model/runbook.ts';
import { pathParts, type TreePath } from '../model/config-tree.ts';
import { durationSeconds } from './commands/flags.ts';
import { parseHelm } from './commands/helm.ts';
import { parseKubectl } from './commands/kubectl.ts';
import { fileResolver } from './commands/resolver.ts';
import type { FileResolver } from './commands/resolver.ts';
import { commandLine } from './commands/shell-words.ts';
import { parseTalosctl } from './commands/talosctl.ts';
import type { InputIndex } from './input-index.ts';
import { isTable } from './intake.ts';
import { COMMAND_SCHEMAS, runbookSchema, stepSchema } from './runbook-schema.ts';
import type { CommandKey } from './runbook-schema.ts';
import { subTree } from './text/json-tree.ts';
import { splitDocuments } from './text/yaml-split.ts';
import { parseYaml } from './text/yaml-text.ts';
import type { TextTree, YamlText } from './text/yaml-tree.ts';

/** A values file that a helm command of a runbook uses, with the chart version it names. */
export interface ValuesUse {
  readonly file: string;
  readonly version: string;
  readonly source: Source;
}

/** Values of Cilium that stand in a step itself, whole: what is laid over others is only a part. */
export interface InlineValues {
  readonly tree: TextTree;
  readonly version: string;
  /** Where the version is. */
  readonly source: Source;
}

export interface ReadRunbook {
  readonly runbook: Runbook;
  readonly source: Source;
  readonly uses: readonly ValuesUse[];
  readonly inline: readonly InlineValues[];
}

/** Throws `bad-input` at the first thing that is not a runbook's. */
export function readRunbook(tree: TextTree, index: InputIndex): ReadRunbook {
  const head = checked(tree, [], runbookSchema.safeParse(tree.value));
  const files = fileResolver(index, tree.source.file ?? '');
  const uses: ValuesUse[] = [];
  const steps = head.steps.flatMap((_step, at) => readStep(tree, at, files, uses));
  const inline = head.steps.flatMap((_step, at) => inlineValues(tree, ['steps', at, 'helm']));
  const runbook: Runbook = {
    apiVersion: 'regauge.dev/v1',
    kind: 'Runbook',
    ...(head.name === undefined ? {} : { name: head.name }),
    ...(head.description === undefined ? {} : { description: head.description }),
    steps,
  };
  return { runbook, source: tree.source, uses, inline };
}

const KEYS: readonly CommandKey[] = ['helm', 'kubectl', 'talos', 'files', 'wait', 'look'];

/** The steps that one entry is: a command that names several objects is one step for each. */
function readStep(
  tree: TextTree,
  at: number,
  files: FileResolver,
  uses: ValuesUse[],
): readonly RunbookStep[] {
  const path = ['steps', at];
  const located = tree.at(path);
  const typed = tree.embedded(path);
  if (typed !== undefined) return commandsIn(typed, { tree, path, files, uses });
  const value = isTable(located?.value) ? located.value : {};
  const common = checked(tree, path, stepSchema.safeParse(located?.value));
  const keys = KEYS.filter((key) => key in value);
  const [key, second] = keys;
  if (key === undefined || second !== undefined) {
    const source =
      (second === undefined ? undefined : tree.keyOf([...path, second])) ?? tree.nearest(path);
    throw badInput(`a step has exactly one of ${KEYS.join(', ')}`, source);
  }
  const { title, reading, continueOnError } = common;
  return readCommand({ tree, path: [...path, key], files, uses }, key).map(
    (command) =>
      ({
        ...(title === undefined ? {} : { title }),
        ...(reading === undefined ? {} : { reading }),
        ...(continueOnError === undefined ? {} : { continueOnError }),
        ...command,
      }) as RunbookStep, // checked key by key above and by the schema of its command
  );
}

function inlineValues(tree: TextTree, path: TreePath): readonly InlineValues[] {
  const { value } = tree.at(path) ?? {};
  if (!isTable(value) || !isTable(value['values']) || value['reuseValues'] === true) return [];
  const { chart, version } = value;
  if (typeof chart !== 'string' || typeof version !== 'string') return [];
  const parts = pathParts(path);
  const source = tree.at([...parts, 'version'])?.source;
  if (!/(^|\/)cilium$/.test(chart) || source === undefined) return [];
  return [{ tree: subTree(tree, [...parts, 'values']), version, source }];
}

interface StepPlace {
  readonly tree: TextTree;
  readonly path: readonly (string | number)[];
  readonly files: FileResolver;
  readonly uses: ValuesUse[];
}

function readCommand(place: StepPlace, key: CommandKey): readonly object[] {
  const { tree, path } = place;
  const value = tree.at(path)?.value;
  const text = tree.embedded(path);
  if (key === 'wait' && (typeof value === 'number' || typeof value === 'string')) {
    return [{ wait: { seconds: waitSeconds(tree, path, value) } }];
  }
  if (text === undefined || key === 'files' || key === 'wait' || key === 'look') {
    const command = checked<unknown>(tree, path, COMMAND_SCHEMAS[key].safeParse(value));
    const patch = key === 'talos' ? tree.embedded([...path, 'patch']) : undefined;
    if (patch !== undefined) checkPatch(patch);
    return [{ [key]: command }];
  }
  return typedCommand(key, text, place);
}

/** A step that is a line as typed: its first word says what it is. */
function commandsIn(text: YamlText, place: StepPlace): readonly RunbookStep[] {
  const [program, argument] = commandLine(text).words;
  const key = program === undefined ? undefined : PROGRAMS.get(program.text);
  if (key !== undefined) return typedCommand(key, text, place) as readonly RunbookStep[]; // as parsed
  const seconds = program?.text === 'sleep' ? durationSeconds(argument?.text ?? '') : undefined;
  if (seconds !== undefined) return [{ wait: { seconds } }];
  if (program?.text === 'cilium') return [{ look: text.text.trim() }];
  throw badInput(
    `"${program?.text ?? ''}" cannot be rehearsed`,
    { file: text.file, ...text.placeOf(program?.start ?? 0) },
    `A step is a command of ${[...PROGRAMS.keys()].join(', ')} or sleep, or a mapping with one of ${KEYS.join(', ')}.`,
  );
}

type TypedKey = 'helm' | 'kubectl' | 'talos';

const PROGRAMS: ReadonlyMap<string, TypedKey> = new Map([
  ['kubectl', 'kubectl'],
  ['helm', 'helm'],
  ['talosctl', 'talos'],
]);

function typedCommand(
  key: TypedKey,
  text: YamlText,
  { tree, path, files, uses }: StepPlace,
): readonly object[] {
  const line = commandLine(text);
  const look = { look: showLine(key, text) };
  if (key === 'kubectl') {
    const commands = parseKubectl(line, files);
    return commands.length === 0 ? [look] : commands.map((kubectl) => ({ kubectl }));
  }
  if (key === 'talos') {
    const talos = parseTalosctl(line, files);
    if (talos?.action === 'patch')
      checkPatch({ ...text, text: talos.patch, placeOf: () => text.placeOf(0) });
    return [talos === undefined ? look : { talos }];
  }
  const parsed = parseHelm(line, files);
  if (parsed === undefined) return [look];
  const { command, valuesFiles } = parsed;
  const source = tree.at(path)?.source ?? tree.source;
  if ('version' in command) {
    for (const file of valuesFiles) uses.push({ file, version: command.version, source });
  }
  return [{ helm: command }];
}

/** The line with the name of its program, which the step's key may have said already. */
function showLine(key: TypedKey, { text }: YamlText): string {
  const program = key === 'talos' ? 'talosctl' : key;
  const line = text.trim();
  return line.startsWith(program) ? line : `${program} ${line}`;
}

/** A patch is kept as text, so that Talos's own decoder reads it; here it must only be YAML. */
function checkPatch(yaml: YamlText): void {
  for (const part of splitDocuments(yaml.text)) {
    const start = yaml.text.indexOf(part.text);
    parseYaml({ ...yaml, text: part.text, placeOf: (offset) => yaml.placeOf(start + offset) });
  }
}

function waitSeconds(tree: TextTree, path: TreePath, value: number | string): number {
  const seconds = typeof value === 'number' ? value : durationSeconds(value);
  if (seconds !== undefined && seconds >= 0 && Number.isFinite(seconds)) return seconds;
  throw badInput(
    `wait: "${value}" is no duration`,
    tree.at(path)?.source ?? tree.source,
    'Write it as 90s, 5m or 1h30m.',
  );
}

interface SafeParse<T> {
  readonly success: boolean;
  readonly data?: T | undefined;
  readonly error?: {
    readonly issues: readonly {
      readonly path: readonly PropertyKey[];
      readonly message: string;
      readonly code: string;
      readonly keys?: readonly string[];
    }[];
  };
}

/** The data, or the first issue at the place of what it is about. */
function checked<T>(tree: TextTree, base: readonly (string | number)[], result: SafeParse<T>): T {
  if (result.data !== undefined) return result.data;
  const issue = result.error?.issues[0];
  const parts = (issue?.path ?? []).map((part) => (typeof part === 'symbol' ? String(part) : part));
  const path = [...base, ...parts];
  const unknownKey = issue?.code === 'unrecognized_keys' ? issue.keys?.[0] : undefined;
  const source =
    unknownKey === undefined
      ? (tree.at(path)?.source ?? tree.nearest(path))
      : (tree.keyOf([...path, unknownKey]) ?? tree.nearest(path));
  const where = parts.length === 0 ? '' : `${parts.join('.')}: `;
  throw badInput(
    `Runbook: ${where}${(issue?.message ?? 'not valid').replace(/^[A-Z]/, (letter) => letter.toLowerCase())}`,
    source,
  );
}
