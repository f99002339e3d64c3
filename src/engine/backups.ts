/** Where backups go: memory for rehearsals; the cluster itself, and other places besides, for real. */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../base/canonical-json.ts';
import type { KubeObject } from '../model/kubernetes.ts';
import type { KubernetesPort } from '../ports/index.ts';
import type { BackupStore } from '../steps/step-module.ts';
import { keep, kept } from './run/chunks.ts';

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

/** In ConfigMaps, so that any machine can go back with them; one for each backup of the plan. */
export function clusterBackups(kubernetes: KubernetesPort, planId: string): BackupStore {
  const nameOf = (key: string): string =>
    `regauge-backup-${createHash('sha256').update(`${planId} ${key}`).digest('hex').slice(0, 16)}`;
  return {
    save: (key, objects) =>
      keep(
        kubernetes,
        {
          name: nameOf(key),
          role: 'backup',
          annotations: { 'regauge.dev/plan': planId, 'regauge.dev/step': key },
        },
        JSON.stringify(objects),
      ),
    read: async (key) => {
      const text = await kept(kubernetes, nameOf(key));
      // Written by `save`, and whole: its digest says so.
      return text === undefined ? undefined : (JSON.parse(text) as readonly KubeObject[]);
    },
  };
}

/** To the first that has room for files. */
function streamsOf(...stores: readonly BackupStore[]): Pick<BackupStore, 'saveStream'> {
  const store = stores.find(({ saveStream }) => saveStream !== undefined);
  const saveStream = store?.saveStream?.bind(store);
  return saveStream === undefined ? {} : { saveStream };
}

/**
 * Saved in both, and each read back and compared. Read from the first; from the second when the
 * first has lost it.
 */
export function bothBackups(first: BackupStore, second: BackupStore): BackupStore {
  return {
    save: async (key, objects) => {
      await first.save(key, objects);
      await second.save(key, objects);
      if (canonicalJson(await second.read(key)) !== canonicalJson(objects))
        throw new Error('the second copy of the backup does not read back as it was written');
    },
    read: async (key) => (await first.read(key)) ?? second.read(key),
    ...streamsOf(first, second),
  };
}
