/**
 * A document that a person wrote, checked against its schema; what is wrong with it is told with the
 * line and column that it is about.
 */
import {
  LineCounter,
  type Node,
  type ParsedNode,
  isMap,
  isNode,
  isScalar,
  parseDocument,
} from 'yaml';
import type { z } from 'zod';
import { badInput } from '../../base/errors.ts';
import type { Source } from '../../base/source.ts';

const CONSTANTS_HINT = 'regauge schema TwinConstants lists all names, with value, unit and source.';

/** `what` names the document in errors: `cluster spec`. Throws `bad-input`. */
export function readWritten<T>(text: string, file: string, schema: z.ZodType<T>, what: string): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken !== undefined) {
    const [firstLine = ''] = broken.message.split('\n');
    const reason = firstLine.replace(/ at line \d+, column \d+:?$/, '');
    throw badInput(`${what}: ${reason}`, { file, ...placeAt(lines, broken.pos[0]) });
  }
  const result = schema.safeParse(document.toJS());
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = (issue?.path ?? []).map((part) => (typeof part === 'symbol' ? '' : part));
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const about = unknown === undefined ? path : [...path, unknown];
  const { contents } = document;
  const offset = contents === null ? 0 : offsetOf(contents, path, unknown);
  const source: Source = { file, ...placeAt(lines, offset), path: about.join('.') };
  const reason = issue?.message ?? `is no ${what}`;
  const message = reason.replace(/^[A-Z]/, (letter) => letter.toLowerCase());
  const hint = path[0] === 'constants' ? CONSTANTS_HINT : undefined;
  throw badInput(`${path.length === 0 ? what : path.join('.')}: ${message}`, source, hint);
}

function placeAt(lines: LineCounter, offset: number): { line: number; column: number } {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}

/** Of the key that is not known, else of the deepest thing of the path that is there. */
function offsetOf(
  root: ParsedNode,
  path: readonly (string | number)[],
  key: string | undefined,
): number {
  let at: Node = root;
  for (const part of path) {
    const next: unknown = 'get' in at ? at.get(part, true) : undefined;
    if (!isNode(next)) break;
    at = next;
  }
  if (key !== undefined && isMap(at)) {
    const pair = at.items.find((item) => isScalar(item.key) && item.key.value === key);
    if (isNode(pair?.key)) at = pair.key;
  }
  return at.range?.[0] ?? 0;
}
