/** A snapshot's directory as one .tar.gz beside it, streamed; the directory goes when it is whole. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { packTar } from 'modern-tar/fs';
import { RegaugeError } from '../../base/errors.ts';

/** Returns the path of the archive. */
export async function packSnapshot(directory: string): Promise<string> {
  const path = `${directory.replace(/\/+$/, '')}.tar.gz`;
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    const packed = packTar(directory, {
      map: (header) => ({ ...header, name: `${basename(directory)}/${header.name}` }),
    });
    await pipeline(packed, createGzip(), createWriteStream(unfinished));
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    const why = error instanceof Error ? error.message : String(error);
    throw new RegaugeError('refused', `the archive could not be written to ${path}: ${why}`, {
      hint: `The snapshot is whole in ${directory}: give that, or pack it yourself.`,
      cause: error,
    });
  }
  await rm(directory, { recursive: true });
  return path;
}
