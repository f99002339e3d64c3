/** Backups in memory: for rehearsals. A real run keeps them on disk. */
import type { KubeObject } from '../model/kubernetes.ts';
import type { BackupStore } from '../steps/step-module.ts';

export function memoryBackups(): BackupStore {
  const saved = new Map<string, readonly KubeObject[]>();
  return {
    save: (key, objects) => {
      saved.set(key, objects);
      return Promise.resolve();
    },
    read: (key) => Promise.resolve(saved.get(key)),
  };
}
