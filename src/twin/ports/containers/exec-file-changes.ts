/** Programs of a container that change files of its node; texts are those of GNU coreutils. */
import type { ExecResult } from '../../../ports/index.ts';
import type { ExecContext } from './exec-context.ts';

const DONE: ExecResult = { exitCode: 0, stdout: '', stderr: '' };

/** `dd of=… [if=…] [bs=…] [count=…] [conv=fsync] [iflag=fullblock]`: all of its input, or so much of it. */
export function dd(args: readonly string[], { files }: ExecContext, stdin: string): ExecResult {
  const given = new Map(
    args.map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]),
  );
  const to = given.get('of') ?? '';
  const from = given.get('if');
  const input = from === undefined ? stdin : from === '/dev/null' ? '' : files.read(from);
  if (input === undefined) return failed('dd', `failed to open '${from}'`);
  if (files.list(parentOf(to)) === undefined) return failed('dd', `failed to open '${to}'`);
  const count = given.get('count');
  const most = count === undefined ? Infinity : Number(count) * Number(given.get('bs') ?? 512);
  const bytes = new TextEncoder().encode(input).subarray(0, most);
  if (!files.write(to, new TextDecoder().decode(bytes))) return readOnly('dd', to);
  return { ...DONE, stderr: `${bytes.length} bytes copied\n` };
}

export function chmod(args: readonly string[], { files }: ExecContext): ExecResult {
  const [mode = '', path = ''] = args;
  if (!/^0?[0-7]{3}$/.test(mode)) return { ...DONE, exitCode: 1, stderr: 'chmod: invalid mode\n' };
  if (!files.exists(path)) return failed('chmod', `cannot access '${path}'`);
  return files.chmod(path, Number.parseInt(mode, 8)) ? DONE : readOnly('chmod', path);
}

/** With `-p`, as the only form that is played. */
export function mkdir(args: readonly string[], { files }: ExecContext): ExecResult {
  for (const path of args.filter((arg) => !arg.startsWith('-'))) {
    if (files.list(path) === undefined && !files.mkdir(path)) return readOnly('mkdir', path);
  }
  return DONE;
}

export function mv(args: readonly string[], { files }: ExecContext): ExecResult {
  const [from = '', to = ''] = args.filter((arg) => !arg.startsWith('-'));
  if (files.stat(from) === undefined) return failed('mv', `cannot stat '${from}'`);
  const isInto = files.list(to) !== undefined;
  const target = isInto ? `${to}/${from.slice(from.lastIndexOf('/') + 1)}` : to;
  if (files.list(parentOf(target)) === undefined) {
    return failed('mv', `cannot move '${from}' to '${target}'`);
  }
  return files.rename(from, target) ? DONE : readOnly('mv', from);
}

export function rm(args: readonly string[], { files }: ExecContext): ExecResult {
  const flags = args.filter((arg) => arg.startsWith('-')).join('');
  for (const path of args.filter((arg) => !arg.startsWith('-'))) {
    const stat = files.stat(path);
    if (stat === undefined && flags.includes('f')) continue;
    if (stat === undefined) return failed('rm', `cannot remove '${path}'`);
    if (stat.kind === 'directory' && !/[rR]/.test(flags)) {
      return { ...DONE, exitCode: 1, stderr: `rm: cannot remove '${path}': Is a directory\n` };
    }
    if (!files.remove(path)) return readOnly('rm', path);
  }
  return DONE;
}

/** What is written is on the disk at once. */
export function sync(): ExecResult {
  return DONE;
}

function failed(program: string, what: string): ExecResult {
  return { ...DONE, exitCode: 1, stderr: `${program}: ${what}: No such file or directory\n` };
}

function readOnly(program: string, path: string): ExecResult {
  return { ...DONE, exitCode: 1, stderr: `${program}: ${path}: Read-only file system\n` };
}

function parentOf(path: string): string {
  const cut = path.replace(/\/+$/, '').lastIndexOf('/');
  return cut <= 0 ? '/' : path.slice(0, cut);
}
