/**
 * Which cluster, and as whom: the files of KUBECONFIG or `--kubeconfig` merged as kubectl merges them
 * (the first file that names a thing has it; a missing file is none), the service account inside a
 * cluster, and what the command line says over it. The official client would let the last file win
 * and stop at a name that two files hold, so that it is handed one merged document.
 */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { badInput, RegaugeError } from '../../base/errors.ts';

export type Tree = Readonly<Record<string, unknown>>;

export interface KubeconfigOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One context with its cluster and user, paths absolute. */
export interface ChosenContext {
  readonly context: string;
  readonly cluster: Tree;
  readonly clusterName: string;
  readonly user: Tree;
  readonly userName: string;
  readonly namespace: string | undefined;
  /** Directory of the file that holds the user: where its plugin is looked for. */
  readonly directory: string;
}

export type Kubeconfig = ChosenContext | 'in-cluster';

interface Named {
  readonly name: string;
  readonly value: Tree;
  readonly directory: string;
}

interface Merged {
  readonly clusters: ReadonlyMap<string, Named>;
  readonly contexts: ReadonlyMap<string, Named>;
  readonly users: ReadonlyMap<string, Named>;
  readonly current: string | undefined;
  readonly files: readonly string[];
}

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token';

export function readKubeconfig(options: KubeconfigOptions): Kubeconfig {
  const files = filesOf(options);
  const merged = mergeFiles(files.filter(({ isRequired, file }) => isRequired || existsSync(file)));
  if (merged.files.length === 0) {
    if (isInCluster(options)) return 'in-cluster';
    throw new RegaugeError(
      'bad-input',
      `there is no kubeconfig: ${files.map(({ file }) => file).join(', ')} does not exist`,
      { hint: 'Give one with --kubeconfig or KUBECONFIG.' },
    );
  }
  return chosen(merged, options.context);
}

function filesOf({ kubeconfig, environment }: KubeconfigOptions): readonly {
  readonly file: string;
  readonly isRequired: boolean;
}[] {
  if (kubeconfig !== undefined) return [{ file: path.resolve(kubeconfig), isRequired: true }];
  const listed = (environment['KUBECONFIG'] ?? '')
    .split(path.delimiter)
    .filter((file) => file !== '');
  if (listed.length > 0) {
    return listed.map((file) => ({ file: path.resolve(file), isRequired: false }));
  }
  const home = environment['HOME'] ?? homedir();
  return [{ file: path.join(home, '.kube', 'config'), isRequired: false }];
}

function isInCluster({ environment, context }: KubeconfigOptions): boolean {
  return (
    context === undefined &&
    environment['KUBERNETES_SERVICE_HOST'] !== undefined &&
    existsSync(SERVICE_ACCOUNT_TOKEN)
  );
}

function mergeFiles(files: readonly { readonly file: string }[]): Merged {
  const clusters = new Map<string, Named>();
  const contexts = new Map<string, Named>();
  const users = new Map<string, Named>();
  let current: string | undefined;
  for (const { file } of files) {
    const config = readConfig(file);
    addAll(clusters, config['clusters'], 'cluster', file);
    addAll(contexts, config['contexts'], 'context', file);
    addAll(users, config['users'], 'user', file);
    const named = config['current-context'];
    if (current === undefined && typeof named === 'string' && named !== '') current = named;
  }
  return { clusters, contexts, users, current, files: files.map(({ file }) => file) };
}

function readConfig(file: string): Tree {
  const counter = new LineCounter();
  const document = parseDocument(readText(file), { lineCounter: counter });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = counter.linePos(error.pos[0]);
    // The parser's own message quotes the line, which may hold a token.
    throw badInput('the kubeconfig is no YAML', { file, line, column: col });
  }
  const value: unknown = document.toJS();
  if (value === null) return {};
  if (!isTree(value)) throw badInput('the file is no kubeconfig', { file, line: 1, column: 1 });
  return value;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as { readonly code?: string }).code ?? String(error);
    throw new RegaugeError('bad-input', `the kubeconfig ${file} cannot be read: ${code}`, {
      hint: code === 'ENOENT' ? 'Look at --kubeconfig and KUBECONFIG.' : 'Look at its permissions.',
    });
  }
}

function addAll(into: Map<string, Named>, list: unknown, key: string, file: string): void {
  if (!Array.isArray(list)) return;
  for (const each of list) {
    if (!isTree(each) || typeof each['name'] !== 'string' || into.has(each['name'])) continue;
    const value = isTree(each[key]) ? each[key] : {};
    const directory = path.dirname(file);
    into.set(each['name'], { name: each['name'], value: absolute(value, directory), directory });
  }
}

const PATHS = ['certificate-authority', 'client-certificate', 'client-key', 'tokenFile'];

function absolute(value: Tree, directory: string): Tree {
  const result: Record<string, unknown> = { ...value };
  for (const key of PATHS) {
    const file = value[key];
    if (typeof file === 'string' && file !== '') result[key] = path.resolve(directory, file);
  }
  return result;
}

function chosen(merged: Merged, wanted: string | undefined): ChosenContext {
  const name = wanted ?? merged.current;
  const there = [...merged.contexts.keys()];
  if (name === undefined) {
    throw new RegaugeError('bad-input', `no context is current in ${merged.files.join(', ')}`, {
      hint: `Choose one with --context: ${list(there)}.`,
    });
  }
  const context = merged.contexts.get(name);
  if (context === undefined) {
    throw new RegaugeError(
      'bad-input',
      `there is no context "${name}" in ${merged.files.join(', ')}`,
      {
        hint: `There are: ${list(there)}.`,
      },
    );
  }
  const cluster = part(merged.clusters, context.value['cluster'], 'cluster', name);
  const userName = context.value['user'];
  const user =
    userName === undefined || userName === ''
      ? { name: '', value: {}, directory: context.directory }
      : part(merged.users, userName, 'user', name);
  const { namespace } = context.value;
  return {
    context: name,
    cluster: cluster.value,
    clusterName: cluster.name,
    user: user.value,
    userName: user.name,
    namespace: typeof namespace === 'string' && namespace !== '' ? namespace : undefined,
    directory: user.directory,
  };
}

function part(
  all: ReadonlyMap<string, Named>,
  name: unknown,
  kind: 'cluster' | 'user',
  context: string,
): Named {
  const found = typeof name === 'string' ? all.get(name) : undefined;
  if (found !== undefined) return found;
  throw new RegaugeError(
    'bad-input',
    `the context "${context}" names the ${kind} "${String(name)}", which no kubeconfig holds`,
    { hint: `There are: ${list([...all.keys()])}.` },
  );
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
