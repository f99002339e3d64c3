import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { splitDocuments, splitList } from './yaml-split.ts';

const whole = (text: string): { text: string; first: { line: number; column: number } } => ({
  text,
  first: { line: 1, column: 1 },
});

describe('splitDocuments', () => {
  it('cuts at markers and keeps line numbers', () => {
    const parts = splitDocuments('a: 1\n---\nb: |\n  ---\n  x\n--- # second\nc: 2\n');
    expect(parts.map(({ first }) => first.line)).toEqual([1, 2, 6]);
    expect(parts.map(({ text }) => parse(text) as unknown)).toEqual([
      { a: 1 },
      { b: '---\nx\n' },
      { c: 2 },
    ]);
  });

  it('leaves a directive with its document', () => {
    expect(splitDocuments('%YAML 1.1\n---\na: 1\n')).toHaveLength(1);
  });

  it('takes no longer dash line for a marker', () => {
    expect(splitDocuments('a: 1\n----\n')).toHaveLength(1);
  });
});

describe('splitList', () => {
  const list = {
    apiVersion: 'v1',
    items: [{ a: 'x\n- y\n', b: [{ c: 1 }, { d: [1, 2] }] }, { a: 'z' }, { text: 'items:\n- a' }],
    kind: 'List',
  };

  it.each([true, false])('cuts items out that parse as before (indented: %s)', (indentSeq) => {
    const text = stringify(list, { indentSeq });
    const parts = splitList(whole(text));
    expect(parse(parts?.head ?? '')).toEqual({ ...list, items: [] });
    expect(parts?.items.map((item) => parse(item.text) as unknown)).toEqual(list.items);
    for (const item of parts?.items ?? []) {
      const line = text.split('\n')[item.first.line - 1] ?? '';
      expect(line.trimStart().startsWith('- ')).toBe(true);
    }
  });

  it('is undefined for anything but a block list at the margin', () => {
    expect(splitList(whole('items: []\nkind: List\n'))).toBeUndefined();
    expect(splitList(whole('spec:\n  items:\n  - a: 1\n'))).toBeUndefined();
    expect(splitList(whole('items:\n  a: 1\n'))).toBeUndefined();
  });
});
