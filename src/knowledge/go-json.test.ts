/** Go's `encoding/json` as far as its words reach a user: what it refuses, and how it says so. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goQuote, goTypeOf, parseGoJson, structField } from './go-json.ts';

describe('parseGoJson', () => {
  it.each([
    ['', 'unexpected end of JSON input'],
    ['   ', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['"abc', 'unexpected end of JSON input'],
    ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', `invalid character '"' after object key:value pair`],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['[1 2]', "invalid character '2' after array element"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['// comment\n{}', "invalid character '/' looking for beginning of value"],
    ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
    ['tru', 'unexpected end of JSON input'],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['01', "invalid character '1' after top-level value"],
    ['-a', "invalid character 'a' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1ex', "invalid character 'x' in exponent of numeric literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
  ])('%j: %s', (text, error) => {
    expect(parseGoJson(text)).toEqual({ ok: false, error });
  });

  it('takes what JSON.parse takes, with the same value', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const value: unknown = JSON.parse(text);
        expect(parseGoJson(text)).toEqual({ ok: true, value });
      }),
    );
  });

  it('always has words for what JSON.parse refuses', () => {
    const near = fc.string({
      unit: fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ':',
        ',',
        '"',
        '\\',
        'u',
        '0',
        '1',
        '-',
        'e',
        't',
        ' ',
      ),
    });
    fc.assert(
      fc.property(near, (text) => {
        const parsed = parseGoJson(text);
        const words = parsed.ok ? 'taken' : parsed.error;
        expect(words).toMatch(/^(taken|unexpected end of JSON input|invalid character '.+' .+)$/s);
      }),
      { numRuns: 500 },
    );
  });
});

describe('how Go reads and shows values', () => {
  it('finds a struct field whatever its case, and the last one counts', () => {
    expect(structField({ CNIVersion: '1.0.0' }, 'cniVersion')).toBe('1.0.0');
    expect(structField({ cniVersion: '0.4.0', CniVersion: '1.0.0' }, 'cniVersion')).toBe('1.0.0');
    expect(structField({ other: 1 }, 'cniVersion')).toBeUndefined();
  });

  it.each([
    ['plain', '"plain"'],
    ['a "b" \\', String.raw`"a \"b\" \\"`],
    ['tab\tline\n', String.raw`"tab\tline\n"`],
    ['\u0001', String.raw`"\x01"`],
    ['ü', '"ü"'],
  ])('%j is quoted as %s', (text, quoted) => {
    expect(goQuote(text)).toBe(quoted);
  });

  it('names the type of a decoded value', () => {
    const types = [null, 'x', 1, true, [], {}].map((value) => goTypeOf(value));
    expect(types).toEqual([
      '<nil>',
      'string',
      'float64',
      'bool',
      '[]interface {}',
      'map[string]interface {}',
    ]);
  });
});
