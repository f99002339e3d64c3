/**
 * A small part of the shell language, enough for the plugin scripts that people write: lists, `&&`,
 * `||`, pipes, `case`, `if`, quoting, variables and command substitution. What is not understood is a
 * syntax error, never a guess.
 */
export type WordPart =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly fallback: string | undefined;
      readonly quoted: boolean;
    }
  | { readonly kind: 'command'; readonly list: ShellList; readonly quoted: boolean };

export type Word = readonly WordPart[];

export interface Redirection {
  readonly from: 1 | 2;
  readonly to: '1' | '2' | 'nowhere' | 'file';
}

export type ShellCommand =
  | {
      readonly kind: 'simple';
      readonly assignments: readonly { readonly name: string; readonly value: Word }[];
      readonly words: readonly Word[];
      readonly redirections: readonly Redirection[];
    }
  | {
      readonly kind: 'case';
      readonly subject: Word;
      readonly arms: readonly { readonly patterns: readonly Word[]; readonly body: ShellList }[];
    }
  | {
      readonly kind: 'if';
      readonly branches: readonly { readonly test: ShellList; readonly body: ShellList }[];
      readonly otherwise: ShellList;
    }
  | { readonly kind: 'group'; readonly body: ShellList };

export interface Pipeline {
  readonly commands: readonly ShellCommand[];
  /** How it hangs on the one before: always, or only after success or failure. */
  readonly after: ';' | '&&' | '||';
  readonly negated: boolean;
}

export type ShellList = readonly Pipeline[];

export class ShellSyntaxError extends Error {}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const ENDS = new Set([';', '\n', '|', '&', '(', ')', '<', '>', ' ', '\t']);

export function parseShell(text: string): ShellList {
  const parser = new Parser(text);
  const list = parser.list([]);
  if (!parser.atEnd()) throw new ShellSyntaxError('Syntax error');
  return list;
}

