import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RegaugeError } from '../../base/errors.ts';
import { readFiles } from './read-files.ts';
import type { ReadFilesOptions } from './read-files.ts';

let root = '';

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'regauge-files-'));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function file(name: string, content: string | Uint8Array): string {
  const path = join(root, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function failure(
  paths: readonly string[],
  options?: ReadFilesOptions,
): Promise<RegaugeError> {
  try {
    await readFiles(paths, options);
  } catch (error) {
    if (error instanceof RegaugeError) return error;
    throw error;
  }
  throw new Error('read without an error');
}

async function* stream(...chunks: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

type TarEntries = Parameters<typeof packTar>[0];
const entry = (name: string, body: string): TarEntries[number] => ({
  header: { name, size: Buffer.byteLength(body), type: 'file' },
  body,
});

/** The first header with another type and size, its checksum put right. */
function patchedHeader(tar: Buffer, type: string, size: string | undefined): Buffer {
  tar.write(type, 156, 'latin1');
  if (size !== undefined) tar.write(`${size.padStart(11, '0')}\0`, 124, 'latin1');
  // GNU: the size that a sparse file has when it is unpacked.
  if (type === 'S') tar.write(`${(10 * 2 ** 30).toString(8).padStart(11, '0')}\0`, 483, 'latin1');
  tar.fill(0x20, 148, 156);
  const sum = tar.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  tar.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return tar;
}

describe('readFiles', () => {
  it('reads a named file, and standard input under the name "-"', async () => {
    const path = file('one/values.yaml', 'a: 1\n');
    const { files } = await readFiles([path, '-'], { stdin: stream('b: ', '2\n') });
    expect(files).toEqual([
      { path, text: 'a: 1\n', named: true },
      { path: '-', text: 'b: 2\n', named: true },
    ]);
  });

  it('reads a directory in order of names, and says what it skipped', async () => {
    const directory = join(root, 'two');
    file('two/b.yaml', 'b: 1\n');
    file('two/a/c.json', '{}');
    file('two/logo.png', new Uint8Array([0x89, 0x50, 0, 0]));
    file('two/.git/config', 'x');
    symlinkSync(join(directory, 'b.yaml'), join(directory, 'link.yaml'));
    const { files, skipped } = await readFiles([directory]);
    expect(files.map(({ path, named }) => [path, named])).toEqual([
      [join(directory, 'a/c.json'), false],
      [join(directory, 'b.yaml'), false],
    ]);
    expect(skipped.map(({ path }) => path)).toEqual([
      join(directory, 'link.yaml'),
      join(directory, 'logo.png'),
    ]);
  });

  it('does not skip a data file that is no text', async () => {
    file('three/values.yaml', new Uint8Array([0x61, 0, 0x62]));
    const error = await failure([join(root, 'three')]);
    expect(error.message).toContain('binary');
    expect(error.source).toMatchObject({
      file: join(root, 'three/values.yaml'),
      line: 1,
      column: 2,
    });
  });

  it.each([
    ['snap.tar', false],
    ['snap.tar.gz', true],
    ['snap.tgz', true],
    ['no-suffix', true],
  ])('reads the archive %s by its content', async (name, packed) => {
    const tar = await packTar([entry('./snap/b.yaml', 'b: 1\n'), entry('snap/a.json', '{}')]);
    const path = file(`archives/${name}`, packed ? gzipSync(tar) : tar);
    const { files } = await readFiles([path]);
    expect(files).toEqual([
      { path: `${path}/snap/a.json`, text: '{}', named: false },
      { path: `${path}/snap/b.yaml`, text: 'b: 1\n', named: false },
    ]);
  });

  it('reads one gzipped file as the file', async () => {
    const path = file('pods.json.gz', gzipSync('{"a":1}'));
    expect((await readFiles([path])).files).toEqual([
      { path: path.replace(/\.gz$/, ''), text: '{"a":1}', named: true },
    ]);
  });

  it.each(['../outside.yaml', 'a/../../outside.yaml', '/etc/passwd'])(
    'refuses the archive entry %s',
    async (name) => {
      const path = file('evil.tar', await packTar([entry(name, 'x: 1\n')]));
      const error = await failure([path]);
      expect(error.message).toMatch(/names an entry outside itself|archive is damaged/);
      expect(error.source).toEqual({ file: path });
    },
  );

  it('does not follow links in an archive', async () => {
    const link: TarEntries[number] = {
      header: { name: 'l.yaml', size: 0, type: 'symlink', linkname: '/etc/passwd' },
    };
    const path = file('link.tar', await packTar([link, entry('a.yaml', 'a: 1\n')]));
    const { files, skipped } = await readFiles([path]);
    expect(files).toHaveLength(1);
    expect(skipped).toEqual([
      { path: `${path}/l.yaml`, reason: 'a link inside an archive is not followed' },
    ]);
  });

  it('leaves an archive inside an archive closed', async () => {
    const inner = gzipSync(await packTar([entry('b.yaml', 'b: 1\n')]));
    const nested: TarEntries[number] = {
      header: { name: 'inner.tar.gz', size: inner.length, type: 'file' },
      body: inner,
    };
    const path = file('nested.tar', await packTar([nested, entry('a.yaml', 'a: 1\n')]));
    const { files, skipped } = await readFiles([path]);
    expect(files.map((each) => each.path)).toEqual([`${path}/a.yaml`]);
    expect(skipped).toEqual([
      { path: `${path}/inner.tar.gz`, reason: 'an archive inside an archive is not opened' },
    ]);
  });

  it.each([
    [
      'says it has 10 GB and has not',
      '0',
      (10 * 2 ** 30).toString(8),
      /^the tar archive is damaged/,
    ],
    ['is a sparse file of 10 GB', 'S', undefined, /holds a sparse file, whose holes are not in it/],
  ])('never makes room for a member that %s', async (_what, type, size, message) => {
    const tar = Buffer.from(await packTar([entry('huge.yaml', 'a: 1\n')]));
    const before = process.memoryUsage().rss;
    const error = await failure([file('huge.tar', patchedHeader(tar, type, size))]);
    expect(error.message).toMatch(message);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 30);
  });

  it('knows a sparse file by its extended header too', async () => {
    const sparse: TarEntries[number] = {
      header: { name: 'a.yaml', size: 5, type: 'file', pax: { 'GNU.sparse.major': '1' } },
      body: 'a: 1\n',
    };
    const error = await failure([file('pax.tar', await packTar([sparse]))]);
    expect(error.message).toMatch(/holds a sparse file/);
  });

  it('says that gzip or tar data is damaged', async () => {
    const tar = await packTar([entry('a.yaml', 'a: 1\n'.repeat(1000))]);
    const cut = file('cut.tar.gz', gzipSync(tar).subarray(0, 60));
    expect((await failure([cut])).message).toMatch(/^the gzip data is damaged/);
    const torn = file('torn.tar', tar.subarray(0, 2000));
    expect((await failure([torn])).message).toMatch(/^the tar archive is damaged/);
  });

  it('stops a gzip bomb at the limit', async () => {
    const path = file('bomb.json.gz', gzipSync(Buffer.alloc(4_000_000, 0x20)));
    expect((await failure([path], { limits: { jsonBytes: 100_000 } })).message).toBe(
      'unpacked, the file is larger than 98 KiB',
    );
  });

  it('refuses large YAML with the way out, and takes JSON of that size', async () => {
    const limits = { textBytes: 1000 };
    const yaml = file('big.yaml', 'a: 1\n'.repeat(500));
    const error = await failure([yaml], { limits });
    expect(error.message).toBe('the file has 2 KiB; YAML and text are read up to 1000 B');
    expect(error.hint).toContain('-o json');
    const json = file('big.json', `\uFEFF  ${JSON.stringify({ a: 'x'.repeat(2000) })}`);
    expect((await readFiles([json], { limits })).files).toHaveLength(1);
    expect((await failure([json], { limits: { jsonBytes: 1500 } })).message).toBe(
      'the file is larger than 1 KiB',
    );
  });

  it('stops reading an endless standard input', async () => {
    const error = await failure(['-'], {
      stdin: stream('x'.repeat(600), 'x'.repeat(600)),
      limits: { jsonBytes: 1000 },
    });
    expect(error.message).toBe('the file is larger than 1000 B');
  });

  it('names what is not there and what may not be read', async () => {
    const missing = await failure([join(root, 'nowhere.yaml')]);
    expect(missing).toMatchObject({
      code: 'bad-input',
      message: 'cannot read the file: no such file or directory',
      source: { file: join(root, 'nowhere.yaml') },
    });
    const below = await failure([join(file('plain.yaml', 'a: 1\n'), 'x')]);
    expect(below.message).toBe('cannot read the file: a part of the path is not a directory');
  });
});
