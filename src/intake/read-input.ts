/**
 * Files to a `ClusterInput`: every document is recognised by its content and kept with its place.
 * Pure: texts in, data out. What cannot be read, or is named and recognised by nothing, is one
 * `bad-input`; what is recognised and not needed is listed under `ignored`.
 */
import { badInput } from '../base/errors.ts';
import type { Source } from '../base/source.ts';
import { isLiveValues } from './bundles.ts';
import { inputIndex } from './input-index.ts';
import { versionInComments } from './cilium-values.ts';
import { isCniConf, takeCniConf } from './cni-conf.ts';
import { readDocuments } from './documents.ts';
import type { ReadDocument } from './documents.ts';
import { finishInput } from './finish-input.ts';
import {
  EMPTY_LIST,
  emptyIntake,
  FLANNEL_STATE_FILE,
  ignore,
  isTable,
  notRecognised,
} from './intake.ts';
import type { InputFile, Intake, IntakeOptions, ReadMachineConfig, ValuesRole } from './intake.ts';
import { takeObject, typeOfItems } from './kube-objects.ts';
import { takeListing } from './listing.ts';
import {
  isMainDocument,
  isNamedDocument,
  isTalosResource,
  newConfig,
  takeJsonPatch,
  takeMainDocument,
  takeNamedDocument,
  takeTalosResource,
} from './machine-config.ts';
import { ciliumValuesIn, takeChart, takeHelmList } from './releases.ts';
import type { ClusterInput } from '../model/cluster-input.ts';
import { lazyTree, subTree } from './text/json-tree.ts';
import { placesIn } from './text/places.ts';
import type { TextTree } from './text/yaml-tree.ts';

/** Throws `bad-input` with file, line and column. */
export function readInput(files: readonly InputFile[], options: IntakeOptions = {}): ClusterInput {
  const intake = emptyIntake(options);
  for (const file of files) takeFile(intake, file);
  refuseNothing(intake, files);
  return finishInput(intake, inputIndex(files));
}

function takeFile(intake: Intake, file: InputFile): void {
  const before = intake.ignored.length;
  const size = taken(intake);
  if (takeCniConf(intake, file) || takeListing(intake, file)) return;
  if (isFlannelState(file)) return ignore(intake, { file: file.path }, FLANNEL_STATE_FILE);
  if (!mayHoldDocuments(file)) {
    notRecognised(intake, { file: file.path }, whyNotDocuments(file));
  } else {
    const current: FileState = { file, config: undefined };
    for (const document of readDocuments(file)) takeDocument(intake, current, document);
    takeVersionComment(intake, file);
  }
  if (taken(intake) === size && intake.ignored.length === before) {
    notRecognised(intake, { file: file.path, line: 1, column: 1 }, 'the file holds no document');
  }
  if (file.named !== false && taken(intake) === size) refuseUnrecognised(intake, before);
}

/** `/run/flannel/subnet.env` (flannel:main.go@v0.28.9, WriteSubnetFile). */
function isFlannelState({ path, text }: InputFile): boolean {
  return /(^|\/)subnet\.env$/.test(path) && /^FLANNEL_(NETWORK|SUBNET)=/m.test(text);
}

/** Silence about a file that could not be judged would read as a clean bill. */
function refuseNothing(intake: Intake, files: readonly InputFile[]): void {
  const { versions } = intake;
  if (files.length === 0 || taken(intake) > versions.length) return;
  const [first] = intake.ignored;
  const others = files.length > 1 ? ` (and nothing else in ${files.length} files)` : '';
  const reason = first?.reason ?? 'only the version of a chart';
  const source = first?.source ?? versions[0]?.source ?? {};
  throw badInput(`nothing here can be judged: ${reason}${others}`, source, EXPECTED);
}

/** A file that the user named must hold something regauge knows. */
function refuseUnrecognised(intake: Intake, from: number): void {
  const own = intake.ignored.slice(from);
  const first = own[0];
  if (first === undefined || own.some(({ recognised }) => recognised)) return;
  throw badInput(`nothing here is recognised: ${first.reason}`, first.source, EXPECTED);
}

const EXPECTED =
  'Known are: Cilium Helm values, Talos machine configs and patches, CNI confs and listings of their ' +
  'directory, Kubernetes objects (kubectl get … -o json|yaml), and Runbooks.';

function taken(intake: Intake): number {
  const { objects, values, machineConfigs, cniConfs, listings, runbooks, versions } = intake;
  return [objects, values, machineConfigs, cniConfs, listings, runbooks, versions].reduce(
    (sum, list) => sum + list.length,
    0,
  );
}

const TEXT_NAME = /\.(txt|log|md|out|html?|sh|env|toml|ini|crt|key|pem|tf|go|py|js|ts)$/i;

