/**
 * Snapshots in a zip (`cilium sysdump` writes one). Like `archive.ts`: entries are read into memory,
 * nothing is written, names must stay inside, and an entry may not be larger than it says it is.
 */
import { buffer } from 'node:stream/consumers';
import { type Entry, fromBuffer, type ZipFile } from 'yauzl';
import { badInput, RegaugeError } from '../../base/errors.ts';
import { type Archive, type ArchiveEntry, byPath } from './archive.ts';
import { FILE_LIMITS, showBytes } from './limits.ts';
import type { FileLimits } from './limits.ts';

/** Throws `bad-input` for a damaged zip and for names that lead out of it. */
export async function readZip(
  bytes: Uint8Array,
  file: string,
  limits: FileLimits = FILE_LIMITS,
): Promise<Archive> {
  const entries: ArchiveEntry[] = [];
  const skipped: { path: string; reason: string }[] = [];
  try {
    const zip = await open(bytes);
    if (zip.entryCount > limits.files)
      throw badInput(`the archive holds more than ${limits.files} entries`, { file });
    for (let entry = await next(zip); entry !== undefined; entry = await next(zip)) {
      const path = `${file}/${entry.fileName}`;
      const reason = whyNot(entry, limits);
      if (reason !== undefined) skipped.push({ path, reason });
      else if (!entry.fileName.endsWith('/')) entries.push({ path, bytes: await read(zip, entry) });
    }
  } catch (error) {
    if (error instanceof RegaugeError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    const outside = /invalid relative path|absolute path|invalid characters in fileName/.test(why);
    throw badInput(
      outside
        ? `the archive names an entry outside itself: ${why}`
        : `the zip archive is damaged: ${why}`,
      { file },
      outside
        ? 'Do not use this archive: entries must be relative and without "..".'
        : 'Make or copy the archive again.',
    );
  }
  return { entries: entries.toSorted(byPath), skipped };
}

/** Unix mode bits, as Info-ZIP and Go's archive/zip keep them above the DOS attributes. */
const FILE_TYPE = 0o170000;
const SYMLINK = 0o120000;

function whyNot(entry: Entry, limits: FileLimits): string | undefined {
  if (((entry.externalFileAttributes >>> 16) & FILE_TYPE) === SYMLINK)
    return 'a link inside an archive is not followed';
  if (entry.isEncrypted()) return 'the entry is encrypted';
  const isJson = entry.fileName.endsWith('.json');
  const most = isJson ? limits.jsonBytes : limits.textBytes;
  return entry.uncompressedSize > most ? `larger than ${showBytes(most)}` : undefined;
}

function open(bytes: Uint8Array): Promise<ZipFile> {
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return new Promise((resolve, reject) => {
    fromBuffer(whole, { lazyEntries: true }, (error, zip) => {
      if (error === null) resolve(zip);
      else reject(error);
    });
  });
}

/** Undefined after the last. */
function next(zip: ZipFile): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void): void => {
      zip.removeListener('entry', onEntry);
      zip.removeListener('end', onEnd);
      zip.removeListener('error', onError);
      act();
    };
    const onEntry = (entry: Entry): void => settle(() => resolve(entry));
    const onEnd = (): void => settle(() => resolve(undefined));
    const onError = (error: Error): void => settle(() => reject(error));
    zip.on('entry', onEntry).on('end', onEnd).on('error', onError);
    zip.readEntry();
  });
}

/** The stream fails when the entry unpacks to more, or less, than its header says (yauzl). */
function read(zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error === null) buffer(stream).then(resolve, reject);
      else reject(error);
    });
  });
}
