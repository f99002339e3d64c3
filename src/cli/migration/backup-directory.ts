/** Backups as files of this machine, besides those in the cluster; written whole, read back, compared. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../../model/kubernetes.ts';
import type { BackupStore } from '../../steps/step-module.ts';
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
  };
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
