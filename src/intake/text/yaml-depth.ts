/**
 * Refuses YAML that is nested too deeply before it is parsed. The parser recurses, and where the
 * stack runs out inside a regular expression's compilation the process dies without an exception;
 * a file must not be able to do that. Real manifests are some thirty levels deep.
 */
import { Lexer } from 'yaml';
import { badInput } from '../../base/errors.ts';
import type { RegaugeError } from '../../base/errors.ts';
import type { YamlText } from './yaml-tree.ts';

const DEPTH_MAX = 200;

export function refuseDepth(yaml: YamlText): void {
  const { text } = yaml;
  const block = deepIndent(text);
  if (block !== undefined) throw tooDeep(yaml, block);
  // The count ignores quotes and block text, so it only says whether a closer look is needed.
  if (!mayHaveDeepBrackets(text)) return;
  const flow = deepBracket(text);
  if (flow !== undefined) throw tooDeep(yaml, flow);
}

function tooDeep({ file, placeOf }: YamlText, offset: number): RegaugeError {
  return badInput(`the YAML is nested deeper than ${DEPTH_MAX} levels`, {
    file,
    ...placeOf(offset),
  });
}

/** The first line whose indentation, dashes counted, is too many levels deep. */
function deepIndent(text: string): number | undefined {
  const columns: number[] = [];
  const lead = /^( *)((?:[-?] +)*)(?=\S)/gm;
  for (let match = lead.exec(text); match !== null; match = lead.exec(text)) {
    const indent = match[1]?.length ?? 0;
    while ((columns.at(-1) ?? -1) >= indent) columns.pop();
    columns.push(indent);
    for (let at = 0; at < (match[2]?.length ?? 0); at += 2) columns.push(indent + at + 1);
    if (columns.length > DEPTH_MAX) return match.index;
    if (match[0] === '') lead.lastIndex = nextLine(text, match.index);
  }
  return undefined;
}

function nextLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length + 1 : end + 1;
}

function mayHaveDeepBrackets(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > DEPTH_MAX) return true;
    } else if ((code === 0x5d || code === 0x7d) && depth > 0) depth -= 1;
  }
  return false;
}

/** Exact: the lexer knows which brackets are brackets, and does not recurse. */
function deepBracket(text: string): number | undefined {
  let depth = 0;
  let at = 0;
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
    if (depth > DEPTH_MAX) return Math.min(at, text.length);
    if (!CONTROL_TOKENS.has(token)) at += token.length;
  }
  return undefined;
}

/** Tokens of the lexer that stand for no text. */
const CONTROL_TOKENS = new Set(['\uFEFF', '\u0002', '\u0018', '\u001F']);
