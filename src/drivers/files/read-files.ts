/**
 * The paths a user gives (files, directories, archives, `-`) to texts. A path that was named must
 * be readable text; what is only found below a directory may be anything, and is skipped with the
 * reason when it is not text. Order is by name, so that the same input gives the same output.
 */
import { createReadStream } from 'node:fs';
import type { Stats } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { badInput, RegaugeError } from '../../base/errors.ts';
import type { ArchiveEntry } from './archive.ts';
import { isGzip, isTar, isZip } from './archive-marks.ts';
import { decodeText } from './decode.ts';
import { LargeTexts } from './large-texts.ts';
import { FILE_LIMITS, showBytes } from './limits.ts';
import type { FileLimits } from './limits.ts';
import { readError } from './read-error.ts';
import { looksLikeJson } from './text-marks.ts';

export interface TextFile {
  /** As the user gave it, extended by the path below it; `-` for standard input. */
  readonly path: string;
  /** Of a large JSON file it is read when asked for, and forgotten when that of another is. */
  readonly text: string;
  /** Bytes, of a large file; asking for its text only to know its length would read it. */
  readonly size?: number;
  /** True when the user named this very file. */
  readonly named: boolean;
}

export interface FilesRead {
  readonly files: readonly TextFile[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

export interface ReadFilesOptions {
  readonly stdin?: AsyncIterable<Uint8Array>;
  readonly limits?: Partial<FileLimits>;
}

const DATA_NAME = /\.(ya?ml|json|conf|conflist)$/i;
const SKIPPED_DIRECTORIES = new Set(['node_modules']);

/** Every failure is one `bad-input` with the path and, inside a file, line and column. */
export async function readFiles(
  paths: readonly string[],
  options: ReadFilesOptions = {},
): Promise<FilesRead> {
  const reader: Reader = {
    files: [],
    skipped: [],
    seen: new Set(),
    limits: { ...FILE_LIMITS, ...options.limits },
    stdin: options.stdin,
    large: new LargeTexts(),
  };
  for (const path of paths) await readNamed(reader, path);
  return { files: reader.files, skipped: reader.skipped };
}

interface Reader {
  readonly files: TextFile[];
  readonly skipped: { path: string; reason: string }[];
  readonly seen: Set<string>;
  readonly limits: FileLimits;
  readonly stdin: AsyncIterable<Uint8Array> | undefined;
  readonly large: LargeTexts;
}

async function readNamed(reader: Reader, path: string): Promise<void> {
  if (reader.seen.has(path)) return;
  reader.seen.add(path);
  if (path === '-') {
    if (reader.stdin === undefined)
      throw badInput('there is no standard input to read', { file: '-' });
    await takeBytes(reader, '-', await collect(reader.stdin, '-', reader.limits), true);
    return;
  }
  const found = await statOf(path);
  if (found.isDirectory()) return readDirectory(reader, path, 0);
  if (found.isFile() && takeLarge(reader, path, found.size, true)) return;
  // A pipe (`<(helm get values …)`) has no size to look at before reading.
  const bytes = found.isFile()
    ? await bytesOf(path, found.size, reader.limits)
    : await collect(createReadStream(path), path, reader.limits);
  await takeBytes(reader, path, bytes, true);
}

async function readDirectory(reader: Reader, directory: string, depth: number): Promise<void> {
  if (depth > reader.limits.depth) {
    throw badInput(`directories are nested deeper than ${reader.limits.depth}`, {
      file: directory,
    });
  }
  const entries = await guarded(directory, () => readdir(directory, { withFileTypes: true }));
  for (const entry of entries.toSorted((left, right) => (left.name < right.name ? -1 : 1))) {
    const path = join(directory, entry.name);
    if (entry.name.startsWith('.') || SKIPPED_DIRECTORIES.has(entry.name)) continue;
    if (entry.isDirectory()) await readDirectory(reader, path, depth + 1);
    else if (entry.isFile()) await readFound(reader, path);
    else reader.skipped.push({ path, reason: 'not a regular file; links are not followed' });
  }
}

async function readFound(reader: Reader, path: string): Promise<void> {
  if (reader.seen.has(path)) return;
  reader.seen.add(path);
  const { size } = await statOf(path);
  if (
    size > reader.limits.textBytes &&
    !DATA_NAME.test(path) &&
    !/\.t?gz$|\.tar$|\.zip$/i.test(path)
  ) {
    reader.skipped.push({ path, reason: `larger than ${showBytes(reader.limits.textBytes)}` });
    return;
  }
  if (takeLarge(reader, path, size, false)) return;
  await takeBytes(reader, path, await bytesOf(path, size, reader.limits), false);
}

/** A snapshot's texts together are larger than what comes of them; none is kept for long. */
function takeLarge(reader: Reader, path: string, size: number, named: boolean): boolean {
  if (size > reader.limits.jsonBytes || !reader.large.holds(path, size)) return false;
  checkCount(reader, path);
  const { large } = reader;
  reader.files.push({
    path,
    size,
    named,
    get text() {
      return large.textOf(path);
    },
  });
  return true;
}

function checkCount(reader: Reader, file: string): void {
  if (reader.files.length < reader.limits.files) return;
  throw badInput(`more than ${reader.limits.files} files were given`, { file });
}

async function takeBytes(
  reader: Reader,
  path: string,
  bytes: Uint8Array,
  named: boolean,
): Promise<void> {
  if (isGzip(bytes)) {
    const { gunzip } = await import('./archive.ts');
    const unpacked = gunzip(bytes, path, reader.limits);
    return takeBytes(reader, isTar(unpacked) ? path : path.replace(/\.gz$/i, ''), unpacked, named);
  }
  if (isTar(bytes)) {
    const { readTar } = await import('./archive.ts');
    const { entries, skipped } = await readTar(bytes, path, reader.limits);
    return takeEntries(reader, entries, skipped);
  }
  if (isZip(bytes)) {
    const { readZip } = await import('./zip.ts');
    const { entries, skipped } = await readZip(bytes, path, reader.limits);
    return takeEntries(reader, entries, skipped);
  }
  takeText(reader, path, bytes, named);
}

/** Archives inside archives stay closed: one can hold more than any machine does. */
function takeEntries(
  reader: Reader,
  entries: readonly ArchiveEntry[],
  skipped: FilesRead['skipped'],
): void {
  for (const one of skipped) reader.skipped.push(one);
  for (const { path, bytes } of entries) {
    if (isGzip(bytes) || isTar(bytes) || isZip(bytes))
      reader.skipped.push({ path, reason: 'an archive inside an archive is not opened' });
    else takeText(reader, path, bytes, false);
  }
}

function takeText(reader: Reader, path: string, bytes: Uint8Array, named: boolean): void {
  checkCount(reader, path);
  try {
    checkTextSize(bytes, path, reader.limits);
    reader.files.push({ path, text: decodeText(bytes, path), named });
  } catch (error) {
    if (named || DATA_NAME.test(path) || !(error instanceof RegaugeError)) throw error;
    reader.skipped.push({ path, reason: error.message });
  }
}

function checkTextSize(bytes: Uint8Array, file: string, limits: FileLimits): void {
  if (bytes.byteLength <= limits.textBytes || looksLikeJson(bytes)) return;
  throw badInput(
    `the file has ${showBytes(bytes.byteLength)}; YAML and text are read up to ${showBytes(limits.textBytes)}`,
    { file },
    'Ask for JSON instead (kubectl get … -o json), or split the file.',
  );
}

async function bytesOf(path: string, size: number, limits: FileLimits): Promise<Uint8Array> {
  if (size > limits.jsonBytes) throw tooLarge(path, limits);
  return guarded(path, () => readFile(path));
}

async function collect(
  stream: AsyncIterable<Uint8Array | string>,
  path: string,
  limits: FileLimits,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  await guarded(path, async () => {
    for await (const chunk of stream) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      size += bytes.byteLength;
      if (size > limits.jsonBytes) throw tooLarge(path, limits);
      chunks.push(bytes);
    }
  });
  return Buffer.concat(chunks);
}

function tooLarge(file: string, limits: FileLimits): RegaugeError {
  return badInput(
    `the file is larger than ${showBytes(limits.jsonBytes)}`,
    { file },
    'Split it: one kubectl get per kind or per namespace.',
  );
}

async function statOf(path: string): Promise<Stats> {
  return guarded(path, () => stat(path));
}

async function guarded<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw readError(file, error);
  }
}