class Parser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  atEnd(): boolean {
    this.blank();
    return this.at >= this.text.length;
  }

  /** Pipelines up to one of the closing words. */
  list(closing: readonly string[]): ShellList {
    const pipelines: Pipeline[] = [];
    let after: Pipeline['after'] = ';';
    for (;;) {
      this.blank();
      if (this.at >= this.text.length || this.closes(closing)) return pipelines;
      pipelines.push(this.pipeline(after));
      after = this.separator();
    }
  }

  private closes(closing: readonly string[]): boolean {
    return closing.some((word) =>
      /^\w/.test(word) ? this.peekWord() === word : this.text.startsWith(word, this.at),
    );
  }

  private separator(): Pipeline['after'] {
    this.spaces();
    for (const operator of ['&&', '||'] as const) {
      if (!this.text.startsWith(operator, this.at)) continue;
      this.at += 2;
      this.blank();
      return operator;
    }
    if (this.text.startsWith(';;', this.at)) return ';';
    const next = this.text[this.at];
    if (next === ';' || next === '\n' || next === '&') this.at += 1;
    return ';';
  }

  private pipeline(after: Pipeline['after']): Pipeline {
    const negated = this.peekWord() === '!';
    if (negated) this.at += 1;
    const commands: ShellCommand[] = [];
    for (;;) {
      this.blank();
      commands.push(this.command());
      this.spaces();
      if (this.text[this.at] !== '|' || this.text[this.at + 1] === '|') break;
      this.at += 1;
    }
    return { commands, after, negated };
  }

  private command(): ShellCommand {
    const word = this.peekWord();
    if (word === 'case') return this.caseCommand();
    if (word === 'if') return this.ifCommand();
    if (word === '{') return this.group('{', '}');
    if (this.text[this.at] === '(') return this.group('(', ')');
    return this.simple();
  }

  private group(open: string, close: string): ShellCommand {
    this.at += open.length;
    const body = this.list([close]);
    this.expect(close);
    return { kind: 'group', body };
  }

  private caseCommand(): ShellCommand {
    this.keyword('case');
    const subject = this.word();
    this.blank();
    this.keyword('in');
    const arms: { patterns: readonly Word[]; body: ShellList }[] = [];
    for (;;) {
      this.blank();
      if (this.peekWord() === 'esac') break;
      if (this.at >= this.text.length) throw new ShellSyntaxError('case without esac');
      if (this.text[this.at] === '(') this.at += 1;
      const patterns = [this.word()];
      for (this.spaces(); this.text[this.at] === '|'; this.spaces()) {
        this.at += 1;
        patterns.push(this.word());
      }
      this.expect(')');
      const body = this.list([';;', 'esac']);
      arms.push({ patterns, body });
      if (this.text.startsWith(';;', this.at)) this.at += 2;
    }
    this.keyword('esac');
    return { kind: 'case', subject, arms };
  }

  private ifCommand(): ShellCommand {
    const branches: { test: ShellList; body: ShellList }[] = [];
    let otherwise: ShellList = [];
    let word = 'if';
    while (word === 'if' || word === 'elif') {
      this.keyword(word);
      const test = this.list(['then']);
      this.keyword('then');
      branches.push({ test, body: this.list(['elif', 'else', 'fi']) });
      word = this.peekWord();
    }
    if (word === 'else') {
      this.keyword('else');
      otherwise = this.list(['fi']);
    }
    this.keyword('fi');
    return { kind: 'if', branches, otherwise };
  }

  private simple(): ShellCommand {
    const assignments: { name: string; value: Word }[] = [];
    const words: Word[] = [];
    const redirections: Redirection[] = [];
    for (;;) {
      this.spaces();
      const redirection = this.redirection();
      if (redirection !== undefined) {
        redirections.push(redirection);
        continue;
      }
      const next = this.text[this.at];
      if (next === undefined || (ENDS.has(next) && next !== ' ' && next !== '\t')) break;
      const name = words.length === 0 ? this.assignmentName() : undefined;
      if (name !== undefined) assignments.push({ name, value: this.word() });
      else words.push(this.word());
    }
    if (assignments.length + words.length + redirections.length === 0) {
      throw new ShellSyntaxError('empty command');
    }
    return { kind: 'simple', assignments, words, redirections };
  }

  private assignmentName(): string | undefined {
    NAME.lastIndex = this.at;
    const match = NAME.exec(this.text);
    if (match === null || this.text[this.at + match[0].length] !== '=') return undefined;
    this.at += match[0].length + 1;
    return match[0];
  }

  private redirection(): Redirection | undefined {
    const match = /([12]?)>>?\s*(&[12]|\/dev\/null|[^\s;|&()<>]+)/y;
    match.lastIndex = this.at;
    const found = match.exec(this.text);
    if (found === null) return undefined;
    this.at += found[0].length;
    const [, from, to = ''] = found;
    return {
      from: from === '2' ? 2 : 1,
      to: to === '&1' ? '1' : to === '&2' ? '2' : to === '/dev/null' ? 'nowhere' : 'file',
    };
  }

  private word(): Word {
    this.spaces();
    const parts: WordPart[] = [];
    for (;;) {
      const next = this.text[this.at];
      if (next === undefined || ENDS.has(next)) break;
      if (next === "'") parts.push(this.singleQuoted());
      else if (next === '"') parts.push(...this.doubleQuoted());
      else if (next === '$') parts.push(this.dollar(false));
      else parts.push({ kind: 'text', text: this.plain(), quoted: false });
    }
    return parts;
  }

  private plain(): string {
    let text = '';
    for (;;) {
      const next = this.text[this.at];
      if (next === undefined || ENDS.has(next) || next === "'" || next === '"' || next === '$') {
        return text;
      }
      if (next === '\\') this.at += 1;
      text += this.text[this.at] ?? '';
      this.at += 1;
    }
  }

  private singleQuoted(): WordPart {
    const end = this.text.indexOf("'", this.at + 1);
    if (end < 0) throw new ShellSyntaxError('Unterminated quoted string');
    const text = this.text.slice(this.at + 1, end);
    this.at = end + 1;
    return { kind: 'text', text, quoted: true };
  }

  private doubleQuoted(): readonly WordPart[] {
    this.at += 1;
    const parts: WordPart[] = [{ kind: 'text', text: '', quoted: true }];
    let text = '';
    const flush = (): void => {
      if (text !== '') parts.push({ kind: 'text', text, quoted: true });
      text = '';
    };
    for (;;) {
      const next = this.text[this.at];
      if (next === undefined) throw new ShellSyntaxError('Unterminated quoted string');
      if (next === '"') {
        this.at += 1;
        flush();
        return parts;
      }
      if (next === '$') {
        flush();
        parts.push(this.dollar(true));
        continue;
      }
      if (next === '\\' && '"\\$`'.includes(this.text[this.at + 1] ?? ' ')) this.at += 1;
      text += this.text[this.at] ?? '';
      this.at += 1;
    }
  }

  private dollar(quoted: boolean): WordPart {
    this.at += 1;
    const next = this.text[this.at] ?? '';
    if (next === '(') {
      this.at += 1;
      const list = this.list([')']);
      this.expect(')');
      return { kind: 'command', list, quoted };
    }
    if (next === '{') {
      const end = this.text.indexOf('}', this.at);
      if (end < 0) throw new ShellSyntaxError('Bad substitution');
      const [name = '', fallback] = this.text.slice(this.at + 1, end).split(/:?-(.*)/s);
      this.at = end + 1;
      return { kind: 'variable', name, fallback, quoted };
    }
    if ('?$#0123456789'.includes(next) && next !== '') {
      this.at += 1;
      return { kind: 'variable', name: next, fallback: undefined, quoted };
    }
    NAME.lastIndex = this.at;
    const match = NAME.exec(this.text);
    if (match === null) return { kind: 'text', text: '$', quoted };
    this.at += match[0].length;
    return { kind: 'variable', name: match[0], fallback: undefined, quoted };
  }

  private peekWord(): string {
    const match = /[^\s;|&()<>]+/y;
    match.lastIndex = this.at;
    return match.exec(this.text)?.[0] ?? '';
  }

  private keyword(word: string): void {
    this.blank();
    if (this.peekWord() !== word) throw new ShellSyntaxError(`expecting "${word}"`);
    this.at += word.length;
  }

  private expect(text: string): void {
    this.blank();
    if (!this.text.startsWith(text, this.at)) throw new ShellSyntaxError(`expecting "${text}"`);
    this.at += text.length;
  }

  private spaces(): void {
    for (;;) {
      const next = this.text[this.at];
      if (next === '\\' && this.text[this.at + 1] === '\n') this.at += 2;
      else if (next === ' ' || next === '\t') this.at += 1;
      else return;
    }
  }

  /** Spaces, ends of lines and comments. */
  private blank(): void {
    for (;;) {
      this.spaces();
      const next = this.text[this.at];
      if (next === '#') {
        const end = this.text.indexOf('\n', this.at);
        this.at = end < 0 ? this.text.length : end;
      } else if (next === '\n' || (next === ';' && this.text[this.at + 1] !== ';')) this.at += 1;
      else return;
    }
  }
}
