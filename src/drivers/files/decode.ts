/**
 * Bytes to text: UTF-8 with or without a byte order mark, UTF-16 with one. Anything else is refused
 * with the place of the first byte that does not fit; nothing is replaced or guessed.
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { badInput, RegaugeError } from '../../base/errors.ts';

const UTF8_MARK = [0xef, 0xbb, 0xbf];
const UTF16_LE_MARK = [0xff, 0xfe];
const UTF16_BE_MARK = [0xfe, 0xff];

/** Throws `bad-input` at line and column (counted in characters up to the offending byte). */
export function decodeText(bytes: Uint8Array, file: string): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (
    startsWith(buffer, [...UTF16_LE_MARK, 0, 0]) ||
    startsWith(buffer, [0, 0, ...UTF16_BE_MARK])
  ) {
    throw badInput('the file is UTF-32', { file, line: 1, column: 1 }, 'Convert it to UTF-8.');
  }
  if (startsWith(buffer, UTF16_LE_MARK)) return decodeUtf16(buffer.subarray(2), file, 'utf-16le');
  if (startsWith(buffer, UTF16_BE_MARK)) return decodeUtf16(buffer.subarray(2), file, 'utf-16be');
  return decodeUtf8(startsWith(buffer, UTF8_MARK) ? buffer.subarray(3) : buffer, file);
}

function decodeUtf8(buffer: Buffer, file: string): string {
  const nul = buffer.indexOf(0);
  if (nul >= 0) throw notText(buffer, nul, file);
  // The same text, copied instead of decoded: most of a large snapshot is ASCII.
  if (isAscii(buffer)) return buffer.toString('latin1');
  if (isUtf8(buffer)) return buffer.toString('utf8');
  const offset = firstInvalidByte(buffer);
  const byte = buffer[offset] ?? 0;
  throw badInput(
    `byte 0x${byte.toString(16).toUpperCase().padStart(2, '0')} is not UTF-8`,
    { file, ...positionOf(buffer, offset) },
    byte >= 0xa0
      ? `Part of the file may be in an older encoding: iconv -f latin1 -t utf-8 ${file}`
      : 'Save the file as UTF-8.',
  );
}

function notText(buffer: Buffer, nul: number, file: string): RegaugeError {
  const position = positionOf(buffer, nul);
  const near = buffer.subarray(Math.max(0, nul - 64), nul + 64);
  const zeros = near.filter((byte) => byte === 0).length;
  // Every second byte zero is ASCII in UTF-16; `>>` of Windows PowerShell appends such parts.
  const utf16 = zeros > 1 && zeros >= near.length / 4 && near.every((byte) => byte < 0x80);
  return utf16
    ? badInput(
        'NUL byte: from here on the file looks like UTF-16 without a byte order mark',
        { file, ...position },
        'Save the whole file as UTF-8 (Windows PowerShell appends UTF-16 with ">>").',
      )
    : badInput(
        'the file is binary (NUL byte), not text',
        { file, ...position },
        'Give YAML, JSON or text files, a directory of them, or a .tar.gz snapshot.',
      );
}

function decodeUtf16(buffer: Buffer, file: string, encoding: 'utf-16le' | 'utf-16be'): string {
  try {
    const text = new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(buffer);
    if (!text.includes('\0')) return text;
  } catch {
    // Falls to the one error below: which unit is broken does not help anybody.
  }
  throw badInput(
    `the file is marked as ${encoding.toUpperCase()} but is not valid in it`,
    { file, line: 1, column: 1 },
    'Save the file as UTF-8.',
  );
}

function startsWith(buffer: Buffer, mark: readonly number[]): boolean {
  return mark.every((byte, index) => buffer[index] === byte);
}

/** 1-based; columns count UTF-16 units, as every position in this program does. */
function positionOf(buffer: Buffer, offset: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let at = buffer.indexOf(10); at >= 0 && at < offset; at = buffer.indexOf(10, at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: buffer.toString('utf8', lineStart, offset).length + 1 };
}

/** In blocks first: the scan by character is slow and need only see the block that is broken. */
function firstInvalidByte(buffer: Buffer): number {
  let at = 0;
  while (at < buffer.length) {
    const end = characterStart(buffer, Math.min(at + 65_536, buffer.length));
    if (end <= at || !isUtf8(buffer.subarray(at, end))) return firstInvalidFrom(buffer, at);
    at = end;
  }
  return buffer.length - 1;
}

function firstInvalidFrom(buffer: Buffer, from: number): number {
  let at = from;
  while (at < buffer.length) {
    const length = sequenceLength(buffer[at] ?? 0);
    if (length === 0 || !isUtf8(buffer.subarray(at, at + length))) return at;
    at += length;
  }
  return buffer.length - 1;
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

/** The last start of a character at or before the offset; the offset itself at the end. */
function characterStart(buffer: Buffer, offset: number): number {
  if (offset === buffer.length) return offset;
  let at = offset;
  while (at > 0 && offset - at < 4 && ((buffer[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return at;
}
