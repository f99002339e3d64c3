/**
 * Files of a node by commands that coreutils and busybox have alike: `ls`, `cat`, `stat`, `dd`, `chmod`,
 * `mkdir`, `mv`, `rm`, `sync`. Content goes in by standard input, never by an argument. A file is written
 * beside its place, synced, read back and compared, and moved there: whoever reads it meanwhile sees the
 * old one or the new one.
 */
import { RegaugeError } from '../../base/errors.ts';
import { normalPath } from '../../knowledge/host-mounts.ts';
import type { ExecResult } from '../../ports/index.ts';
import type { NodeHostPort } from '../../ports/node-host.ts';
import { type Inside, type NodeCommands, repeated } from './node-commands.ts';

export type FileAccess = Pick<NodeHostPort, 'list' | 'read' | 'write' | 'remove' | 'rename'> & {
  removeAll(node: string, paths: readonly string[]): Promise<void>;
  /** As `ls -la` prints it; undefined when there is no such directory. */
  listLong(node: string, directory: string): Promise<string | undefined>;
};

const LINKS_MAX = 8;
/** A conf that holds an address of the API and a token is for root alone; what is new is for all. */
const NEW_FILE_MODE = '644';

export function hostFiles(commands: NodeCommands): FileAccess {
  const listed = (node: string, directory: string, flags: string) =>
    found(commands, node, directory, `list ${directory} of ${node}`, (inside, path) => [
      'ls',
      flags,
      // With a slash at its end a link is followed, and a file is none.
      `${inside(path)}/`,
    ]);
  return {
    list: async (node, directory) => {
      const text = await listed(node, directory, '-1A');
      return text?.split('\n').filter((name) => name !== '');
    },
    listLong: (node, directory) => listed(node, directory, '-la'),
    read: (node, path) =>
      found(commands, node, path, `read ${path} of ${node}`, (inside, at) => ['cat', inside(at)]),
    write: (node, path, content, mode) =>
      repeated(() => new Writing(commands, node, path).write(content, mode)),
    remove: (node, path) => repeated(() => remove(commands, node, [path])),
    removeAll: async (node, paths) => {
      for (const some of portions(paths)) await repeated(() => remove(commands, node, some));
    },
    rename: (node, from, to) => repeated(() => rename(commands, node, from, to)),
  };
}

/** What a reading command prints; undefined where there is nothing at the path. */
async function found(
  commands: NodeCommands,
  node: string,
  wanted: string,
  what: string,
  command: (inside: Inside, path: string) => readonly string[],
): Promise<string | undefined> {
  let path = normalPath(wanted);
  for (let links = 0; links <= LINKS_MAX; links += 1) {
    const at = path;
    const result = await repeated(() =>
      commands.read(node, { path: at }, what, (inside) => command(inside, at)),
    );
    if (result.exitCode === 0) return result.stdout;
    if (!isAbsent(result)) throw failed(what, result);
    const target = await linkOnTheWay(commands, node, at, what);
    if (target === undefined) return undefined;
    path = target;
  }
  throw new RegaugeError('refused', `cannot ${what}: too many links on the way`);
}

/**
 * Where an absolute link on the way really leads: in the container it leads from the container's own
 * root, and so to nothing. Undefined when there is none.
 */
async function linkOnTheWay(
  commands: NodeCommands,
  node: string,
  path: string,
  what: string,
): Promise<string | undefined> {
  const names = path.slice(1).split('/');
  const prefixes = names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
  const places = new Map<string, string>();
  const result = await commands.read(node, { path }, what, (inside) => {
    places.clear();
    for (const prefix of prefixes) places.set(inside(prefix), prefix);
    return ['ls', '-ld', ...places.keys()];
  });
  for (const line of result.stdout.split('\n')) {
    const [, shown = '', target = ''] = /^l\S+\s.*?\s(\/.*) -> (\/.*)$/.exec(line) ?? [];
    const prefix = [...places].find(([inside]) => shown.endsWith(inside))?.[1];
    if (prefix !== undefined) return normalPath(`${target}/${path.slice(prefix.length)}`);
  }
  return undefined;
}

class Writing {
  private readonly commands: NodeCommands;
  private readonly node: string;
  private readonly path: string;
  private readonly directory: string;
  /** No runtime takes a name that ends so for a conf, and a crash leaves one such name at most. */
  private readonly beside: string;
  private readonly what: string;

  constructor(commands: NodeCommands, node: string, path: string) {
    this.commands = commands;
    this.node = node;
    this.path = changeable(path, `write ${path} of ${node}`);
    this.directory = parentOf(this.path);
    this.beside = `${this.directory}/.${this.path.slice(this.directory.length + 1)}.regauge-new`;
    this.what = `write ${path} of ${node}`;
  }

