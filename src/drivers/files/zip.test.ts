/** Zips as tools and as enemies make them, built byte by byte: no library writes the bad ones. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readFiles } from './read-files.ts';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regauge-zip-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Member {
  readonly name: string;
  readonly data: Buffer;
  /** What the headers say instead of the true size. */
  readonly claimed?: number;
  readonly mode?: number;
}

function zip(members: readonly Member[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, claimed = data.length, mode = 0o100644 } of members) {
    const packed = deflateRawSync(data);
    const title = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(claimed, 18);
    common.writeUInt16LE(title.length, 22);
    const local = Buffer.concat([Buffer.from('PK\u0003\u0004', 'latin1'), common, title, packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(at, 10);
    const made = Buffer.from([20, 3]);
    directory.push(
      Buffer.concat([Buffer.from('PK\u0001\u0002', 'latin1'), made, common, rest, title]),
    );
    parts.push(local);
    at += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006', 0, 'latin1');
  end.writeUInt16LE(members.length, 8);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, central, end]);
}

function write(name: string, ...members: readonly Member[]): string {
  const path = join(folder, name);
  writeFileSync(path, zip(members));
  return path;
}

it('reads what is in a zip, by its bytes and not by its name', async () => {
  const path = write(
    'sysdump.bin',
    { name: 's/b.yaml', data: Buffer.from('b: 1\n') },
    { name: 's/a.json', data: Buffer.from('{}') },
  );
  const { files } = await readFiles([path]);
  expect(files.map(({ path: file, text }) => [file.slice(path.length), text])).toEqual([
    ['/s/a.json', '{}'],
    ['/s/b.yaml', 'b: 1\n'],
  ]);
});

it.each(['../evil.yaml', '/etc/evil.yaml', 'a/../../evil.yaml'])(
  'refuses the name %s, which leads out of the archive',
  async (name) => {
    const path = write('outside.zip', { name, data: Buffer.from('x: 1\n') });
    await expect(readFiles([path])).rejects.toThrow(/names an entry outside itself/);
  },
);

it('leaves links, large entries and archives inside it closed, and says so', async () => {
  const path = write(
    'odd.zip',
    { name: 'a.yaml', data: Buffer.from('a: 1\n') },
    { name: 'link.yaml', data: Buffer.from('/etc/passwd'), mode: 0o120777 },
    { name: 'bugtool.tar.gz', data: gzipSync('x') },
    { name: 'large.yaml', data: Buffer.alloc(5_000, ' ') },
  );
  const { files, skipped } = await readFiles([path], { limits: { textBytes: 4_096 } });
  expect(files.map(({ text }) => text)).toEqual(['a: 1\n']);
  expect(skipped.map(({ reason }) => reason).toSorted()).toEqual([
    'a link inside an archive is not followed',
    'an archive inside an archive is not opened',
    'larger than 4 KiB',
  ]);
});

it('ends at an entry that unpacks to more than it says', async () => {
  const bomb = { name: 'bomb.yaml', data: Buffer.alloc(2 ** 20, ' '), claimed: 100 };
  await expect(readFiles([write('bomb.zip', bomb)])).rejects.toThrow(/zip archive is damaged/);
});

it('says that a zip is cut', async () => {
  const whole = zip([{ name: 'a.yaml', data: Buffer.from('a: 1\n') }]);
  const path = join(folder, 'cut.zip');
  writeFileSync(path, whole.subarray(0, whole.length - 30));
  await expect(readFiles([path])).rejects.toThrow(/zip archive is damaged/);
});
