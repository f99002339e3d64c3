/** What `propagationPolicy: Orphan` leaves: dependents that no longer say whose they are. */
import type { World } from '../../../world.ts';

export function orphanDependents({ store }: World, uid: string | undefined): void {
  if (uid === undefined) return;
  for (const kind of ['Pod', 'ReplicaSet', 'Job'] as const) {
    for (const { metadata } of store.list<string>(kind)) {
      if (metadata.ownerReferences?.some((owner) => owner.uid === uid) !== true) continue;
      store.update<string>(kind, metadata.namespace, metadata.name, (old) => ({
        ...old,
        metadata: {
          ...old.metadata,
          ownerReferences: (old.metadata.ownerReferences ?? []).filter(
            (owner) => owner.uid !== uid,
          ),
        },
      }));
    }
  }
}
