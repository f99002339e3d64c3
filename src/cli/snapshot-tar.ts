/** A snapshot's directory as one .tar.gz beside it, streamed; the directory goes when it is whole. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { packTar } from 'modern-tar/fs';

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
    throw error;
  }
  await rm(directory, { recursive: true });
  return path;
}
