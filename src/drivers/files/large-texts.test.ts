import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFiles } from './read-files.ts';

let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'regauge-large-'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(root, name);
  writeFileSync(path, content);
  return path;
}

const large = (word: string): string => `["${word.repeat(5 * 2 ** 20)}"]`;

describe('large JSON files', () => {
  it('are read when asked for, in any order, and again', async () => {
    const paths = [file('a.json', large('a')), file('b.json', ` \n${large('b')}`)];
    const { files } = await readFiles(paths);
    const [first, second] = files;
    expect(files.map(({ path, size, named }) => ({ path, size, named }))).toEqual([
      { path: paths[0], size: 5 * 2 ** 20 + 4, named: true },
      { path: paths[1], size: 5 * 2 ** 20 + 6, named: true },
    ]);
    expect(second?.text).toBe(` \n${large('b')}`);
    expect(first?.text).toBe(large('a'));
    expect(second?.text).toBe(` \n${large('b')}`);
  });

  it('that are no text, or are gone by then, are bad input with the place', async () => {
    const bytes = Buffer.from(`${large('a')}\n`);
    bytes[bytes.length - 2] = 0xff;
    const broken = file('broken.json', bytes);
    const gone = file('gone.json', large('a'));
    const { files } = await readFiles([broken, gone]);
    rmSync(gone);
    expect(() => files[0]?.text).toThrow(
      expect.objectContaining({
        code: 'bad-input',
        source: { file: broken, line: 1, column: bytes.length - 1 },
      }),
    );
    expect(() => files[1]?.text).toThrow(
      expect.objectContaining({ code: 'bad-input', source: { file: gone } }),
    );
  });

  it('are unpacked at once when they are archives by content', async () => {
    const random = Uint8Array.from({ length: 6 * 2 ** 20 }, (_byte, at) => (at * at * 31) >> 7);
    const text = JSON.stringify([Buffer.from(random).toString('base64')]);
    const { files } = await readFiles([file('packed.json', gzipSync(text, { level: 0 }))]);
    expect(files.map(({ size }) => size)).toEqual([undefined]);
    expect(files[0]?.text).toBe(text);
  });
});
