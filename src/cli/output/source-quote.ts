/** The source line a finding points at, with a caret under the value. */
import stringWidth from 'string-width';

export interface Quote {
  readonly text: string;
  /** Spaces (and tabs, as in the text) that bring the caret under the value. */
  readonly pad: string;
  /** Columns of the value, at least one. */
  readonly length: number;
}

/** Lines longer than the room are cut around the column. */
export function quoteLine(line: string, column: number, value: unknown, room: number): Quote {
  const start = Math.min(Math.max(column - 1, 0), line.length);
  const length = valueLength(line.slice(start), value);
  const before = line.slice(0, start);
  const cut = stringWidth(before) + length > room ? Math.max(0, start - Math.floor(room / 3)) : 0;
  const lead = cut > 0 ? '…' : '';
  const text = `${lead}${line.slice(cut)}`;
  const shown = text.length > room ? `${text.slice(0, room - 1)}…` : text;
  const pad = [...`${lead}${line.slice(cut, start)}`]
    .map((char) => (char === '\t' ? '\t' : ' '.repeat(stringWidth(char))))
    .join('');
  return {
    text: shown.trimEnd(),
    pad,
    length: Math.min(length, Math.max(1, room - stringWidth(pad))),
  };
}

/** The value as written where it can be found there; else the word at the column. */
function valueLength(rest: string, value: unknown): number {
  const written =
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined;
  const quoted = /^"(?:[^"\\]|\\.)*"|^'(?:[^']|'')*'/.exec(rest)?.[0];
  if (quoted !== undefined) return Math.max(1, stringWidth(quoted));
  if (written !== undefined && written !== '' && rest.startsWith(written))
    return stringWidth(written);
  const word = /^(?:\[[^\]]*\]|\{[^}]*\}|[^\s:,#]+)/.exec(rest)?.[0] ?? '';
  return Math.max(1, stringWidth(word));
}
