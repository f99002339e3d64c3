/**
 * The few programs that a container of the twin has: what reads files. Texts are those of GNU
 * coreutils. A program that is not here is not in the image, as the OCI runtime says it.
 */
import type { ExecResult } from '../../ports/index.ts';
import type { ContainerFiles } from './container-files.ts';

type Program = (args: readonly string[], files: ContainerFiles, stdin: string) => ExecResult;

const PROGRAMS: Readonly<Record<string, Program>> = { cat, ls, test };

/** Images that hold one program and no others (their Dockerfiles start from scratch or distroless). */
const BARE_IMAGES =
  /(^|\/)(coredns|etcd|pause|kube-(apiserver|controller-manager|scheduler|proxy)|cilium\/operator[a-z-]*|metrics-server[a-z/-]*)(:|@|$)/;

export function programOf(word: string, image: string | undefined): Program | undefined {
  if (image !== undefined && BARE_IMAGES.test(image)) return undefined;
  const name = word.replace(/^(\/usr)?\/bin\//, '');
  return Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
}

function cat(args: readonly string[], files: ContainerFiles, stdin: string): ExecResult {
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

/** One name per line, as where the output is no terminal. */
function ls(args: readonly string[], files: ContainerFiles): ExecResult {
  const outputs: string[] = [];
  const errors: string[] = [];
  const isAll = args.some((arg) => /^-[A-Za-z1]*[aA]/.test(arg));
  const paths = operands(args);
  for (const path of paths.length === 0 ? ['.'] : paths) {
    const names = files.list(path);
    if (names !== undefined) {
      const shown = names.filter((name) => isAll || !name.startsWith('.')).toSorted();
      if (paths.length > 1) outputs.push(`${path}:\n`);
      outputs.push(...shown.map((name) => `${name}\n`));
    } else if (files.exists(path)) outputs.push(`${path}\n`);
    else errors.push(`ls: cannot access '${path}': No such file or directory\n`);
  }
  return result(errors.length === 0 ? 0 : 2, outputs, errors);
}

function test(args: readonly string[], files: ContainerFiles): ExecResult {
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
