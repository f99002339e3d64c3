import { describe, expect, it } from 'vitest';
import { RegaugeError } from '../../base/errors.ts';
import { placesIn } from './places.ts';
import { parseYaml } from './yaml-text.ts';
import type { TextTree } from './yaml-tree.ts';

function tree(text: string): TextTree {
  const parsed = parseYaml({ file: 'v.yaml', text, placeOf: placesIn(text) });
  if (parsed === undefined) throw new Error('no document');
  return parsed;
}

function failure(text: string): RegaugeError {
  try {
    tree(text);
  } catch (error) {
    if (error instanceof RegaugeError) return error;
    throw error;
  }
  throw new Error('parsed without an error');
}

describe('parseYaml', () => {
  it('reads scalars as Helm does (stack.md 3, trap b)', () => {
    expect(tree('a: yes\nb: on\nc: y\nd: 0644\ne: 12_000\nf: "yes"\ng: 1.10\n').value).toEqual({
      a: true,
      b: true,
      c: true,
      d: 420,
      e: 12000,
      f: 'yes',
      g: 1.1,
    });
  });

  it('reads no base-60 numbers, time stamps or binary', () => {
    expect(
      tree('a: 22:22\nb: 2024-01-01T00:00:00Z\nc: !!binary aGk=\nd: 00:11:22:33:44:55\n').value,
    ).toEqual({
      a: '22:22',
      b: '2024-01-01T00:00:00Z',
      c: 'aGk=',
      d: '00:11:22:33:44:55',
    });
  });

  it.each([
    ['a:\n  b: 1\n c: 2\n', 3, 2, /^broken YAML: /],
    ['a: [1, 2\nb: 3\n', 2, 1, /^broken YAML: /],
    ['a: "open\n', 2, 1, /^broken YAML: missing closing "quote/],
    ['a: *nowhere\n', 1, 4, /^there is no anchor &nowhere before this alias$/],
    ['a:\n\tb: 1\n', 2, 1, /^broken YAML: tabs are not allowed as indentation/],
    ['a: &x [*x]\n', 1, 8, /^the alias \*x is inside its own anchor$/],
  ])('places the error of %j', (text, line, column, message) => {
    const error = failure(text);
    expect(error.code).toBe('bad-input');
    expect(error.message).toMatch(message);
    expect(error.message).not.toContain('\n');
    expect(error.source).toEqual({ file: 'v.yaml', line, column });
  });

  it('names both places of a duplicate key', () => {
    const error = failure('cni:\n  exclusive: true\nbpf: {}\ncni:\n  customConf: true\n');
    expect(error.message).toBe('duplicate key "cni": it is already given in line 1');
    expect(error.source).toEqual({ file: 'v.yaml', line: 4, column: 1 });
    expect(failure('a: {x: 1, x: 2}\n').source).toEqual({ file: 'v.yaml', line: 1, column: 11 });
    expect(failure('- b:\n  - {c: 1,\n     c: 1}\n').source).toEqual({
      file: 'v.yaml',
      line: 3,
      column: 6,
    });
  });

  it('allows several merge keys', () => {
    const merged = tree('x: &x {a: 1}\ny: &y {b: 2}\nz:\n  <<: *x\n  <<: *y\n  c: 3\n');
    expect(merged.at('z')?.value).toEqual({ a: 1, b: 2, c: 3 });
  });

  it('refuses anchors that explode, at the alias that goes too far', () => {
    const levels = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 10; level += 1) {
      levels.push(
        `a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]`,
      );
    }
    const error = failure(`${levels.join('\n')}\n`);
    expect(error.message).toMatch(
      /^anchors explode: with the alias \*a\d the document has more than 1000000 values$/,
    );
    expect(error.source?.line).toBe(6);
  });

  it.each([
    ['brackets', `a: ${'['.repeat(50_000)}`, 1, 204],
    ['braces', '{a: '.repeat(5_000), 1, 801],
    ['dashes', '- '.repeat(50_000), 1, 1],
    [
      'indentation',
      Array.from({ length: 300 }, (_, level) => `${' '.repeat(level)}a:`).join('\n'),
      201,
      1,
    ],
  ])('refuses nesting by %s that would exhaust the stack', (_name, text, line, column) => {
    const error = failure(text);
    expect(error.message).toBe('the YAML is nested deeper than 200 levels');
    expect(error.source).toEqual({ file: 'v.yaml', line, column });
  });

  it('takes brackets in text for text', () => {
    const text = `script: |\n  ${'[ x\n  '.repeat(400)}\nquoted: "${'{'.repeat(300)}"\n`;
    expect(Object.keys(tree(text).value as object)).toEqual(['script', 'quoted']);
  });

  it('is linear in the keys of one mapping', () => {
    const text = Array.from({ length: 20_000 }, (_, index) => `key-${index}: ${index}\n`).join('');
    expect(Object.keys(tree(text).value as object)).toHaveLength(20_000);
  });

  it('hints at a Helm template', () => {
    expect(failure('a: {{ .Values.a }}\n  b: c\n').hint).toContain('helm template');
    const parsed = failure('a: 1\nb: {{ .Values.a }}\n');
    expect(parsed.message).toBe('a key is a mapping or a list');
    expect(parsed.source).toEqual({ file: 'v.yaml', line: 2, column: 5 });
    expect(parsed.hint).toContain('helm template');
  });
});

describe('yamlTree', () => {
  const text =
    'cni:\n  exclusive: false\nlist:\n- name: a\n  "x.y": [1, 22]\nempty:\nref: &r\n  deep: 1\nby: *r\nmerged:\n  <<: *r\n';

  it('places values and keys', () => {
    const at = tree(text);
    expect(at.at('cni.exclusive')).toEqual({
      value: false,
      source: { file: 'v.yaml', line: 2, column: 14, path: 'cni.exclusive' },
    });
    expect(at.keyOf('cni.exclusive')).toMatchObject({ line: 2, column: 3 });
    expect(at.at(['list', 0, 'x.y', 1])?.source).toEqual({
      file: 'v.yaml',
      line: 5,
      column: 14,
      path: 'list[0]["x.y"][1]',
    });
    expect(at.at('empty')).toMatchObject({ value: null, source: { line: 6, column: 1 } });
    expect(at.source).toEqual({ file: 'v.yaml', line: 1, column: 1 });
  });

  it('follows aliases and merge keys to where the value is written', () => {
    const at = tree(text);
    expect(at.at('by.deep')?.source).toMatchObject({ line: 8, column: 9 });
    expect(at.at('merged.deep')).toMatchObject({ value: 1, source: { line: 8, column: 9 } });
  });

  it('names the nearest part of a path that exists', () => {
    const at = tree(text);
    expect(at.at('cni.customConf')).toBeUndefined();
    expect(at.nearest('cni.customConf')).toMatchObject({ line: 1, column: 1, path: 'cni' });
    expect(at.nearest('nothing.here')).toEqual({ file: 'v.yaml', line: 1, column: 1 });
  });

  it('counts columns in CRLF files as in others', () => {
    expect(tree('a: 1\r\nb:\r\n  c: 2\r\n').at('b.c')?.source).toMatchObject({
      line: 3,
      column: 6,
    });
  });

  it('hands out a literal block with the positions it has in the file', () => {
    const embedded = tree('spec:\n  values: |\n    a: 1\n    b:\n      c: 2\n').embedded(
      'spec.values',
    );
    if (embedded === undefined) throw new Error('nothing embedded');
    expect(parseYaml(embedded)?.at('b.c')?.source).toMatchObject({ line: 5, column: 10 });
  });
});
