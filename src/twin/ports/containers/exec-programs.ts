/**
 * The few programs that a container of the twin has: what reads and changes files, and what acts on the
 * host. Texts are those of GNU coreutils. A program that is not here is not in the image, as the OCI
 * runtime says it. No shell: what a script would do is not played.
 */
import type { ExecResult } from '../../../ports/index.ts';
import type { FileStat } from '../../world.ts';
import type { ContainerFiles } from './container-files.ts';
import type { ExecContext, Program } from './exec-context.ts';
import { hubble } from './exec-hubble.ts';
import { FILTER_TOOLS, packetFilterProgram } from './exec-packet-filter.ts';
import { chmod, dd, mkdir, mv, rm, sync } from './exec-file-changes.ts';
import { grep, ip, kill, nsenter, pgrep } from './exec-host-programs.ts';

const PROGRAMS: Readonly<Record<string, Program>> = {
  cat,
  chmod,
  dd,
  grep,
  ip,
  kill,
  ls,
  mkdir,
  mv,
  nsenter,
  pgrep,
  rm,
  stat,
  sync,
  test,
};

/** Images that hold one program and no others (their Dockerfiles start from scratch or distroless). */
const BARE_IMAGES =
  /(^|\/)(coredns|etcd|pause|kube-(apiserver|controller-manager|scheduler|proxy)|cilium\/operator[a-z-]*|metrics-server[a-z/-]*)(:|@|$)/;

/** Hubble's own client is in the agent's image (cilium:images/cilium/Dockerfile). */
const AGENT_IMAGE = /(^|\/)cilium\/cilium(:|@|$)/;

/** Agents' images have both back ends of iptables (cilium:images/runtime, flannel:images/Dockerfile, calico:node). */
const FILTER_IMAGE =
  /(^|\/)(cilium\/cilium|(hardened-)?flannel|(calico\/|hardened-calico)(node)?)(:|@|$)/;

export function programOf(word: string, image: string | undefined): Program | undefined {
  if (image !== undefined && BARE_IMAGES.test(image)) return undefined;
  const name = nameOf(word);
  if (FILTER_TOOLS.has(name))
    return FILTER_IMAGE.test(image ?? '') ? packetFilterProgram(name) : undefined;
  if (name === 'hubble') return AGENT_IMAGE.test(image ?? '') ? hubble : undefined;
  return Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
}

/** What a command reads: nothing, so many bytes, or all until its input ends. */
export function inputOf([word = '', ...args]: readonly string[]): number {
  const name = nameOf(word);
  if (name === 'cat') return args.every((arg) => arg === '-') ? Infinity : 0;
  if (name !== 'dd' || args.some((arg) => arg.startsWith('if='))) return 0;
  const count = numberAfter(args, 'count=');
  return count === undefined ? Infinity : count * (numberAfter(args, 'bs=') ?? 512);
}

