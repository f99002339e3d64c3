/**
 * Runs a parsed script in virtual time: a generator that yields the milliseconds it has to wait. It
 * knows the commands that plugin scripts are made of; an unknown one is `not found`, as on a node.
 */
import {
  type Redirection,
  type ShellCommand,
  type ShellList,
  ShellSyntaxError,
  type Word,
  parseShell,
} from './shell-parser.ts';

export interface ShellEnd {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
  /** Ended by a signal: `killed`. */
  readonly signal: string | undefined;
}

export interface ShellWorld {
  readonly path: string;
  readonly stdin: string;
  readonly variables: Readonly<Record<string, string>>;
  exists(path: string): boolean;
  read(path: string): string | undefined;
  /** Runs another program; undefined when there is none at the path. */
  execute(
    path: string,
    stdin: string,
    variables: ReadonlyMap<string, string>,
  ): Generator<number, ShellEnd> | undefined;
}

type Steps<T> = Generator<number, T>;

interface Output {
  stdout: string;
  stderr: string;
}

/** Thrown through the interpreter by `exit` and by a signal. */
class Ended extends Error {
  readonly exitCode: number;
  readonly signal: string | undefined;

  constructor(exitCode: number, signal?: string) {
    super('ended');
    this.exitCode = exitCode;
    this.signal = signal;
  }
}

const SIGNALS: Readonly<Record<string, string>> = {
  '9': 'killed',
  KILL: 'killed',
  SIGKILL: 'killed',
  '15': 'terminated',
  TERM: 'terminated',
  SIGTERM: 'terminated',
  '6': 'aborted',
  ABRT: 'aborted',
  '11': 'segmentation fault',
  SEGV: 'segmentation fault',
};

export function* runShell(text: string, world: ShellWorld): Steps<ShellEnd> {
  const output: Output = { stdout: '', stderr: '' };
  try {
    const shell = new Shell(world);
    const list = parseShell(text);
    yield* shell.list(list, world.stdin, output);
    return { ...output, exitCode: shell.status, signal: undefined };
  } catch (error) {
    if (error instanceof Ended) {
      return { ...output, exitCode: error.exitCode, signal: error.signal };
    }
    if (!(error instanceof ShellSyntaxError)) throw error;
    output.stderr += `${world.path}: 1: ${error.message}\n`;
    return { ...output, exitCode: 2, signal: undefined };
  }
}

class Shell {
  status = 0;
  private readonly world: ShellWorld;
  private readonly variables: Map<string, string>;

  constructor(world: ShellWorld) {
    this.world = world;
    this.variables = new Map(Object.entries(world.variables));
  }

  *list(list: ShellList, stdin: string, output: Output): Steps<void> {
    for (const { commands, after, negated } of list) {
      if (after === '&&' && this.status !== 0) continue;
      if (after === '||' && this.status === 0) continue;
      let input = stdin;
      for (const [index, command] of commands.entries()) {
        const last = index === commands.length - 1;
        const piped: Output = { stdout: '', stderr: '' };
        yield* this.command(command, input, last ? output : piped);
        if (last) break;
        output.stderr += piped.stderr;
        input = piped.stdout;
      }
      if (negated) this.status = this.status === 0 ? 1 : 0;
    }
  }

  private *command(command: ShellCommand, stdin: string, output: Output): Steps<void> {
    switch (command.kind) {
      case 'simple':
        yield* this.simple(command, stdin, output);
        return;
      case 'group':
        yield* this.list(command.body, stdin, output);
        return;
      case 'case': {
        const subject = yield* this.joined(command.subject, output);
        this.status = 0;
        for (const { patterns, body } of command.arms) {
          for (const pattern of patterns) {
            if (!matches(subject, yield* this.joined(pattern, output))) continue;
            yield* this.list(body, stdin, output);
            return;
          }
        }
        return;
      }
      case 'if':
        for (const { test, body } of command.branches) {
          yield* this.list(test, stdin, output);
          if (this.status !== 0) continue;
          yield* this.list(body, stdin, output);
          return;
        }
        this.status = 0;
        yield* this.list(command.otherwise, stdin, output);
    }
  }

  private *simple(
    command: ShellCommand & { readonly kind: 'simple' },
    stdin: string,
    output: Output,
  ): Steps<void> {
    const words: string[] = [];
    for (const word of command.words) words.push(...(yield* this.fields(word, output)));
    const own = new Map(this.variables);
    for (const { name, value } of command.assignments) {
      const text = yield* this.joined(value, output);
      (words.length === 0 ? this.variables : own).set(name, text);
    }
    const [name, ...args] = words;
    if (name === undefined) {
      this.status = 0;
      return;
    }
    const wrote: Output = { stdout: '', stderr: '' };
    try {
      this.status = yield* this.run(name, args, { stdin, variables: own }, wrote);
    } finally {
      redirect(wrote, command.redirections, output);
    }
  }

