/**
 * A Runbook document to the model: each step in its structured form, or as the command line that a
 * person would type. Strict: an unknown key or command is an error at its place, since a step that
 * is not understood must not be left out of a rehearsal.
 */
import { badInput } from '../base/errors.ts';
import type { Source } from '../base/source.ts';
import type { Runbook, RunbookStep } from '../model/runbook.ts';
import type { TreePath } from '../model/config-tree.ts';
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
import { splitDocuments } from './text/yaml-split.ts';
import { parseYaml } from './text/yaml-text.ts';
import type { TextTree, YamlText } from './text/yaml-tree.ts';

/** A values file that a helm command of a runbook uses, with the chart version it names. */
export interface ValuesUse {
  readonly file: string;
  readonly version: string;
  readonly source: Source;
}

export interface ReadRunbook {
  readonly runbook: Runbook;
  readonly source: Source;
  readonly uses: readonly ValuesUse[];
}

/** Throws `bad-input` at the first thing that is not a runbook's. */
export function readRunbook(tree: TextTree, index: InputIndex): ReadRunbook {
  const head = checked(tree, [], runbookSchema.safeParse(tree.value));
  const files = fileResolver(index, tree.source.file ?? '');
  const uses: ValuesUse[] = [];
  const steps = head.steps.map((_step, at) => readStep(tree, at, files, uses));
  const runbook: Runbook = {
    apiVersion: 'regauge.dev/v1',
    kind: 'Runbook',
    ...(head.name === undefined ? {} : { name: head.name }),
    ...(head.description === undefined ? {} : { description: head.description }),
    steps,
  };
  return { runbook, source: tree.source, uses };
}

const KEYS: readonly CommandKey[] = ['helm', 'kubectl', 'talos', 'files', 'wait'];

function readStep(tree: TextTree, at: number, files: FileResolver, uses: ValuesUse[]): RunbookStep {
  const path = ['steps', at];
  const located = tree.at(path);
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
  return {
    ...(title === undefined ? {} : { title }),
    ...(reading === undefined ? {} : { reading }),
    ...(continueOnError === undefined ? {} : { continueOnError }),
    ...readCommand(tree, [...path, key], key, files, uses),
  } as RunbookStep; // checked key by key above and by the schema of its command
}

function readCommand(
  tree: TextTree,
  path: readonly (string | number)[],
  key: CommandKey,
  files: FileResolver,
  uses: ValuesUse[],
): object {
  const value = tree.at(path)?.value;
  const text = tree.embedded(path);
  if (key === 'wait' && (typeof value === 'number' || typeof value === 'string')) {
    return { wait: { seconds: waitSeconds(tree, path, value) } };
  }
  if (text === undefined || key === 'files' || key === 'wait') {
    const command = checked<unknown>(tree, path, COMMAND_SCHEMAS[key].safeParse(value));
    const patch = key === 'talos' ? tree.embedded([...path, 'patch']) : undefined;
    if (patch !== undefined) checkPatch(patch);
    return { [key]: command };
  }
  const line = commandLine(text);
  if (key === 'kubectl') return { kubectl: parseKubectl(line, files) };
  if (key === 'talos') {
    const talos = parseTalosctl(line, files);
    if (talos.action === 'patch')
      checkPatch({ ...text, text: talos.patch, placeOf: () => text.placeOf(0) });
    return { talos };
  }
  const { command, valuesFiles } = parseHelm(line, files);
  const source = tree.at(path)?.source ?? tree.source;
  if ('version' in command) {
    for (const file of valuesFiles) uses.push({ file, version: command.version, source });
  }
  return { helm: command };
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