  async write(content: string, mode: number | undefined): Promise<void> {
    const bytes = new TextEncoder().encode(content);
    const rights = mode === undefined ? await this.rightsNow() : mode.toString(8);
    try {
      await this.fill(bytes);
      await this.must((inside) => ['chmod', `0${rights.padStart(3, '0')}`, inside(this.beside)]);
      const { stdout } = await this.must((inside) => ['cat', inside(this.beside)]);
      if (stdout !== content) {
        throw new RegaugeError('refused', `cannot ${this.what}: what was read back is another`);
      }
      await this.must((inside) => ['mv', '-f', inside(this.beside), inside(this.path)]);
    } catch (error) {
      await this.run((inside) => ['rm', '-f', inside(this.beside)]).catch(() => undefined);
      throw error;
    }
    await this.run((inside) => ['sync', inside(this.directory)]);
  }

  private async rightsNow(): Promise<string> {
    const result = await this.run((inside) => ['stat', '-c', '%a', inside(this.path)]);
    const rights = result.stdout.trim();
    return result.exitCode === 0 && /^[0-7]{3,4}$/.test(rights) ? rights.slice(-3) : NEW_FILE_MODE;
  }

  private async fill(bytes: Uint8Array): Promise<void> {
    const first = await this.copyIn(bytes);
    if (first.exitCode === 0) return;
    if (!isAbsent(first)) throw failed(this.what, first);
    await this.must((inside) => ['mkdir', '-p', inside(this.directory)]);
    const second = await this.copyIn(bytes);
    if (second.exitCode !== 0) throw failed(this.what, second);
  }

  /** Told how much to read, so that it ends where the server cannot close its input. */
  private copyIn(bytes: Uint8Array): Promise<ExecResult> {
    const to = (inside: Inside): string => `of=${inside(this.beside)}`;
    if (bytes.length === 0) return this.run((inside) => ['dd', 'if=/dev/null', to(inside)]);
    const size = [`bs=${bytes.length}`, 'count=1', 'iflag=fullblock', 'conv=fsync'];
    return this.run((inside) => ['dd', to(inside), ...size], bytes);
  }

  private run(
    command: (inside: Inside) => readonly string[],
    stdin?: Uint8Array,
  ): Promise<ExecResult> {
    const options = stdin === undefined ? {} : { stdin };
    return this.commands.own(this.node, this.what, command, options);
  }

  private async must(command: (inside: Inside) => readonly string[]): Promise<ExecResult> {
    const result = await this.run(command);
    if (result.exitCode === 0) return result;
    throw failed(this.what, result);
  }
}

/** A directory goes with all that is in it; nothing there is nothing to do. */
async function remove(
  commands: NodeCommands,
  node: string,
  wanted: readonly string[],
): Promise<void> {
  const [first = ''] = wanted;
  const more = wanted.length === 1 ? '' : ` and ${wanted.length - 1} more`;
  const what = `remove ${first}${more} of ${node}`;
  const paths = wanted.map((path) => changeable(path, what));
  const result = await commands.own(node, what, (inside) => ['rm', '-rf', ...paths.map(inside)]);
  if (result.exitCode !== 0) throw failed(what, result);
  const parents = [...new Set(paths.map(parentOf))];
  await commands.own(node, what, (inside) => ['sync', ...parents.map(inside)]);
}

/** Words of a command go in the address of a request, which servers bound. */
const PATHS_MAX = 64;
const PATH_CHARS_MAX = 4_000;

function portions(paths: readonly string[]): readonly (readonly string[])[] {
  const all: string[][] = [];
  let chars = 0;
  for (const path of paths) {
    const last = all.at(-1);
    if (last !== undefined && last.length < PATHS_MAX && chars + path.length <= PATH_CHARS_MAX) {
      last.push(path);
      chars += path.length;
    } else {
      all.push([path]);
      chars = path.length;
    }
  }
  return all;
}

async function rename(
  commands: NodeCommands,
  node: string,
  from: string,
  to: string,
): Promise<void> {
  const what = `rename ${from} of ${node} to ${to}`;
  const source = changeable(from, what);
  const target = changeable(to, what);
  const result = await commands.own(node, what, (inside) => [
    'mv',
    '-f',
    inside(source),
    inside(target),
  ]);
  if (result.exitCode !== 0) {
    if (!isAbsent(result)) throw failed(what, result);
    // Done before, by a try of ours whose end nobody told, or by a run before a crash.
    const there = await commands.own(node, what, (inside) => ['ls', '-d', inside(target)]);
    if (there.exitCode === 0) return;
    throw new RegaugeError('not-found', `cannot ${what}: there is no such file`);
  }
  await commands.own(node, what, (inside) => ['sync', inside(parentOf(target))]);
}

/** The path without `..` and doubled slashes. Whole trees of the system are nobody's to change. */
function changeable(path: string, what: string): string {
  const clean = normalPath(path);
  if (path.startsWith('/') && clean.split('/').length > 2) return clean;
  throw new RegaugeError(
    'refused',
    `cannot ${what}: that is no path below a directory of the host`,
  );
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** GNU, busybox and musl word it alike. */
function isAbsent({ stderr }: ExecResult): boolean {
  return /No such file or directory|Not a directory/i.test(stderr);
}

function failed(what: string, { exitCode, stderr }: ExecResult): RegaugeError {
  const words = stderr.trim().split('\n').slice(-3).join(' | ').slice(0, 500);
  return new RegaugeError(
    'refused',
    `cannot ${what}: ${words === '' ? `exit ${exitCode}` : words}`,
  );
}
