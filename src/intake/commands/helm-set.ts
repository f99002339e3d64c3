/** Helm's `--set` language and the merging of values files (helm:pkg/strvals/parser.go). */
import { badInput } from '../../base/errors.ts';
import type { Source } from '../../base/source.ts';
import { isTable } from '../intake.ts';

export type Values = Readonly<Record<string, unknown>>;

/** Tables merge, everything else is replaced; a null stays a null (it removes a chart's default). */
export function mergeValues(under: Values, over: Values): Values {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = isTable(before) && isTable(value) ? mergeValues(before, value) : value;
  }
  return merged;
}

/** `a.b=1,c[0]=x,d={p,q}`; `typed` off for `--set-string`. */
export function setValue(values: Values, text: string, typed: boolean, source: Source): Values {
  let result = values;
  for (const assignment of splitOutside(text, ',')) {
    const equals = indexOutside(assignment, '=');
    if (equals < 0) throw badInput(`--set: "${assignment}" has no value (key=value)`, source);
    const path = pathOf(assignment.slice(0, equals), source);
    result = tableWith(result, path, valueOf(assignment.slice(equals + 1), typed));
  }
  return result;
}

function pathOf(key: string, source: Source): readonly (string | number)[] {
  return splitOutside(key, '.').flatMap((part) => {
    const match = /^([^[\]]+)((?:\[\d+\])*)$/.exec(part.replaceAll('\\', ''));
    if (match === null) throw badInput(`--set: "${key}" is no key`, source);
    const indices = [...(match[2] ?? '').matchAll(/\d+/g)].map(([digits]) => Number(digits));
    return [match[1] ?? '', ...indices];
  });
}

function tableWith(values: Values, path: readonly (string | number)[], value: unknown): Values {
  const written = withValue(values, path, value);
  return isTable(written) ? written : values;
}

function withValue(node: unknown, path: readonly (string | number)[], value: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  if (typeof head === 'number') {
    const list: unknown[] = Array.isArray(node) ? [...(node as unknown[])] : [];
    if (head > list.length + 1000) return list;
    list[head] = withValue(list[head], rest, value);
    return Array.from(list, (item) => item ?? null);
  }
  const table = isTable(node) ? node : {};
  return {
    ...table,
    [head]: withValue(Object.hasOwn(table, head) ? table[head] : undefined, rest, value),
  };
}

function valueOf(text: string, typed: boolean): unknown {
  const list = /^\{(.*)\}$/s.exec(text);
  if (list !== null)
    return list[1] === ''
      ? []
      : splitOutside(list[1] ?? '', ',').map((item) => valueOf(item, typed));
  const plain = text.replace(/\\(.)/g, '$1');
  if (!typed) return plain;
  if (plain === 'null') return null;
  if (plain === 'true' || plain === 'false') return plain === 'true';
  // A leading zero keeps a number a string, as in Helm (`0123`).
  return /^-?(0|[1-9]\d*)$/.test(plain) && Number.isSafeInteger(Number(plain))
    ? Number(plain)
    : plain;
}

/** Splits where the character is neither escaped nor inside braces. */
function splitOutside(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let rest = text;
  for (let at = indexOutside(rest, separator); at >= 0; at = indexOutside(rest, separator)) {
    parts.push(rest.slice(0, at));
    rest = rest.slice(at + 1);
  }
  return [...parts, rest];
}

function indexOutside(text: string, wanted: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === '\\') at += 1;
    else if (char === '{') depth += 1;
    else if (char === '}') depth -= 1;
    else if (char === wanted && depth === 0) return at;
  }
  return -1;
}
