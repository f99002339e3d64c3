/** Backups as files of this machine, besides those in the cluster; written whole, read back, compared. */
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { SnapshotOutcome, EtcdSnapshotSink } from '../../ports/index.ts';
import type { BackupStore, SavedStream } from '../../steps/step-module.ts';
import { writeWhole } from '../write-whole.ts';
import { fileName } from './state-directory.ts';

const OWNER_ONLY = 0o600;

export function backupDirectory(directory: string): BackupStore {
  const pathOf = (key: string): string => join(directory, `${fileName(key)}.json`);
  return {
    save: (key, objects) => {
      const text = `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }, undefined, 2)}\n`;
      writeWhole([{ path: pathOf(key), text, mode: OWNER_ONLY }]);
      return Promise.resolve();
    },
    read: (key) => Promise.resolve(itemsIn(pathOf(key))),
    saveStream: (name, write) => saveStream(join(directory, fileName(name)), write),
  };
}

/** Under another name until it is whole: half a file never looks like a back-up. */
async function saveStream(
  place: string,
  write: (sink: EtcdSnapshotSink) => Promise<SnapshotOutcome>,
): Promise<SavedStream> {
  const partial = `${place}.part`;
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  const file = await open(partial, 'w', OWNER_ONLY);
  try {
    const outcome = await write({
      begin: () => file.truncate(0),
      write: async (bytes) => {
        await file.appendFile(bytes);
      },
    });
    await file.sync();
    await rename(partial, place);
    return { place, outcome, readBack: await digestOf(place) };
  } finally {
    await file.close();
    await rm(partial, { force: true });
  }
}

async function digestOf(path: string): Promise<string> {
  const digest = createHash('sha256');
  for await (const bytes of createReadStream(path)) digest.update(bytes as Buffer); // no encoding was set
  return digest.digest('hex');
}

/** Undefined when there is no such file, or half of one. */
function itemsIn(path: string): readonly KubeObject[] | undefined {
  try {
    // As `save` writes it; whoever changed it by hand is met when the objects are applied.
    return (JSON.parse(readFileSync(path, 'utf8')) as { readonly items: readonly KubeObject[] })
      .items;
  } catch {
    return undefined;
  }
}
