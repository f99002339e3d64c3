/**
 * Snapshots in one file: tar, gzip, or tar in gzip, told apart by their first bytes and never by
 * their names. Entries are read into memory and nothing is ever written to disk; a name that leads
 * out of the archive is refused all the same, since such an archive was not made by honest means.
 */
import { gunzipSync } from 'node:zlib';
import { unpackTar } from 'modern-tar';
import { badInput } from '../../base/errors.ts';
import { FILE_LIMITS, showBytes } from './limits.ts';
import type { FileLimits } from './limits.ts';

export interface ArchiveEntry {
  /** `<archive>/<name inside>`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface Archive {
  readonly entries: readonly ArchiveEntry[];
  readonly skipped: readonly { readonly path: string; readonly reason: string }[];
}

export function gunzip(
  bytes: Uint8Array,
  file: string,
  limits: FileLimits = FILE_LIMITS,
): Uint8Array {
  try {
    return gunzipSync(bytes, { maxOutputLength: limits.jsonBytes });
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    throw badInput(
      tooLarge
        ? `unpacked, the file is larger than ${showBytes(limits.jsonBytes)}`
        : `the gzip data is damaged: ${error instanceof Error ? error.message : String(error)}`,
      { file },
      tooLarge ? 'Unpack it and give its parts.' : 'Make or copy the archive again.',
    );
  }
}

export async function readTar(
  bytes: Uint8Array,
  file: string,
  limits: FileLimits = FILE_LIMITS,
): Promise<Archive> {
  refuseSparse(bytes, file);
  const unpacked = await unpack(bytes, file);
  if (unpacked.length > limits.files) {
    throw badInput(`the archive holds more than ${limits.files} entries`, { file });
  }
  const entries: ArchiveEntry[] = [];
  const skipped: { path: string; reason: string }[] = [];
  for (const { header, data } of unpacked) {
    const path = `${file}/${safeName(header.name, file)}`;
    if (header.type === 'symlink' || header.type === 'link') {
      skipped.push({ path, reason: 'a link inside an archive is not followed' });
    } else if (data !== undefined && (header.type === undefined || header.type === 'file')) {
      entries.push({ path, bytes: data });
    }
  }
  return { entries: entries.toSorted(byPath), skipped };
}

const BLOCK = 512;

/**
 * A sparse file's holes are not in the archive: what is there would be taken for the whole. GNU tar
 * writes a type of its own, or names the format in an extended header (`GNU.sparse.…`).
 */
function refuseSparse(bytes: Uint8Array, file: string): void {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  while (at + BLOCK <= view.length && view[at] !== 0) {
    const size = Number.parseInt(view.toString('latin1', at + 124, at + 136), 8);
    // Sizes in another form, and damaged ones, are for whoever unpacks.
    if (Number.isNaN(size)) return;
    const type = view.toString('latin1', at + 156, at + 157);
    const end = at + BLOCK + size;
    const isExtended = type === 'x' || type === 'g';
    if (type === 'S' || (isExtended && view.subarray(at + BLOCK, end).includes(' GNU.sparse.'))) {
      throw badInput(
        'the archive holds a sparse file, whose holes are not in it',
        { file },
        'Make it again without --sparse, or unpack it and give its parts.',
      );
    }
    at = at + BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

async function unpack(bytes: Uint8Array, file: string): ReturnType<typeof unpackTar> {
  try {
    return await unpackTar(bytes, { strict: true });
  } catch (error) {
    throw badInput(
      `the tar archive is damaged: ${error instanceof Error ? error.message : String(error)}`,
      { file },
      'Make or copy the archive again.',
    );
  }
}

/** `./a/b` → `a/b`; an absolute name or one with `..` is refused. */
function safeName(name: string, file: string): string {
  const parts = name.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  if (parts.includes('..') || /^([/\\]|[A-Za-z]:)/.test(name)) {
    throw badInput(
      `the archive names an entry outside itself: ${JSON.stringify(name)}`,
      { file },
      'Do not use this archive: entries must be relative and without "..".',
    );
  }
  return parts.join('/');
}

export function byPath(left: ArchiveEntry, right: ArchiveEntry): number {
  return left.path < right.path ? -1 : left.path > right.path ? 1 : 0;
}
