/**
 * Cuts YAML into parts that can be parsed one by one: documents at their markers, and the items of a
 * long `kind: List` as kubectl prints it. The parser's nodes cost fifty times the text, so a
 * snapshot's list must never be parsed as one document.
 */
import type { Place } from './places.ts';

export interface TextPart {
  readonly text: string;
  readonly first: Place;
}

/** Parts between `---` lines, which are markers wherever they stand (YAML 1.2.2, section 9.1.2). */
export function splitDocuments(text: string): readonly TextPart[] {
  const parts: TextPart[] = [];
  let start = 0;
  let line = 1;
  const take = (end: number): void => {
    const part = text.slice(start, end);
    parts.push({ text: part, first: { line, column: 1 } });
    line += countLines(part);
    start = end;
  };
  for (let at = nextMarker(text, 0); at >= 0; at = nextMarker(text, at + 3)) {
    // Directives (`%YAML 1.1`) belong to the document after the marker.
    if (at > start && !/^%[A-Z]+\s[^\n]*\s*$/.test(text.slice(start, at))) take(at);
  }
  take(text.length);
  return parts;
}

function nextMarker(text: string, from: number): number {
  for (let at = text.indexOf('---', from); at >= 0; at = text.indexOf('---', at + 3)) {
    const before = at === 0 || text[at - 1] === '\n';
    if (before && /^\s?$/.test(text.charAt(at + 3))) return at;
  }
  return -1;
}

export interface ListParts {
  /** The list itself, with an empty `items`. */
  readonly head: string;
  readonly items: readonly TextPart[];
}

/**
 * The items of a block-style list whose `items:` stands at the margin; undefined where the text is
 * not of that shape. An item's text keeps its columns: the dash is replaced by a space.
 */
export function splitList({ text, first }: TextPart): ListParts | undefined {
  const opening = /^items:[ \t]*\r?\n(?=( *)- )/m.exec(text);
  const indent = opening?.[1];
  if (opening === null || indent === undefined) return undefined;
  const bodyStart = opening.index + opening[0].length;
  const dash = `\n${indent}- `;
  const end = endOfItems(text, bodyStart, indent.length);
  const items: TextPart[] = [];
  let line = first.line + countLines(text.slice(0, bodyStart));
  let start = bodyStart;
  while (start < end) {
    const next = text.indexOf(dash, start);
    const stop = next < 0 || next >= end ? end : next + 1;
    const part = text.slice(start, stop);
    items.push({ text: `${indent}  ${part.slice(indent.length + 2)}`, first: { line, column: 1 } });
    line += countLines(part);
    start = stop;
  }
  return { head: `${text.slice(0, opening.index)}items: []\n${text.slice(end)}`, items };
}

/** The first line that is neither an item, nor deeper, nor empty, nor a comment. */
function endOfItems(text: string, from: number, indent: number): number {
  const after = indent === 0 ? /^[^\s#-]/gm : new RegExp(`^ {0,${indent - 1}}[^\\s#]`, 'gm');
  after.lastIndex = from;
  return after.exec(text)?.index ?? text.length;
}

function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}