function nameOf(word: string): string {
  return word.replace(/^(\/usr)?\/s?bin\//, '');
}

function numberAfter(args: readonly string[], prefix: string): number | undefined {
  const found = args.find((arg) => arg.startsWith(prefix));
  return found === undefined ? undefined : Number(found.slice(prefix.length));
}

function cat(args: readonly string[], { files }: ExecContext, stdin: string): ExecResult {
  const outputs: string[] = [];
  const errors: string[] = [];
  const paths = operands(args);
  for (const path of paths.length === 0 ? ['-'] : paths) {
    const text = path === '-' ? stdin : files.read(path);
    if (text !== undefined) outputs.push(text);
    else if (files.list(path) !== undefined) errors.push(`cat: ${path}: Is a directory\n`);
    else errors.push(`cat: ${path}: No such file or directory\n`);
  }
  return result(errors.length === 0 ? 0 : 1, outputs, errors);
}

interface ListOptions {
  readonly all: boolean;
  /** `.` and `..` too. */
  readonly dots: boolean;
  readonly long: boolean;
  readonly itself: boolean;
}

/** One name per line, as where the output is no terminal. */
function ls(args: readonly string[], { files, world }: ExecContext): ExecResult {
  const outputs: string[] = [];
  const errors: string[] = [];
  const has = (letter: string): boolean =>
    args.some((arg) => /^-[A-Za-z1]+$/.test(arg) && arg.includes(letter));
  const options = {
    all: has('a') || has('A'),
    dots: has('a'),
    long: has('l'),
    itself: has('d'),
  };
  const day = listedDay(world.kernel.epochMs);
  const paths = operands(args);
  for (const path of paths.length === 0 ? ['.'] : paths) {
    const names = options.itself ? undefined : files.list(path);
    if (names !== undefined) {
      if (paths.length > 1) outputs.push(`${path}:\n`);
      outputs.push(...directoryLines(files, path, names, options, day));
    } else if (files.stat(path) === undefined) {
      errors.push(`ls: cannot access '${path}': No such file or directory\n`);
    } else if (path.endsWith('/') && !options.itself) {
      errors.push(`ls: cannot access '${path}': Not a directory\n`);
    } else outputs.push(`${options.long ? longLine(files.stat(path), path, day) : path}\n`);
  }
  return result(errors.length === 0 ? 0 : 2, outputs, errors);
}

function directoryLines(
  files: ContainerFiles,
  path: string,
  names: readonly string[],
  { all, dots, long }: ListOptions,
  day: string,
): readonly string[] {
  const shown = names.filter((name) => all || !name.startsWith('.')).toSorted();
  if (!long) return shown.map((name) => `${name}\n`);
  const itself = dots ? ['.', '..'] : [];
  return [
    'total 0\n',
    ...[...itself, ...shown].map((name) => {
      const stat = name.startsWith('.') && itself.includes(name) ? DIRECTORY : undefined;
      return `${longLine(stat ?? files.stat(`${path}/${name}`), name, day)}\n`;
    }),
  ];
}

const DIRECTORY: FileStat = { kind: 'directory', mode: 0o755, size: 0 };
const KIND_LETTERS = { file: '-', directory: 'd', symlink: 'l' } as const;

function longLine(stat: FileStat | undefined, name: string, day: string): string {
  const { kind, mode, size, target } = stat ?? DIRECTORY;
  const bits = mode.toString(2).padStart(9, '0').slice(-9);
  const rights = bits.replaceAll(/./g, (bit, at: number) =>
    bit === '1' ? 'rwx'.charAt(at % 3) : '-',
  );
  const arrow = target === undefined ? '' : ` -> ${target}`;
  return `${KIND_LETTERS[kind]}${rights} 1 root root ${size} ${day} ${name}${arrow}`;
}

/** The twin keeps no times of files: all are of the day it began. */
function listedDay(epochMs: number): string {
  const [, month = '', day = '', , time = ''] =
    /^\w+, (\d+) (\w+) (\d+) (\d\d:\d\d)/.exec(new Date(epochMs).toUTCString()) ?? [];
  return `${day} ${month} ${time}`;
}

const KIND_WORDS = {
  file: 'regular file',
  directory: 'directory',
  symlink: 'symbolic link',
} as const;

/** `stat -c FORMAT`, with `%a`, `%F`, `%n` and `%s`. */
function stat(args: readonly string[], { files }: ExecContext): ExecResult {
  const format = args[args.indexOf('-c') + 1] ?? '%n';
  const paths = operands(args.filter((arg) => arg !== format));
  const outputs: string[] = [];
  const errors: string[] = [];
  for (const path of paths) {
    const found = files.stat(path);
    if (found === undefined) {
      errors.push(`stat: cannot statx '${path}': No such file or directory\n`);
      continue;
    }
    const values: Readonly<Record<string, string>> = {
      a: found.mode.toString(8),
      F: KIND_WORDS[found.kind],
      n: path,
      s: `${found.size}`,
    };
    outputs.push(
      `${format.replaceAll(/%([aFns])/g, (_, letter: string) => values[letter] ?? '')}\n`,
    );
  }
  return result(errors.length === 0 ? 0 : 1, outputs, errors);
}

function test(args: readonly string[], { files }: ExecContext): ExecResult {
  const isNegated = args[0] === '!';
  const [flag = '', path = ''] = isNegated ? args.slice(1) : args;
  const isThere = tested(flag, path, files);
  if (isThere === undefined) return result(2, [], [`test: ${flag}: unary operator expected\n`]);
  return result(isThere === isNegated ? 1 : 0, [], []);
}

function tested(flag: string, path: string, files: ContainerFiles): boolean | undefined {
  switch (flag) {
    case '-e':
      return files.exists(path);
    case '-f':
      return files.read(path) !== undefined;
    case '-d':
      return files.list(path) !== undefined;
    case '-s':
      return (files.read(path) ?? '') !== '';
    default:
      return undefined;
  }
}

function operands(args: readonly string[]): readonly string[] {
  return args.filter((arg) => arg === '-' || !arg.startsWith('-'));
}

function result(
  exitCode: number,
  outputs: readonly string[],
  errors: readonly string[],
): ExecResult {
  return { exitCode, stdout: outputs.join(''), stderr: errors.join('') };
}