  private *run(
    name: string,
    args: readonly string[],
    given: { readonly stdin: string; readonly variables: ReadonlyMap<string, string> },
    output: Output,
  ): Steps<number> {
    switch (name) {
      case ':':
      case 'true':
      case 'set':
      case 'export':
        return 0;
      case 'false':
        return 1;
      case 'echo':
        output.stdout += args[0] === '-n' ? args.slice(1).join(' ') : `${args.join(' ')}\n`;
        return 0;
      case 'printf':
        output.stdout += formatted(args);
        return 0;
      case 'cat':
        return this.cat(args, given.stdin, output);
      case 'sleep':
        yield Number(args[0] ?? 0) * 1_000;
        return 0;
      case 'test':
      case '[':
        return this.test(name === '[' ? args.slice(0, -1) : args) ? 0 : 1;
      case 'exit':
        throw new Ended(args[0] === undefined ? this.status : Number(args[0]) & 0xff);
      case 'kill':
        throw new Ended(0, SIGNALS[(args[0] ?? '-15').replace(/^-(s\s*)?/, '')] ?? 'terminated');
      case 'exec': {
        const [program = '', ...rest] = args;
        throw new Ended(yield* this.run(program, rest, given, output));
      }
      default:
        return yield* this.external(name, given, output);
    }
  }

  private *external(
    name: string,
    given: { readonly stdin: string; readonly variables: ReadonlyMap<string, string> },
    output: Output,
  ): Steps<number> {
    const steps = this.world.execute(name, given.stdin, given.variables);
    if (steps === undefined) {
      output.stderr += `${this.world.path}: 1: ${name}: not found\n`;
      return 127;
    }
    const end = yield* steps;
    output.stdout += end.stdout;
    output.stderr += end.stderr;
    return end.exitCode;
  }

  private cat(args: readonly string[], stdin: string, output: Output): number {
    if (args.length === 0) {
      output.stdout += stdin;
      return 0;
    }
    let status = 0;
    for (const path of args) {
      const text = path === '-' ? stdin : this.world.read(path);
      if (text === undefined) {
        output.stderr += `cat: ${path}: No such file or directory\n`;
        status = 1;
      } else output.stdout += text;
    }
    return status;
  }

  private test(args: readonly string[]): boolean {
    const [first = '', second, third] = args;
    if (first === '!') return !this.test(args.slice(1));
    if (second === '=' || second === '==') return first === (third ?? '');
    if (second === '!=') return first !== (third ?? '');
    if (second === '-eq') return Number(first) === Number(third);
    if (second === '-ne') return Number(first) !== Number(third);
    if (second === undefined) return first !== '';
    if (first === '-z') return second === '';
    if (first === '-n') return second !== '';
    return ['-e', '-f', '-S', '-s', '-r', '-x', '-d'].includes(first) && this.world.exists(second);
  }

  private *fields(word: Word, output: Output): Steps<readonly string[]> {
    const fields: string[] = [];
    let open: string | undefined;
    for (const part of word) {
      const text = yield* this.expand(part, output);
      if (part.kind === 'text' || part.quoted) {
        open = (open ?? '') + text;
        continue;
      }
      const pieces = text.split(/[ \t\n]+/);
      for (const [index, piece] of pieces.entries()) {
        if (index > 0 && open !== undefined) fields.push(open);
        open =
          index === 0
            ? open === undefined && piece === ''
              ? undefined
              : (open ?? '') + piece
            : piece;
        if (index > 0 && piece === '') open = undefined;
      }
    }
    if (open !== undefined) fields.push(open);
    return fields;
  }

  private *joined(word: Word, output: Output): Steps<string> {
    let text = '';
    for (const part of word) text += yield* this.expand(part, output);
    return text;
  }

  private *expand(part: Word[number], output: Output): Steps<string> {
    if (part.kind === 'text') return part.text;
    if (part.kind === 'variable') {
      if (part.name === '?') return String(this.status);
      if (part.name === '$') return '1';
      const value = this.variables.get(part.name) ?? '';
      return value === '' ? (part.fallback ?? '') : value;
    }
    const inner: Output = { stdout: '', stderr: '' };
    try {
      yield* this.list(part.list, '', inner);
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      this.status = error.exitCode;
    }
    output.stderr += inner.stderr;
    return inner.stdout.replace(/\n+$/, '');
  }
}

function redirect(wrote: Output, redirections: readonly Redirection[], output: Output): void {
  let one: Redirection['to'] = '1';
  let two: Redirection['to'] = '2';
  for (const { from, to } of redirections) {
    const resolved: Redirection['to'] = to === '1' ? one : to === '2' ? two : to;
    if (from === 1) one = resolved;
    else two = resolved;
  }
  for (const [text, to] of [
    [wrote.stdout, one],
    [wrote.stderr, two],
  ] as const) {
    if (to === '1') output.stdout += text;
    if (to === '2') output.stderr += text;
  }
}

/** Shell patterns: `*`, `?`, everything else as it is. */
function matches(text: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '[\\s\\S]*')
    .replaceAll('?', '[\\s\\S]');
  return new RegExp(`^${source}$`).test(text);
}

function formatted(args: readonly string[]): string {
  const [format = '', ...values] = args;
  const left = [...values];
  return format.replace(/\\n|\\t|\\\\|%[sd%]/g, (found) => {
    if (found === '\\n') return '\n';
    if (found === '\\t') return '\t';
    if (found === '\\\\') return '\\';
    return found === '%%' ? '%' : (left.shift() ?? '');
  });
}
