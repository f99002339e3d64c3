/** A command line as typed to words, with POSIX quoting; nothing is expanded or run. */
import { badInput } from '../../base/errors.ts';
import type { Source } from '../../base/source.ts';
import type { YamlText } from '../text/yaml-tree.ts';

export interface Word {
  readonly text: string;
  /** Offset in the command line. */
  readonly start: number;
}

/** The command line with its words, and where it stands. */
export interface CommandLine {
  readonly words: readonly Word[];
  readonly yaml: YamlText;
}

const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^(\$\(|`)/, 'command substitution is not run'],
  [/^\$[\w{]/, 'variables are not expanded'],
  [/^(\|\|?|&&?|;|>>?|<)/, 'pipes, lists and redirections are not run'],
];

/** Throws `bad-input` at what a shell would do and this does not. */
export function commandLine(yaml: YamlText): CommandLine {
  const { text } = yaml;
  const words: Word[] = [];
  let at = skipBlank(text, 0);
  while (at < text.length) {
    const word = readWord(yaml, at);
    words.push({ text: word.text, start: at });
    at = skipBlank(text, word.end);
  }
  return { words, yaml };
}

function readWord(yaml: YamlText, start: number): { text: string; end: number } {
  const { text } = yaml;
  let word = '';
  let at = start;
  while (at < text.length && !/\s/.test(text.charAt(at))) {
    const char = text.charAt(at);
    if (char === "'" || char === '"') {
      const end = quoteEnd(yaml, at);
      word += unquote(text.slice(at + 1, end), char);
      at = end + 1;
    } else if (char === '\\') {
      if (text[at + 1] !== '\n') word += text.charAt(at + 1);
      at += 2;
    } else {
      const refused = REFUSED.find(([pattern]) => pattern.test(text.slice(at, at + 3)));
      if (refused !== undefined) {
        throw badInput(
          refused[1],
          placeAt(yaml, at),
          'Write one step per command, with the values themselves.',
        );
      }
      word += char;
      at += 1;
    }
  }
  return { text: word, end: at };
}

function quoteEnd(yaml: YamlText, start: number): number {
  const { text } = yaml;
  const quote = text.charAt(start);
  let at = start + 1;
  while (at < text.length && text[at] !== quote) at += quote === '"' && text[at] === '\\' ? 2 : 1;
  if (at >= text.length) throw badInput(`the quote ${quote} is not closed`, placeAt(yaml, start));
  return at;
}

function unquote(text: string, quote: string): string {
  return quote === '"' ? text.replace(/\\(["\\$`])/g, '$1') : text;
}

/** A backslash at a line's end goes on with the next line. */
function skipBlank(text: string, from: number): number {
  const blank = /(?:\s|\\\r?\n)*/y;
  blank.lastIndex = from;
  blank.exec(text);
  return blank.lastIndex;
}

export function placeAt({ file, placeOf }: YamlText, offset: number): Source {
  return { file, ...placeOf(offset) };
}
