import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RegaugeError } from '../../base/errors.ts';
import { decodeText } from './decode.ts';

function failure(bytes: Uint8Array): RegaugeError {
  try {
    decodeText(bytes, 'values.yaml');
  } catch (error) {
    if (error instanceof RegaugeError) return error;
    throw error;
  }
  throw new Error('decoded without an error');
}

describe('decodeText', () => {
  it('reads UTF-8 with and without a byte order mark, and keeps CRLF', () => {
    expect(decodeText(Buffer.from('a: ü\r\nb: 1\r\n'), 'f')).toBe('a: ü\r\nb: 1\r\n');
    expect(decodeText(Buffer.from('\uFEFFa: ü\n'), 'f')).toBe('a: ü\n');
    expect(decodeText(new Uint8Array(), 'f')).toBe('');
  });

  it('reads UTF-16 of both byte orders when it is marked', () => {
    const little = Buffer.from('\uFEFFname: größe\n', 'utf16le');
    expect(decodeText(little, 'f')).toBe('name: größe\n');
    expect(decodeText(Buffer.from(little).swap16(), 'f')).toBe('name: größe\n');
  });

  it('refuses Latin-1 inside UTF-8 at the byte, with the way out', () => {
    const error = failure(
      Buffer.concat([Buffer.from('a: ü\nname: gr'), Buffer.from([0xf6, 0xdf]), Buffer.from('e\n')]),
    );
    expect(error.message).toBe('byte 0xF6 is not UTF-8');
    expect(error.source).toEqual({ file: 'values.yaml', line: 2, column: 9 });
    expect(error.hint).toContain('iconv -f latin1');
  });

  it('finds the byte far into a large file of wide characters', () => {
    const line = `${'ü€😀'.repeat(300)}\n`;
    const start = Buffer.from(line.repeat(100));
    const error = failure(Buffer.concat([start, Buffer.from('key: '), Buffer.from([0xc3, 0x28])]));
    expect(error.source).toEqual({ file: 'values.yaml', line: 101, column: 6 });
  });

  it('refuses a truncated character at the very end', () => {
    expect(failure(Buffer.from([0x61, 0x0a, 0xe2, 0x82])).source).toMatchObject({
      line: 2,
      column: 1,
    });
  });

  it('calls a file with NUL bytes binary, and says where', () => {
    const error = failure(Buffer.from('ELF\n\u0001\u0002\0\u0003\xff'));
    expect(error.message).toBe('the file is binary (NUL byte), not text');
    expect(error.source).toEqual({ file: 'values.yaml', line: 2, column: 3 });
  });

  it('recognises UTF-16 that something appended to UTF-8', () => {
    const error = failure(Buffer.concat([Buffer.from('a: 1\n'), Buffer.from('b: 2\n', 'utf16le')]));
    expect(error.message).toContain('looks like UTF-16');
    expect(error.source).toMatchObject({ line: 2, column: 2 });
  });

  it.each([
    ['UTF-32 little', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), 'the file is UTF-32'],
    ['UTF-32 big', Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x61]), 'the file is UTF-32'],
    [
      'odd UTF-16',
      Buffer.from([0xff, 0xfe, 0x61]),
      'the file is marked as UTF-16LE but is not valid in it',
    ],
    [
      'half a surrogate',
      Buffer.from([0xfe, 0xff, 0xd8, 0x00, 0x00, 0x61]),
      'the file is marked as UTF-16BE but is not valid in it',
    ],
  ])('refuses %s', (_name, bytes, message) => {
    expect(failure(bytes).message).toBe(message);
  });

  it('gives back every text it is given as UTF-8, and throws nothing but RegaugeError on bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(
          !text.includes('\0') &&
            !text.startsWith('\uFEFF') &&
            Buffer.from(text).toString() === text,
        );
        expect(decodeText(Buffer.from(text), 'f')).toBe(text);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(
          thrown(() => decodeText(bytes, 'f')) ?? new RegaugeError('bad-input', ''),
        ).toBeInstanceOf(RegaugeError);
      }),
    );
  });
});

function thrown(work: () => unknown): unknown {
  try {
    work();
    return undefined;
  } catch (error) {
    return error;
  }
}
