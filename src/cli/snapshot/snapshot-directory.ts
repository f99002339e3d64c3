/**
 * A snapshot as a directory. A file has a hidden name until it is whole, so that whoever reads the
 * directory meanwhile, or after a crash, does not take a part for the whole.
 */
import { createWriteStream, mkdirSync, readFileSync, statSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RegaugeError } from '../../base/errors.ts';
import type { SnapshotPart, SnapshotSink } from '../../engine/snapshot/request.ts';
import type { SnapshotManifest } from '../../model/snapshot.ts';
import { writeWhole } from '../write-whole.ts';

const MANIFEST = 'snapshot.json';

export function snapshotDirectory(directory: string): SnapshotSink {
  try {
    mkdirSync(directory, { recursive: false });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
      throw notWritten(directory, error);
    if (!statSync(directory).isDirectory()) throw notWritten(directory, 'it is no directory');
  }
  return {
    begin: (name) => Promise.resolve(partIn(directory, name)),
    discard: (name) => rm(join(directory, name), { force: true }),
    manifest: (manifest) => {
      const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
      writeWhole([{ path: join(directory, MANIFEST), text }]);
      return Promise.resolve();
    },
  };
}

/** The manifest of a snapshot that was begun here; undefined where there is none to go on with. */
export function earlierSnapshot(directory: string): SnapshotManifest | undefined {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(join(directory, MANIFEST), 'utf8'));
  } catch {
    return undefined;
  }
  return isManifest(document) && !document.complete ? document : undefined;
}

function isManifest(document: unknown): document is SnapshotManifest {
  return (
    document !== null &&
    typeof document === 'object' &&
    'kind' in document &&
    document.kind === 'Snapshot' &&
    'complete' in document &&
    'files' in document &&
    Array.isArray(document.files)
  );
}

function partIn(directory: string, name: string): SnapshotPart {
  const path = join(directory, name);
  const hidden = join(dirname(path), `.${basename(path)}.partial`);
  mkdirSync(dirname(path), { recursive: true });
  const stream = createWriteStream(hidden);
  let failure: Error | undefined;
  stream.on('error', (error) => {
    failure = error;
  });
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(notWritten(path, failure));
        stream.write(text, (error) => {
          if (error === null || error === undefined) resolve();
          else reject(notWritten(path, error));
        });
      }),
    finish: async () => {
      await new Promise<void>((resolve, reject) => {
        stream.end((error?: Error | null) => {
          if (error === null || error === undefined) resolve();
          else reject(notWritten(path, error));
        });
      });
      await rename(hidden, path);
    },
    abandon: async () => {
      await new Promise<void>((resolve) => {
        stream.destroy();
        stream.once('close', resolve);
      });
      await rm(hidden, { force: true });
    },
  };
}

function notWritten(path: string, cause: unknown): RegaugeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new RegaugeError('refused', `the snapshot could not be written to ${path}: ${why}`, {
    hint: 'Name another directory with --out.',
    cause,
  });
}