/** Found by chance and named as something else: then only what starts like a document is read. */
function mayHoldDocuments({ path, text, named }: InputFile): boolean {
  if (/\.(ya?ml|json)$/i.test(path)) return named !== false || !isTemplate(text);
  if (named !== false) return true;
  return !TEXT_NAME.test(path) && /^\s*([{[]|---|#|[A-Za-z][\w.-]*:)/.test(text);
}

function whyNotDocuments({ path, text }: InputFile): string {
  return /\.(ya?ml|json)$/i.test(path) && isTemplate(text)
    ? 'a Helm template, not a document'
    : 'neither YAML nor JSON by its name';
}

function isTemplate(text: string): boolean {
  return /^\s*\{\{-?\s/m.test(text.slice(0, 64 * 1024));
}

interface FileState {
  readonly file: InputFile;
  /** Documents of one file are one machine config, until a second main document starts another. */
  config: ReadMachineConfig | undefined;
}

function takeDocument(intake: Intake, state: FileState, { tree, items }: ReadDocument): void {
  const { value, source } = tree;
  if (value === null || value === undefined) return;
  if (Array.isArray(value)) return takeArray(intake, tree);
  if (!isTable(value))
    return notRecognised(intake, source, 'plain text, neither a mapping nor a list');
  if (items !== undefined) {
    const type = typeOfItems(value);
    if (type !== undefined) intake.kindsListed.add(type.kind);
    for (const item of items) takeObject(intake, item, type);
    if (items.length === 0) ignore(intake, source, EMPTY_LIST);
    return;
  }
  if (isTalosResource(value)) return takeTalosResource(intake, tree);
  if (isNamedDocument(value)) return takeNamedDocument(intake, tree, configOf(state, tree));
  if (value['kind'] === 'Runbook') return void intake.runbooks.push(tree);
  if (typeof value['apiVersion'] === 'string' && typeof value['kind'] === 'string')
    return takeObject(intake, tree);
  if (isMainDocument(value)) return takeMain(intake, state, tree);
  if (!takeChart(intake, tree)) takeMapping(intake, state, tree, value);
}

function takeArray(intake: Intake, tree: TextTree): void {
  const versions = intake.versions.length;
  if (takeHelmList(intake, tree)) {
    if (intake.versions.length > versions) return;
    return ignore(intake, tree.source, 'a list of Helm releases, none of them of the Cilium chart');
  }
  if (takeJsonPatch(intake, tree, newConfig(tree))) return;
  if (Array.isArray(tree.value) && tree.value.length > 0 && tree.value.every(isObject)) {
    for (const index of tree.value.keys()) takeObject(intake, subTree(tree, [index]));
    return;
  }
  notRecognised(
    intake,
    tree.source,
    'a list that is neither a JSON patch of a machine config nor Helm releases',
  );
}

function isObject(item: unknown): boolean {
  return (
    isTable(item) &&
    typeof item['apiVersion'] === 'string' &&
    typeof item['kind'] === 'string' &&
    isTable(item['metadata'])
  );
}

function takeMain(intake: Intake, state: FileState, tree: TextTree): void {
  const started = state.config?.documents.some(({ kind }) => kind === 'v1alpha1') === true;
  if (started) state.config = undefined;
  takeMainDocument(intake, tree, configOf(state, tree));
}

function configOf(state: FileState, tree: TextTree): ReadMachineConfig {
  state.config ??= newConfig(tree);
  return state.config;
}

function takeMapping(
  intake: Intake,
  state: FileState,
  tree: TextTree,
  value: Readonly<Record<string, unknown>>,
): void {
  const printed = printedRole(value);
  const values = ciliumValuesIn(printed === undefined ? tree : withoutHeader(tree));
  if (values !== undefined) {
    const role = intake.options.roles?.[state.file.path] ?? printed ?? roleByPlace(state.file);
    intake.values.push({ tree: values, role, source: values.source, version: undefined });
  } else if (printed !== undefined) {
    ignore(intake, tree.source, 'values of a Helm release, none of them of the Cilium chart');
  } else if (isCniConf(value)) {
    const { path, text } = state.file;
    intake.cniConfs.push(...confOf(path, text, tree.source));
  } else if ('contexts' in value && 'context' in value) {
    ignore(intake, tree.source, 'a talosconfig');
  } else {
    ignore(
      intake,
      tree.source,
      'a mapping without apiVersion and kind that has no key of the Cilium chart: values of another chart?',
    );
  }
}

function roleByPlace({ path }: InputFile): 'target' | 'live' {
  return isLiveValues(path) ? 'live' : 'target';
}

function confOf(path: string, text: string, source: Source): Intake['cniConfs'] {
  const name = path.split('/').at(-1) ?? path;
  const missing = { known: false, missing: `the place of ${path}` } as const;
  return [{ name, directory: missing, node: missing, text, source }];
}

/** Helm prints the values under a line that would read as a key without a value. */
function withoutHeader(tree: TextTree): TextTree {
  const value = { ...(isTable(tree.value) ? tree.value : {}) };
  for (const header of HEADERS) delete value[header];
  return lazyTree(value, tree.source, () => tree);
}

const HEADERS = ['USER-SUPPLIED VALUES', 'COMPUTED VALUES'];

/** The first line of `helm get values`; `COMPUTED VALUES:` with `--all`. */
function printedRole(value: Readonly<Record<string, unknown>>): ValuesRole | undefined {
  return HEADERS.some((header) => header in value) ? 'live' : undefined;
}

function takeVersionComment(intake: Intake, { path, text }: InputFile): void {
  if (text.length > 4 * 2 ** 20) return;
  const found = versionInComments(text);
  if (found === undefined) return;
  const source = { file: path, ...placesIn(text)(found.offset) };
  intake.versions.push({ version: found.version, source, role: 'target' });
}
