import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegaugeError } from '../../base/errors.ts';
import { findError, itemStarts, locateJson, parseJsonTexts } from './json-text.ts';

function failure(text: string): RegaugeError {
  try {
    parseJsonTexts(text, 'pods.json');
  } catch (error) {
    if (error instanceof RegaugeError) return error;
    throw error;
  }
  throw new Error('parsed without an error');
}

describe('parseJsonTexts', () => {
  it.each([
    ['{"a": a}', 1, 7, 'expected a value, found "a"'],
    [
      '{"a": 1,\n}',
      2,
      1,
      'expected a key in double quotes, found "}" (a comma before "}" is not allowed)',
    ],
    ['{"a": [1, 2,]}', 1, 13, 'expected a value, found "]" (a comma before "]" is not allowed)'],
    ['{"a": 1', 1, 8, 'expected "," or "}", found the end of the file'],
    ['{"a" 1}', 1, 6, 'expected ":" after the key, found "1"'],
    ['{\n  "a": "open\n}', 2, 13, 'a line break or control character in a string'],
    ['{"a": "\\x"}', 1, 8, 'unknown escape in a string'],
    ['{"a": "', 1, 7, 'the string is not closed'],
    ["{'a': 1}", 1, 2, 'expected a key in double quotes, found "\'"'],
    ['{"a": 01}', 1, 7, 'expected a value, found "0"'],
    ['{"a": 1}]', 1, 9, 'expected a value, found "]"'],
    ['{"a": NaN}', 1, 7, 'expected a value, found "N"'],
    ['', 1, 1, 'expected a value, found the end of the file'],
    ['{"a": {"b": [1 2]}}', 1, 16, 'expected "," or "]", found "2"'],
  ])('places the error of %s', (text, line, column, message) => {
    const error = failure(text);
    expect(error.message).toBe(`broken JSON: ${message}`);
    expect(error.source).toEqual({ file: 'pods.json', line, column });
  });

  it('reads several values in a row, with container logs between them', () => {
    const text =
      '{"kind":"NodeList","items":[]}\n{"kind":"PodList","items":[]}\n' +
      '==== START logs for container web of pod a/b ====\n{"level":"in}fo"\n==== END logs for container web of pod a/b ====\n' +
      '{"kind":"EventList","items":[]}\n';
    const kinds = parseJsonTexts(text, 'dump').map(({ value }) => (value as { kind: string }).kind);
    expect(kinds).toEqual(['NodeList', 'PodList', 'EventList']);
  });

  it('survives any depth', () => {
    expect(failure('['.repeat(200_000)).message).toBe(
      'broken JSON: expected a value, found the end of the file',
    );
  });

  it('finds an error exactly where the runtime does not parse', () => {
    const mutated = fc.tuple(
      fc.json(),
      fc.nat(),
      fc.constantFrom('', ',', '"', '}', ']', '{', '\\', ' ', '1', 'x'),
    );
    fc.assert(
      fc.property(mutated, ([json, position, insert]) => {
        const at = position % (json.length + 1);
        const text = json.slice(0, at) + insert + json.slice(at);
        expect(findError(text, 0) === undefined).toBe(parses(text));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('locateJson', () => {
  it('finds the text of every value at its path', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.nat(3), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        for (const [path, inner] of paths(JSON.parse(text))) {
          const offset = locateJson(text, 0, path);
          expect(offset).toBeDefined();
          expect(text.startsWith(JSON.stringify(inner).slice(0, 1), offset)).toBe(true);
        }
      }),
    );
  });

  it('is undefined where the path ends early', () => {
    expect(locateJson('{"a": [1]}', 0, ['a', 1])).toBeUndefined();
    expect(locateJson('{"a": [1]}', 0, ['b'])).toBeUndefined();
    expect(locateJson('{"a": 1}', 0, ['a', 'b'])).toBeUndefined();
  });
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function* paths(
  value: unknown,
  base: readonly (string | number)[] = [],
): Generator<[readonly (string | number)[], unknown]> {
  yield [base, value];
  if (value === null || typeof value !== 'object') return;
  for (const [key, inner] of Object.entries(value)) {
    yield* paths(inner, [...base, Array.isArray(value) ? Number(key) : key]);
  }
}

describe('itemStarts', () => {
  it('finds in one pass what locateJson finds for each item', () => {
    const text = '{"kind":"List", "items": [ {"a":"],["}, [1, 2] , "x", -1.5 ,{}\n], "z": [9]}';
    const starts = itemStarts(text, 0, ['items']);
    expect(starts).toEqual([0, 1, 2, 3, 4].map((index) => locateJson(text, 0, ['items', index])));
  });

  it('finds nothing where there is no list', () => {
    expect(itemStarts('{"items": {}}', 0, ['items'])).toEqual([]);
    expect(itemStarts('{"items": [ ]}', 0, ['items'])).toEqual([]);
  });
});
